"""What every DAG of the platform shares: owner, retries, the failure callback, the as-of parameter."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from include.settings import settings

if TYPE_CHECKING:
    from include.runs import RunContext

log = logging.getLogger(__name__)

AS_OF_PARAMETER: dict[str, Any] = {
    "type": ["null", "string"],
    "format": "date",
    "title": "As of",
    "description": "Look at the world as it was at 00:00 UTC of this day. Empty: the day that the run is for.",
}


PUBLISHED_ASSET = "published"


def raw_asset(source: str) -> str:
    """The name of the asset that a source's DAG emits when its raw gate has passed."""
    return f"raw_{source}"


def default_args(owner: str) -> dict[str, Any]:
    """The task defaults: three tries with exponential backoff, and the failure callback."""
    delay = timedelta(seconds=settings().retry_delay_seconds)
    return {
        "owner": owner,
        "retries": 2,
        "retry_delay": delay,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": delay * 15,
        "on_failure_callback": record_failure,
    }


def record_failure(context: Mapping[str, Any]) -> None:
    """Airflow's failure callback: one line in the log, and the run marked as failed in `ops.pipeline_runs`, with the task's log.

    Called once per task, on its final failure.
    """
    from include.ops import finish_run
    from include.runs import RunContext

    task = context["task_instance"]
    message = f"{task.dag_id}.{task.task_id}: {context.get('exception')}"
    log.error("Final failure of %s, owner %s", message, context["task"].owner)
    finish_run(RunContext.of(context), dag_id=task.dag_id, state="failed", message=message[:1000], log_url=task.log_url)


def gate_task(gate: str, run: RunContext) -> str:
    """Run one gate as the body of a task; a blocked gate fails the task at once, since trying again changes nothing.

    Returns:
        The verdict in one line.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from include.quality import GateBlocked, run_gate

    try:
        verdict = run_gate(gate, run)
    except GateBlocked as blocked:
        raise AirflowFailException(str(blocked)) from blocked
    return verdict.message
