"""What every DAG of the platform shares: owner, retries, the failure callback, the as-of parameter."""

from __future__ import annotations

import asyncio
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
    """Airflow's failure callback: one line in the log, the run marked as failed in `ops.pipeline_runs`, its owner told.

    Called once per task, on its final failure.
    """
    from include.alerts import notify_failure
    from include.ops import finish_run
    from include.runs import RunContext

    task = context["task_instance"]
    message = f"{task.dag_id}.{task.task_id}: {context.get('exception')}"
    log.error("Final failure of %s, owner %s", message, context["task"].owner)
    # First: that the books cannot be written may be what has failed.
    notify_failure(context)
    finish_run(RunContext.of(context), dag_id=task.dag_id, state="failed", message=message[:1000], log_url=task.log_url)


def record_success(context: Mapping[str, Any]) -> None:
    """Airflow's success callback of a DAG's last task, for DAGs that keep no books otherwise: the run has succeeded.

    What people were told of its failure is so closed.
    """
    from include.ops import finish_run
    from include.runs import RunContext

    finish_run(RunContext.of(context), dag_id=context["task_instance"].dag_id, state="success")


async def run_is_late(context: dict[str, Any]) -> None:
    """What Airflow's triggerer calls when a DAG run has not ended by its deadline: tells of it, off the triggerer's loop.

    Args:
        context: `dag_run` as Airflow's API shows it, and `deadline`.
    """
    from include.alerts import notify_late_run

    await asyncio.to_thread(notify_late_run, context)


def gate_task(gate: str, run: RunContext, log_url: str | None = None) -> str:
    """Run one gate as the body of a task; a blocked gate fails the task at once, since trying again changes nothing.

    Args:
        gate: the gate.
        run: the run that is judged.
        log_url: the log of the task, for those who are told of rows set aside.

    Returns:
        The verdict in one line.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from include.alerts import notify_gate
    from include.quality import GateBlocked, run_gate

    try:
        verdict = run_gate(gate, run)
    except GateBlocked as blocked:
        raise AirflowFailException(str(blocked)) from blocked
    notify_gate(verdict, run, log_url=log_url)
    return verdict.message
