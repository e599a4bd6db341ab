"""The platform's own metrics, sent the way Airflow sends its own: by StatsD or OpenTelemetry if `[metrics]` is configured, else nowhere.

Plain StatsD knows no tags, so what a metric is about ends its name, as in Airflow's own: docs/refresh.md has the mapping that makes tags of
it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.quality import GateVerdict


def gate(verdict: GateVerdict) -> None:
    """Count a gate's verdict, `platform.gate.<verdict>.<gate>`, and say how many of its expectations failed and rows it holds."""
    from airflow.sdk.observability import stats

    stats.incr(f"platform.gate.{verdict.verdict}.{verdict.gate}")
    stats.gauge(f"platform.gate.failed_expectations.{verdict.gate}", len(verdict.failures))
    stats.gauge(f"platform.gate.quarantined_rows.{verdict.gate}", verdict.quarantined)


def published(dag_id: str, tables: int) -> None:
    """Say how many tables a DAG's run has published: `platform.publish.tables.<dag_id>`; count the publication."""
    from airflow.sdk.observability import stats

    stats.gauge(f"platform.publish.tables.{dag_id}", tables)
    stats.incr(f"platform.publish.publications.{dag_id}")


def skipped(dag_id: str) -> None:
    """Count a tick that a refresh has left out: `platform.refresh.skipped.<dag_id>`."""
    from airflow.sdk.observability import stats

    stats.incr(f"platform.refresh.skipped.{dag_id}")


def freshness(table: str, age_minutes: float, promised_minutes: float) -> None:
    """Say how old what a published table shows is, and how old it may be.

    Args:
        table: `dataset.table`.
        age_minutes: `platform.freshness.age_minutes.<dataset>.<table>`.
        promised_minutes: `platform.freshness.promised_minutes.<dataset>.<table>`.
    """
    from airflow.sdk.observability import stats

    stats.gauge(f"platform.freshness.age_minutes.{table}", age_minutes)
    stats.gauge(f"platform.freshness.promised_minutes.{table}", promised_minutes)
