"""State changes of freshness SLAs, as rows of `ops.freshness_events`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from include.freshness import FreshnessEvent

#: 08:05 UTC on a Thursday, outside all quiet hours.
NOW = datetime(2026, 10, 1, 8, 5, tzinfo=UTC)
LOG = "http://airflow.example.org/dags/transform/runs/nightly/tasks/core.fct_deals.run?try_number=3"


def event(table: str = "mart_nrr_summary", state: str = "breached", minutes: int = 0, **changes: Any) -> FreshnessEvent:
    """A state change of one table, some minutes after NOW. `changes` replaces columns."""
    at = NOW + timedelta(minutes=minutes)
    recovered = state in {"recovered", "on_time"}
    values: dict[str, Any] = {
        "event_id": f"marts.{table}@{NOW:%Y-%m-%dT%H%M%SZ}:{state}",
        "dataset": "marts",
        "table_name": table,
        "state": state,
        "due_at": NOW - timedelta(minutes=5),
        "measured_at": at,
        "data_at": at - timedelta(minutes=20) if recovered else NOW - timedelta(hours=32, minutes=5),
        "published_at": at - timedelta(minutes=2) if recovered else NOW - timedelta(hours=29),
        "as_of": None,
        "age_minutes": 20.0 if recovered else 1925.0,
        "sla_minutes": 360,
        "criticality": "high",
        "owner": "finance",
        "cause": None if recovered else "transform.core.fct_deals.run failed at 2026-10-01 02:40 UTC",
        "cause_kind": None if recovered else "task_failed",
        "run_id": "nightly",
        "log_url": None if recovered else LOG,
    }
    return FreshnessEvent(**(values | changes))
