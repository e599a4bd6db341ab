"""Writes `ops.pipeline_runs`: that a DAG run has begun, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.ops.writers import append, new_client
from include.runs import RunContext
from include.warehouse.statements import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client


def start_run(
    run: RunContext, dag_id: str, log_url: str | None = None, seeds: str | None = None, client: Client | None = None
) -> None:
    """Note in `ops.pipeline_runs` that a DAG run has begun, where it can be looked at, and its seeds; a rerun begins anew."""
    row = {
        "run_id": run.run_id,
        "dag_id": dag_id,
        "as_of": run.as_of,
        "full_refresh": run.full_refresh,
        "state": "running",
        "started_at": datetime.now(UTC),
        "log_url": log_url,
        "seeds": seeds,
    }
    append("ops.pipeline_runs", [row], replace_where={"run_id": run.run_id, "dag_id": dag_id}, client=client)


def finish_run(
    run: RunContext,
    dag_id: str,
    state: str,
    message: str | None = None,
    log_url: str | None = None,
    client: Client | None = None,
) -> None:
    """Note in `ops.pipeline_runs` how a DAG run ended.

    Args:
        run: the run, as given to `start_run` (if that never happened, the row is made now).
        dag_id: the DAG.
        state: `success`, `failed` or `skipped`.
        message: why it failed or was skipped.
        log_url: where to look; without it, what `start_run` noted stays.
        client: a BigQuery client; one is made if not given.
    """
    from google.cloud import bigquery

    if state not in {"success", "failed", "skipped"}:
        raise ValueError(f"a run ends as success, failed or skipped, not {state!r}")
    bq = client or new_client()
    sql = """
        merge ops.pipeline_runs as t
        using (
            select @run_id as run_id, @dag_id as dag_id, @as_of as as_of, @full_refresh as full_refresh,
                @state as state, @now as finished_at, @message as message, @log_url as log_url
        ) as s
        on t.run_id = s.run_id and t.dag_id = s.dag_id
        when matched then update set
            state = s.state, finished_at = s.finished_at, message = s.message, log_url = coalesce(s.log_url, t.log_url)
        when not matched then insert
            (run_id, dag_id, as_of, full_refresh, state, started_at, finished_at, message, log_url)
        values
            (s.run_id, s.dag_id, s.as_of, s.full_refresh, s.state, s.finished_at, s.finished_at, s.message, s.log_url)
    """
    parameters = [
        bigquery.ScalarQueryParameter("run_id", "STRING", run.run_id),
        bigquery.ScalarQueryParameter("dag_id", "STRING", dag_id),
        bigquery.ScalarQueryParameter("as_of", "TIMESTAMP", run.as_of),
        bigquery.ScalarQueryParameter("full_refresh", "BOOL", run.full_refresh),
        bigquery.ScalarQueryParameter("state", "STRING", state),
        bigquery.ScalarQueryParameter("now", "TIMESTAMP", datetime.now(UTC)),
        bigquery.ScalarQueryParameter("message", "STRING", message),
        bigquery.ScalarQueryParameter("log_url", "STRING", log_url),
    ]
    execute(bq, sql, bigquery.QueryJobConfig(query_parameters=parameters))
