"""The table of alerts: what people are to be told, and what became of it."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

ALERTS = OpsTable(
    "ops",
    "alerts",
    "The outbox of alerts: one row per message and route, kept until it is told, and afterwards.",
    (
        Column("alert_id", "STRING", "Deterministic: incident, event, kind, severity, step and route.", True),
        Column("incident_id", "STRING", "What has one cause is one incident; PagerDuty's deduplication key.", True),
        Column(
            "kind",
            "STRING",
            "sla_at_risk, sla_breached, sla_recovered, task_failed, gate_blocked, quarantined, deadline or recovered.",
            True,
        ),
        Column("severity", "STRING", "Criticality of what it is about: critical, high, medium or low.", True),
        Column("channel", "STRING", "slack, email or pagerduty; NULL for a row that only notes what happened."),
        Column("recipient", "STRING", "Name of the route: a connection id, or for e-mail an owner. Never a secret."),
        Column("subject", "STRING", "The message in one line.", True),
        Column("body_json", "STRING", "What the message says, as facts that every channel renders. No personal data.", True),
        Column(
            "state",
            "STRING",
            "pending, sent, substituted (sent by another channel), failed (given up) or silent (not to be sent, see error).",
            True,
        ),
        Column("attempts", "INT64", "How often it was tried.", True),
        Column("next_attempt_at", "TIMESTAMP", "When it may be tried; while it is claimed, when the claim ends.", True),
        Column("claimed_by", "STRING", "The delivery that has it in hand, or who is writing it; NULL when none has."),
        Column("created_at", "TIMESTAMP", "When it was written.", True),
        Column("sent_at", "TIMESTAMP", "When it was sent."),
        Column("error", "STRING", "Why it was not sent, or not by its own channel."),
    ),
    "created_at",
    ("state", "incident_id"),
)
