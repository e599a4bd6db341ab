"""The tables of freshness SLAs: their targets, state changes and attainment."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

TABLE = Column("table_name", "STRING", "The published table, without its dataset.", True)
DATASET = Column("dataset", "STRING", "The dataset of the published table: marts or metrics.", True)
_CRITICALITY = Column("criticality", "STRING", "low, medium, high or critical.", True)
_OWNER = Column("owner", "STRING", "The dbt group that owns the table.", True)

FRESHNESS_TABLES = (
    OpsTable(
        "ops",
        "freshness_slas",
        "One row per published table with a freshness SLA, as its model states it now.",
        (
            TABLE,
            DATASET,
            Column("cadence", "STRING", "How often the table is updated: daily, hourly, or for example every 15 minutes.", True),
            Column(
                "fresh_within_minutes",
                "INT64",
                "Minutes from each scheduled time of the cadence until its data must be published.",
                True,
            ),
            _CRITICALITY,
            _OWNER,
            Column("channels", "STRING", "Channels that notify the owner, separated by commas; empty: those of the criticality."),
            Column("calendar", "STRING", "The days on which the freshness SLA applies: every_day or business_days.", True),
            Column("recorded_at", "TIMESTAMP", "Since when these terms apply; earlier deadlines do not count.", True),
        ),
        "recorded_at",
        ("dataset", "table_name"),
        formerly="sla_promises",
    ),
    OpsTable(
        "ops",
        "freshness_events",
        "One row per state change of a freshness SLA.",
        (
            Column("event_id", "STRING", "Built from table, due instant and state, so one change has one id.", True),
            DATASET,
            TABLE,
            Column("state", "STRING", "on_time, at_risk, breached or recovered.", True),
            Column(
                "due_at",
                "TIMESTAMP",
                "Deadline for publishing the data (a recovery has that of its breach). "
                "If older data replaced newer data, the time of that publication.",
                True,
            ),
            Column("measured_at", "TIMESTAMP", "The instant that the monitor evaluated.", True),
            Column("data_at", "TIMESTAMP", "The published data is complete up to this instant; its oldest source counts."),
            Column("published_at", "TIMESTAMP", "When the table was published; NULL if never."),
            Column("as_of", "TIMESTAMP", "As-of time of the run that published the table."),
            Column("age_minutes", "FLOAT64", "Minutes from data_at to measured_at."),
            Column(
                "sla_minutes",
                "INT64",
                "The freshness SLA then: minutes from a scheduled time of the cadence to due_at.",
                True,
                formerly="promised_minutes",
            ),
            _CRITICALITY,
            _OWNER,
            Column("cause", "STRING", "The likely cause of at_risk and breached, as text. It holds no values of rows."),
            Column(
                "cause_kind", "STRING", "task_failed, gate_blocked, running, skipped, source_late, finished_late or not_started."
            ),
            Column("run_id", "STRING", "The run that caused the event; without one, the run that published the table."),
            Column("log_url", "STRING", "Link to the log or page that shows the cause."),
        ),
        "measured_at",
        ("dataset", "table_name"),
        formerly="sla_events",
    ),
    OpsTable(
        "ops",
        "freshness_attainment",
        "One row per table with a freshness SLA and calendar week (from Monday) or month: how far the freshness SLA was met.",
        (
            DATASET,
            TABLE,
            _OWNER,
            _CRITICALITY,
            Column("period", "STRING", "week or month.", True),
            Column("period_start", "TIMESTAMP", "First instant of the period, UTC.", True),
            Column(
                "minutes_monitored",
                "FLOAT64",
                "Minutes of the period, so far, in which the freshness SLA was monitored.",
                True,
                formerly="minutes_promised",
            ),
            Column("minutes_on_time", "FLOAT64", "Monitored minutes without a breach.", True),
            Column("attainment", "FLOAT64", "minutes_on_time / minutes_monitored.", True),
            Column("breach_count", "INT64", "Breaches that overlap the period.", True),
            Column("longest_breach_minutes", "FLOAT64", "Minutes of the longest breach within the period; 0 without any.", True),
        ),
        "period_start",
        ("period", "dataset", "table_name"),
        formerly="sla_attainment",
    ),
)
