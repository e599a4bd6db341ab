"""Shared by all DAGs: task defaults, the retry policy of each tier, callbacks, the as-of parameter, locks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.settings import settings

if TYPE_CHECKING:
    from include.ingestion import LoadReport
    from include.orchestration.locks import Lock
    from include.quality import Scope
    from include.run_context import RunContext
    from include.sources import Source

log = logging.getLogger(__name__)

AS_OF_PARAMETER: dict[str, Any] = {
    "type": ["null", "string"],
    "format": "date",
    "title": "As of",
    "description": "Report on events before 00:00 UTC of this day. Empty: the day for which the run is scheduled.",
}
INSTANT_PARAMETER: dict[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "title": "As of",
    "description": "Report on events before this instant. Empty: the instant for which the run is scheduled.",
}
#: Each source emits this asset when its rows are loaded, before its gate: see docs/adr/0002.
LOADED_ASSET = "loaded"
PUBLISHED_ASSET = "published"

#: Longest wait of a nightly run for a refresh. It is longer than the timeout of a refresh (`dagrun_timeout`).
LONGEST_WAIT = timedelta(minutes=75)
_POLL_INTERVAL = timedelta(seconds=20)


@dataclass(frozen=True)
class RetryPolicy:
    """The retry policy for the tasks of a tier.

    Attributes:
        attempts: the maximum number of attempts, the first included.
        longest_wait: the longest wait before a retry, in multiples of `TASK_RETRY_DELAY_SECONDS`. The wait doubles up to it.
        timeout: an attempt that takes longer is ended, and counts as failed.
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
    """The names of all sources' assets. Only the file names are read, because this runs at every DAG parse."""
    return [raw_asset(path.stem) for path in sorted(settings().sources_dir.glob("*.yml"))]


def tier_tag(tier: str) -> str:
    """The tag that filters the DAGs of a tier in the web UI."""
    return f"tier:{tier}"


def default_args(owner: str, tier: str) -> dict[str, Any]:
    """The task defaults of a tier: retries with exponential backoff, a timeout, and the failure callback.

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
    """Airflow's failure callback: logs the failure, notifies the owner, marks the run as failed in `ops.pipeline_runs`.

    Called once per task, on its final failure.
    """
    from include.alerts import notify_failure
    from include.ops import finish_run
    from include.run_context import RunContext

    task = context["task_instance"]
    message = f"{task.dag_id}.{task.task_id}: {context.get('exception')}"
    log.error("Final failure of %s, owner %s", message, context["task"].owner)
    # Notify first: the task may have failed because `ops` cannot be written.
    notify_failure(context)
    finish_run(RunContext.of(context), dag_id=task.dag_id, state="failed", message=message[:1000], log_url=task.log_url)


def record_success(context: Mapping[str, Any]) -> None:
    """Airflow's success callback for the last task of a DAG that records no runs itself: marks the run as successful.

    This also resolves the incident of an earlier failure.
    """
    from include.ops import finish_run
    from include.run_context import RunContext

    finish_run(RunContext.of(context), dag_id=context["task_instance"].dag_id, state="success")


async def run_is_late(context: dict[str, Any]) -> None:
    """Airflow's deadline callback: sends the alert that a DAG run has not ended by its deadline.

    The triggerer calls it. The work runs in a thread, so it does not block the triggerer's event loop.

    Args:
        context: `dag_run` as in Airflow's API, and `deadline`.
    """
    from include.alerts import notify_late_run

    await asyncio.to_thread(notify_late_run, context)


def load_task(source: Source, run: RunContext) -> LoadReport:
    """Load a source as the body of a task. If its system refuses requests for a while, the task fails without a retry, which it would refuse too."""
    from airflow.sdk.exceptions import AirflowFailException

    from include.ingestion import LoadPostponed
    from include.landed import load

    try:
        return load(source, run)
    except LoadPostponed as error:
        raise AirflowFailException(str(error)) from error


def gate_task(gates: str | Sequence[str], run: RunContext, scope: Scope | None = None, log_url: str | None = None) -> str:
    """Run gates as the body of a task. A blocked gate fails the task without a retry, which would not change the verdict.

    Args:
        gates: the gate, or several.
        run: the run whose data is checked.
        scope: the tables of the run, if it does not build all.
        log_url: the log of the task, for the alert about quarantined rows.

    Returns:
        One line for each verdict and one for each failed expectation.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from include import telemetry
    from include.alerts import notify_gate
    from include.quality import GateBlocked, run_gates

    verdicts = run_gates([gates] if isinstance(gates, str) else gates, run, scope=scope)
    for verdict in verdicts:
        telemetry.gate(verdict)
    message = "\n".join(verdict.message for verdict in verdicts)
    for verdict in verdicts:
        if verdict.verdict == "block":
            raise AirflowFailException(message) from GateBlocked(verdict)
    for verdict in verdicts:
        notify_gate(verdict, run, log_url=log_url)
    return message


def publish_task(dag_id: str, run: RunContext, tables: Sequence[str] | None = None) -> int:
    """Publish as the body of a task: all built tables, or only `tables`. Returns the number of published tables."""
    from include import telemetry
    from include.publish import publish

    count = publish(run, tables)
    telemetry.published(dag_id, count)
    return count


def try_lock(context: Mapping[str, Any], resources: Iterable[str]) -> Lock | None:
    """Try to take the locks on the resources for this run. Returns the lock of another run that prevents it, else None."""
    from include.orchestration.locks import take_lock

    return take_lock(resources, context["dag_run"].dag_id, context["run_id"], _has_ended)


def wait_for_lock(context: Mapping[str, Any], resources: Iterable[str]) -> None:
    """Return when this run has the locks on the resources. Until then the task is rescheduled, so it frees its slot.

    Raises:
        AirflowRescheduleException: another run holds a lock.
        TimeoutError: another run still holds a lock after `LONGEST_WAIT`.
    """
    from airflow.sdk.exceptions import AirflowRescheduleException

    other = try_lock(context, resources)
    if other is None:
        return
    now = datetime.now(UTC)
    since = context["ti"].get_first_reschedule_date(context) or now
    if now - since > LONGEST_WAIT:
        raise TimeoutError(f"Waited since {since:%H:%M} UTC: {other}.")
    log.info("Waiting for a lock: %s. Next attempt in %d s.", other, _POLL_INTERVAL.total_seconds())
    raise AirflowRescheduleException(now + _POLL_INTERVAL)


def _has_ended(dag_id: str, run_id: str) -> bool:
    """Whether a DAG run has ended. A deleted run has ended."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    return bool(RuntimeTaskInstance.get_dr_count(dag_id, run_ids=[run_id], states=["queued", "running"]) == 0)
