"""The table `ops.alerts`: the outbox of alerts and the state of their delivery."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

ALERTS = OpsTable(
    "ops",
    "alerts",
    "The outbox of alerts: one row per message and route, kept after delivery.",
    (
        Column("alert_id", "STRING", "Deterministic: incident, event, kind, severity, step and route.", True),
        Column("incident_id", "STRING", "Incident: alerts with one cause share it. Also PagerDuty's deduplication key.", True),
        Column(
            "kind",
            "STRING",
            "sla_at_risk, sla_breached, sla_recovered, task_failed, gate_blocked, quarantined, deadline or recovered.",
            True,
        ),
        Column("severity", "STRING", "Criticality of the affected table, task or gate: critical, high, medium or low.", True),
        Column("channel", "STRING", "slack, email or pagerduty; NULL for a row that only records an event."),
        Column("recipient", "STRING", "Name of the route: a connection id, or for e-mail an owner. Never a secret."),
        Column("subject", "STRING", "The message in one line.", True),
        Column("body_json", "STRING", "The facts of the message, which every channel renders. No personal data.", True),
        Column(
            "state",
            "STRING",
            "pending, sent, substituted (sent by another channel), failed (given up) or suppressed (see error).",
            True,
        ),
        Column("attempts", "INT64", "Number of delivery attempts.", True),
        Column("next_attempt_at", "TIMESTAMP", "Earliest time of the next attempt; while claimed, the end of the claim.", True),
        Column("claimed_by", "STRING", "The delivery that sends it, or the process that writes it; NULL if unclaimed."),
        Column("created_at", "TIMESTAMP", "When the row was written.", True),
        Column("sent_at", "TIMESTAMP", "When the message was sent."),
        Column("error", "STRING", "Why the message was not sent, or was sent by another channel."),
    ),
    "created_at",
    ("state", "incident_id"),
)
