# ruff: noqa: S608 - SQL is built from the platform's own names, never from data.
"""Reads the audit tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.run_context import BATCH_INSTANT
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from datetime import datetime

    from google.cloud.bigquery import Client

#: The value of `ops.pipeline_runs.seeds` for a run that loaded only some of the seeds.
SOME_SEEDS = "some"


def gate_results(run_id: str | None = None, as_of: datetime | None = None, client: Client | None = None) -> list[Row]:
    """Rows of `ops.gate_results` of one run, or of all runs with one as-of time.

    Ordered by gate and expectation. If a gate ran several times, only its latest results are returned.
    """
    sql = """
        select * from ops.gate_results
        where (@run_id is null or run_id = @run_id) and (@as_of is null or as_of = cast(@as_of as timestamp))
        qualify evaluated_at = max(evaluated_at) over (partition by gate)
        order by gate, expectation
    """
    return rows(sql, {"run_id": run_id, "as_of": as_of}, client)


def loads(batch_ids: list[str] | None = None, as_of: datetime | None = None, client: Client | None = None) -> list[Row]:
    """Rows of `ops.loads` of some batches, or of all batches of one as-of time, by source and table."""
    suffix = f"@{as_of:{BATCH_INSTANT}}" if as_of else None
    sql = """
        select * from ops.loads
        where (@is_any_batch or batch_id in unnest(@batches))
            and (@suffix is null or ends_with(batch_id, @suffix))
        order by source, table_name
    """
    return rows(sql, {"is_any_batch": batch_ids is None, "batches": batch_ids or [], "suffix": suffix}, client)


def publications(client: Client | None = None) -> list[Row]:
    """The latest publication of each published table, by dataset and table. Dropped tables are left out."""
    sql = """
        select * from ops.publications
        where state in ('published', 'dropped')
        qualify row_number() over (partition by dataset, table_name order by published_at desc) = 1
        order by dataset, table_name
    """
    return [row for row in rows(sql, client=client) if row["state"] == "published"]


def last_as_of(client: Client | None = None) -> datetime | None:
    """The latest as-of time that was published; None before the first publication."""
    (row,) = rows("select max(as_of) as as_of from ops.publications where state = 'published'", client=client)
    value: datetime | None = row["as_of"]
    return value


def runs(dag_id: str | None = None, limit: int = 20, client: Client | None = None) -> list[Row]:
    """The latest rows of `ops.pipeline_runs`, newest first."""
    sql = f"""
        select * from ops.pipeline_runs
        where @dag_id is null or dag_id = @dag_id
        order by started_at desc
        limit {int(limit)}
    """
    return rows(sql, {"dag_id": dag_id}, client)


def runs_so_far(limit: int = 200, client: Client | None = None) -> list[Row]:
    """Rows of `ops.pipeline_runs`, newest first: the latest `limit` runs, and the last run of each DAG and state.

    The last run is picked twice: among runs with all seeds, and among the others.
    """
    sql = f"""
        select * from ops.pipeline_runs
        where true
        qualify
            row_number() over (order by started_at desc) <= {int(limit)}
            or row_number() over (
                partition by dag_id, state, coalesce(seeds, '{SOME_SEEDS}') = '{SOME_SEEDS}' order by started_at desc
            ) = 1
        order by started_at desc
    """
    return rows(sql, client=client)
