# ruff: noqa: S608 - SQL is built from the platform's own names, never from data.
"""Reads the audit tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.ops.writers import new_client

if TYPE_CHECKING:
    from datetime import datetime

    from google.cloud.bigquery import Client

Row = dict[str, Any]
#: The value of `ops.pipeline_runs.seeds` for a run that loaded only some of the seeds.
SOME_SEEDS = "some"


def gate_results(run_id: str | None = None, as_of: datetime | None = None, client: Client | None = None) -> list[Row]:
    """Rows of `ops.gate_results` of one run, or of all runs with one as-of time.

    Ordered by gate and expectation. If a gate ran several times, only its latest results are returned.
    """
    sql = """
        select * from ops.gate_results
        where (@run_id is null or run_id = @run_id) and (@as_of is null or as_of = @as_of)
        qualify evaluated_at = max(evaluated_at) over (partition by gate)
        order by gate, expectation
    """
    return read(sql, client, run_id=("STRING", run_id), as_of=("TIMESTAMP", as_of))


def loads(batch_ids: list[str] | None = None, as_of: datetime | None = None, client: Client | None = None) -> list[Row]:
    """Rows of `ops.loads` of some batches, or of all batches of one as-of time, by source and table."""
    suffix = f"@{as_of:%Y-%m-%dT%H%M%SZ}" if as_of else None
    sql = """
        select * from ops.loads
        where (@batches is null or batch_id in unnest(split(@batches, '\\n')))
            and (@suffix is null or ends_with(batch_id, @suffix))
        order by source, table_name
    """
    batches = "\n".join(batch_ids) if batch_ids is not None else None
    return read(sql, client, batches=("STRING", batches), suffix=("STRING", suffix))


def publications(client: Client | None = None) -> list[Row]:
    """The latest publication of each published table, by dataset and table. Dropped tables are left out."""
    sql = """
        select * from ops.publications
        where state in ('published', 'dropped')
        qualify row_number() over (partition by dataset, table_name order by published_at desc) = 1
        order by dataset, table_name
    """
    return [row for row in read(sql, client) if row["state"] == "published"]


def last_as_of(client: Client | None = None) -> datetime | None:
    """The latest as-of time that was published; None before the first publication."""
    rows = read("select max(as_of) as as_of from ops.publications where state = 'published'", client)
    value: datetime | None = rows[0]["as_of"]
    return value


def runs(dag_id: str | None = None, limit: int = 20, client: Client | None = None) -> list[Row]:
    """The latest rows of `ops.pipeline_runs`, newest first."""
    sql = f"""
        select * from ops.pipeline_runs
        where @dag_id is null or dag_id = @dag_id
        order by started_at desc
        limit {int(limit)}
    """
    return read(sql, client, dag_id=("STRING", dag_id))


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
    return read(sql, client)


def read(sql: str, client: Client | None = None, **parameters: tuple[str, Any]) -> list[Row]:
    """The rows of a query.

    Args:
        sql: the query.
        client: a BigQuery client; one is made if not given.
        parameters: name → type and value of each of its parameters.
    """
    from google.cloud import bigquery

    bound = [bigquery.ScalarQueryParameter(name, kind, value) for name, (kind, value) in parameters.items()]
    bq = client or new_client()
    job = bq.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=bound))
    return [dict(row.items()) for row in job.result()]
