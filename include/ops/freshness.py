"""The tables of freshness promises: what is promised, when it was kept and when not."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

TABLE = Column("table_name", "STRING", "The published table, without its dataset.", True)
DATASET = Column("dataset", "STRING", "Where it is published: marts or metrics.", True)
_CRITICALITY = Column("criticality", "STRING", "low, medium, high or critical.", True)
_OWNER = Column("owner", "STRING", "The dbt group that answers for the table.", True)

FRESHNESS_TABLES = (
    OpsTable(
        "ops",
        "sla_promises",
        "One row per published table that has a freshness promise, as its model states it now.",
        (
            TABLE,
            DATASET,
            Column(
                "cadence", "STRING", "How often the table takes up new data: daily, hourly, or such as every 15 minutes.", True
            ),
            Column(
                "fresh_within_minutes",
                "INT64",
                "Minutes after each instant of the cadence until the data of that instant is published.",
                True,
            ),
            _CRITICALITY,
            _OWNER,
            Column("channels", "STRING", "How the owner is told, separated by commas; empty: as the criticality says."),
            Column("calendar", "STRING", "The days on which it is promised: every_day or business_days.", True),
            Column("recorded_at", "TIMESTAMP", "Since when it is promised so: earlier instants are not held against it.", True),
        ),
        "recorded_at",
        ("dataset", "table_name"),
    ),
    OpsTable(
        "ops",
        "sla_events",
        "One row per change of the state of a freshness promise.",
        (
            Column("event_id", "STRING", "Table, due instant and state: the same change has the same id.", True),
            DATASET,
            TABLE,
            Column("state", "STRING", "on_time, at_risk, breached or recovered.", True),
            Column(
                "due_at",
                "TIMESTAMP",
                "When the data had to be published (a recovery has that of its breach); "
                "when older data was published over newer, that instant.",
                True,
            ),
            Column("measured_at", "TIMESTAMP", "The instant that the monitor looked at.", True),
            Column("data_at", "TIMESTAMP", "Up to when the data reached that was published; its oldest source counts."),
            Column("published_at", "TIMESTAMP", "When it was published; NULL: never."),
            Column("as_of", "TIMESTAMP", "The instant that the run looked at which published it."),
            Column("age_minutes", "FLOAT64", "From data_at to measured_at."),
            Column(
                "promised_minutes", "INT64", "What was promised then: minutes from an instant of the cadence to due_at.", True
            ),
            _CRITICALITY,
            _OWNER,
            Column("cause", "STRING", "The likely cause of at_risk and breached, in words. Never the value of a row."),
            Column(
                "cause_kind", "STRING", "task_failed, gate_blocked, running, skipped, source_late, finished_late or not_started."
            ),
            Column("run_id", "STRING", "The run that the cause is about; without one, the run that published the table."),
            Column("log_url", "STRING", "Where the cause can be looked at."),
        ),
        "measured_at",
        ("dataset", "table_name"),
    ),
    OpsTable(
        "ops",
        "sla_attainment",
        "One row per promised table and calendar week (from Monday) or month: for how long its promise was kept.",
        (
            DATASET,
            TABLE,
            _OWNER,
            _CRITICALITY,
            Column("period", "STRING", "week or month.", True),
            Column("period_start", "TIMESTAMP", "First instant of the period, UTC.", True),
            Column("minutes_promised", "FLOAT64", "Minutes of the period, so far, in which the promise was watched.", True),
            Column("minutes_on_time", "FLOAT64", "Those in which it was not breached.", True),
            Column("attainment", "FLOAT64", "minutes_on_time / minutes_promised.", True),
            Column("breach_count", "INT64", "Breaches that reached into the period.", True),
            Column(
                "longest_breach_minutes", "FLOAT64", "The longest of them, as far as it lay in the period; 0 without any.", True
            ),
        ),
        "period_start",
        ("period", "dataset", "table_name"),
    ),
)
