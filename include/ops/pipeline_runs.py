"""Writes `ops.pipeline_runs`: the start and the end of each DAG run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args

from include.ops.writers import append
from include.run_context import RunContext
from include.warehouse import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: The states in which a run of the platform ends.
EndState = Literal["success", "failed", "skipped"]


def start_run(
    run: RunContext, dag_id: str, log_url: str | None = None, seeds: str | None = None, client: Client | None = None
) -> None:
    """Record the start of a DAG run in `ops.pipeline_runs`. A rerun replaces the row.

    Args:
        run: the run.
        dag_id: the DAG.
        log_url: the page of the run.
        seeds: the value of the column `seeds`.
        client: a BigQuery client; one is made if not given.
    """
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
    state: EndState,
    message: str | None = None,
    log_url: str | None = None,
    client: Client | None = None,
) -> None:
    """Record the end of a DAG run in `ops.pipeline_runs`.

    Args:
        run: the run, as given to `start_run`. If it has no row yet, one is inserted.
        dag_id: the DAG.
        state: how it ended.
        message: why the run failed or was skipped.
        log_url: the log of the failed task; without it, the link from `start_run` stays.
        client: a BigQuery client; one is made if not given.
    """
    if state not in get_args(EndState):
        raise ValueError(f"a run ends as {' or '.join(get_args(EndState))}, not as {state!r}")
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
    about = {"run_id": run.run_id, "dag_id": dag_id, "as_of": run.as_of, "full_refresh": run.full_refresh}
    execute(sql, about | {"state": state, "now": datetime.now(UTC), "message": message, "log_url": log_url}, client)
