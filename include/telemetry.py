"""The platform's metrics. They are sent like Airflow's own: by StatsD or OpenTelemetry if `[metrics]` is configured, else not.

Plain StatsD has no tags. So each metric's name ends with the name of the gate, DAG or table, as Airflow's own do.
docs/refresh.md has the mapping that turns these endings into tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.quality import GateVerdict


def gate(verdict: GateVerdict) -> None:
    """Count a gate's verdict, `platform.gate.<verdict>.<gate>`. Send its numbers of failed expectations and quarantined rows."""
    from airflow.sdk.observability import stats

    stats.incr(f"platform.gate.{verdict.verdict}.{verdict.gate}")
    stats.gauge(f"platform.gate.failed_expectations.{verdict.gate}", len(verdict.failures))
    stats.gauge(f"platform.gate.quarantined_rows.{verdict.gate}", verdict.quarantined)


def published(dag_id: str, tables: int) -> None:
    """Send the number of tables that a run has published, `platform.publish.tables.<dag_id>`. Count the publication."""
    from airflow.sdk.observability import stats

    stats.gauge(f"platform.publish.tables.{dag_id}", tables)
    stats.incr(f"platform.publish.publications.{dag_id}")


def skipped(dag_id: str) -> None:
    """Count a skipped refresh: `platform.refresh.skipped.<dag_id>`."""
    from airflow.sdk.observability import stats

    stats.incr(f"platform.refresh.skipped.{dag_id}")


def freshness(table: str, age_minutes: float, sla_minutes: float) -> None:
    """Send the age of a published table and its freshness SLA.

    Args:
        table: `dataset.table`.
        age_minutes: `platform.freshness.age_minutes.<dataset>.<table>`.
        sla_minutes: `platform.freshness.sla_minutes.<dataset>.<table>`.
    """
    from airflow.sdk.observability import stats

    stats.gauge(f"platform.freshness.age_minutes.{table}", age_minutes)
    stats.gauge(f"platform.freshness.sla_minutes.{table}", sla_minutes)
