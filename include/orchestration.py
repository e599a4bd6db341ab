"""What every DAG of the platform shares: owner, the retry policy of its tier, the failure callback, the as-of parameter, its turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.settings import settings

if TYPE_CHECKING:
    from include.quality import Scope
    from include.runs import RunContext
    from include.transform import Turn

log = logging.getLogger(__name__)

AS_OF_PARAMETER: dict[str, Any] = {
    "type": ["null", "string"],
    "format": "date",
    "title": "As of",
    "description": "Look at the world as it was at 00:00 UTC of this day. Empty: the day that the run is for.",
}


INSTANT_PARAMETER: dict[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "title": "As of",
    "description": "Look at the world as it was at this instant. Empty: the instant that the run is for.",
}
#: Every source emits it when it has landed its rows of a night, before its gate: see docs/adr/0002.
LANDED_ASSET = "landed"
PUBLISHED_ASSET = "published"

#: How long a night waits for a refresh to end; refreshes themselves are ended before (`dagrun_timeout`).
LONGEST_WAIT = timedelta(minutes=75)
_ASK_AGAIN = timedelta(seconds=20)


@dataclass(frozen=True)
class RetryPolicy:
    """How hard the tasks of a tier are tried.

    Attributes:
        attempts: how often at most, the first included.
        longest_wait: the wait before a try doubles from `TASK_RETRY_DELAY_SECONDS` up to this many times that.
        timeout: a try that takes longer is ended, and counts as failed.
    """

    attempts: int
    longest_wait: int
    timeout: timedelta


RETRIES = {
    "critical": RetryPolicy(attempts=4, longest_wait=15, timeout=timedelta(hours=2)),
    "high": RetryPolicy(attempts=3, longest_wait=15, timeout=timedelta(hours=2)),
    "medium": RetryPolicy(attempts=3, longest_wait=10, timeout=timedelta(hours=1)),
    "low": RetryPolicy(attempts=2, longest_wait=5, timeout=timedelta(hours=1)),
}


def raw_asset(source: str) -> str:
    """The name of the asset that a source's DAG emits when its raw gate has passed."""
    return f"raw_{source}"


def raw_assets() -> list[str]:
    """The names of all sources' assets. A source is named by its file: nothing is read of it here, where every task comes by."""
    return [raw_asset(path.stem) for path in sorted(settings().sources_dir.glob("*.yml"))]


def tier_tag(tier: str) -> str:
    """The tag by which the web UI finds the DAGs of a tier."""
    return f"tier:{tier}"


def default_args(owner: str, tier: str) -> dict[str, Any]:
    """The task defaults of a tier: tries with exponential backoff, a timeout, and the failure callback.

    Raises:
        KeyError: there is no such tier.
    """
    policy = RETRIES[tier]
    delay = timedelta(seconds=settings().retry_delay_seconds)
    return {
        "owner": owner,
        "retries": policy.attempts - 1,
        "retry_delay": delay,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": delay * policy.longest_wait,
        "execution_timeout": policy.timeout,
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


def gate_task(gate: str, run: RunContext, scope: Scope | None = None, log_url: str | None = None) -> str:
    """Run one gate as the body of a task; a blocked gate fails the task at once, since trying again changes nothing.

    Args:
        gate: the gate.
        run: the run that is judged.
        scope: what the run makes, if it does not make everything.
        log_url: the log of the task, for those who are told of rows set aside.

    Returns:
        The verdict in one line.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from include import telemetry
    from include.alerts import notify_gate
    from include.quality import GateBlocked, run_gate

    try:
        verdict = run_gate(gate, run, scope=scope)
    except GateBlocked as blocked:
        telemetry.gate(blocked.verdict)
        raise AirflowFailException(str(blocked)) from blocked
    telemetry.gate(verdict)
    notify_gate(verdict, run, log_url=log_url)
    return verdict.message


def publish_task(dag_id: str, run: RunContext, tables: Sequence[str] | None = None) -> int:
    """Publish as the body of a task: what is built, or these tables alone. Returns how many."""
    from include import telemetry
    from include.publish import publish

    count = publish(run, tables)
    telemetry.published(dag_id, count)
    return count


def in_the_way(context: Mapping[str, Any], resources: Iterable[str]) -> Turn | None:
    """Take this run's turn to write the resources; who is in the way if somebody is, None if it is ours."""
    from include.transform import take_turn

    return take_turn(resources, context["dag_run"].dag_id, context["run_id"], _has_ended)


def wait_for_turn(context: Mapping[str, Any], resources: Iterable[str]) -> None:
    """Go on when it is this run's turn to write the resources; until then the task gives its slot back and asks again.

    Raises:
        AirflowRescheduleException: not yet.
        TimeoutError: not within `LONGEST_WAIT`.
    """
    from airflow.sdk.exceptions import AirflowRescheduleException

    other = in_the_way(context, resources)
    if other is None:
        return
    now = datetime.now(UTC)
    since = context["ti"].get_first_reschedule_date(context) or now
    if now - since > LONGEST_WAIT:
        raise TimeoutError(f"Waited since {since:%H:%M} UTC: {other}.")
    log.info("Not our turn yet: %s. Asking again in %d s.", other, _ASK_AGAIN.total_seconds())
    raise AirflowRescheduleException(now + _ASK_AGAIN)


def _has_ended(dag_id: str, run_id: str) -> bool:
    """Whether a DAG run has ended, as Airflow knows; one that was deleted has."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    return bool(RuntimeTaskInstance.get_dr_count(dag_id, run_ids=[run_id], states=["queued", "running"]) == 0)
