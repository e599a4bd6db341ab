"""Entry points: record what the freshness monitor, tasks and gates report, and write the alerts to the outbox."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from include.alerts.deliver import deliver
from include.alerts.occurrence import Occurrence, identifier
from include.alerts.outbox import Outbox
from include.alerts.plan import Plan
from include.alerts.routing import load_routing
from include.settings import settings

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.freshness import FreshnessEvent
    from include.quality import GateVerdict
    from include.run_context import RunContext

log = logging.getLogger(__name__)
#: The DAG that calls `notify` and `deliver`.
MONITOR = "freshness_monitor"
P = ParamSpec("P")


def notify(events: Iterable[FreshnessEvent], now: datetime, client: Client | None = None, outbox: Outbox | None = None) -> int:
    """Record state changes of freshness SLAs: open, extend and resolve incidents. Each event is recorded once.

    Also resolves the failures of each DAG whose newest run has succeeded since.

    Args:
        events: rows of `ops.freshness_events`. Events that were recorded before have no effect.
        now: the current time.
        client: a BigQuery client; created if not given.
        outbox: the outbox; opened if not given.

    Returns:
        The number of messages added to the outbox, without reminders.
    """
    from include.alerts.freshness import from_freshness_event

    reported = list(events)
    channels = _own_channels() if reported else {}
    outbox = outbox or Outbox(client)
    plan = Plan(outbox.recent(now), load_routing(), now)
    plan.record([from_freshness_event(event, channels) for event in reported])
    plan.record(_recovered_dags(plan, outbox))
    return _write(plan, outbox)


def record(occurrences: Iterable[Occurrence], now: datetime, outbox: Outbox) -> int:
    """Record occurrences and add their alerts to the outbox. Returns the number of messages, without reminders."""
    return _write(Plan(outbox.recent(now), load_routing(), now).record(occurrences), outbox)


def _write(plan: Plan, outbox: Outbox) -> int:
    outbox.add(plan.added, plan.suppressed, plan.now)
    queued = [alert for alert in plan.added if alert.state == "pending" and not alert.message.step]
    for alert in queued:
        log.info("Queued for %s to %s: %s", alert.channel, alert.recipient, alert.subject)
    return len(queued)


def _never_raises(function: Callable[P, None]) -> Callable[P, None]:
    """Log errors instead of raising them: an error in alerting must not fail a task or hide its error."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception:
            log.exception("%s: the alert could not be created", function.__name__)

    return guarded


@_never_raises
def notify_failure(context: Mapping[str, Any]) -> None:
    """Report a task that failed at its last try, or the gate that blocked it. For Airflow's failure callback.

    Args:
        context: Airflow's context of the task.
    """
    from include.alerts.failures import failed_task

    now = datetime.now(UTC)
    occurrence = failed_task(context, now)
    try:
        outbox = Outbox()
        record([occurrence], now, outbox)
    except Exception:
        log.exception("The outbox cannot be written. The alert is sent without it.")
        _send_without_outbox(occurrence, now)
        return
    log.info("Alerts: %s", deliver(now, outbox).message)


@_never_raises
def notify_gate(verdict: GateVerdict, run: RunContext, log_url: str | None = None, client: Client | None = None) -> None:
    """Report rows that a gate has quarantined, and rules that all rows meet again.

    Args:
        verdict: the gate's verdict. A blocked gate is reported by the failure callback of its task.
        run: the run that was checked.
        log_url: the log of the gate's task.
        client: a BigQuery client; created if not given.
    """
    if not any(outcome.action == "quarantine" for outcome in verdict.outcomes):
        return
    from include.alerts.failures import quarantine_occurrences

    now = datetime.now(UTC)
    outbox = Outbox(client)
    keys = _quarantined_keys(verdict.gate, outbox) if verdict.quarantined else {}
    if record(quarantine_occurrences(verdict, run.run_id, log_url, keys, now), now, outbox):
        log.info("Alerts: %s", deliver(now, outbox).message)


@_never_raises
def notify_late_run(context: Mapping[str, Any]) -> None:
    """Report a run that has not ended by its deadline. The alert is only queued; the monitor sends it.

    Args:
        context: the context of Airflow's deadline callback, with `dag_run` and `deadline`.
    """
    from airflow.configuration import conf

    from include.alerts.failures import late_run

    now = datetime.now(UTC)
    base_url = conf.get("api", "base_url", fallback="http://localhost:8080")
    record([late_run(context, settings().nightly_deadline_minutes, base_url, now)], now, Outbox())


def _own_channels() -> dict[str, tuple[str, ...]]:
    """Table → the channels in its `meta.sla`. Empty if the dbt manifest cannot be read, so that alerts are sent anyway."""
    from include.freshness import FreshnessSlaError, load_freshness_slas

    try:
        return {key: sla.channels for key, sla in load_freshness_slas().items()}
    except (OSError, FreshnessSlaError) as error:
        log.warning("Freshness SLAs cannot be read, the channels follow from the criticality alone: %s", error)
        return {}


def _recovered_dags(plan: Plan, outbox: Outbox) -> list[Occurrence]:
    """The recoveries of DAGs that have an open incident and whose newest run has succeeded since."""
    from include.alerts.failures import DAG, recovery_of

    failed = {
        occurrence.scope.removeprefix(DAG): occurrence
        for incident in plan.incidents.values()
        for occurrence in incident.open.values()
        if occurrence.scope.startswith(DAG)
    }
    # This code runs in the monitor, so the monitor works again. It writes no rows to `ops.pipeline_runs`.
    monitor = failed.pop(MONITOR, None)
    recovered = [recovery_of(monitor, "", plan.now)] if monitor is not None else []
    if not failed:
        return recovered
    newest = outbox.query(
        "select dag_id, run_id, state, finished_at from ops.pipeline_runs where dag_id in unnest(@dags) "
        "qualify row_number() over (partition by dag_id order by coalesce(finished_at, started_at) desc) = 1",
        dags=sorted(failed),
    )
    return recovered + [
        recovery_of(failed[row["dag_id"]], row["run_id"], row["finished_at"])
        for row in newest
        if row["state"] == "success" and row["finished_at"] > failed[row["dag_id"]].at
    ]


def _quarantined_keys(gate: str, outbox: Outbox) -> dict[str, list[str]]:
    """Rule → sample keys of the rows that a gate has quarantined."""
    rows = outbox.query(
        "select expectation, row_key from quarantine.quarantined_rows where gate = @gate "
        "qualify row_number() over (partition by expectation order by row_key) <= 3 order by expectation, row_key",
        gate=gate,
    )
    keys: dict[str, list[str]] = {}
    for row in rows:
        keys.setdefault(row["expectation"], []).append(row["row_key"])
    return keys


def _send_without_outbox(occurrence: Occurrence, now: datetime) -> None:
    """Send the alerts directly. A marker file limits them to one a day per DAG, route and machine."""
    from include.alerts.channels import ChannelDown, send

    routing = load_routing()
    folder = settings().state_dir / "alerts"
    folder.mkdir(parents=True, exist_ok=True)
    for alert in Plan([], routing, now).record([occurrence]).added:
        if alert.route is None or alert.message.step:
            continue
        marker = folder / identifier(occurrence.scope, *alert.route, now.date())
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            continue
        channel, recipient = alert.route
        addresses = routing.addresses_of([recipient]) if channel == "email" else []
        try:
            send(channel, routing.connection(channel, recipient), alert.message, alert.alert_id, addresses)
        except ChannelDown as down:
            log.warning("Not sent by %s: %s", channel, down)
            marker.unlink()
