"""The ways in: what the ledger, tasks and gates report is taken up and put into the outbox."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from include.alerts.deliver import deliver
from include.alerts.incidents import Plan
from include.alerts.occurrence import Occurrence, identifier
from include.alerts.outbox import Outbox
from include.alerts.routing import load_routing
from include.settings import settings

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.quality import GateVerdict
    from include.runs import RunContext
    from include.sla import SlaEvent

log = logging.getLogger(__name__)
#: The DAG that calls `notify` and `deliver`.
MONITOR = "sla_monitor"
P = ParamSpec("P")


def notify(events: Iterable[SlaEvent], now: datetime, client: Client | None = None, outbox: Outbox | None = None) -> int:
    """Take up state changes of promises: open incidents, add to them, close them. Each event is taken up once.

    Failures of a DAG whose newest run has succeeded since are closed too.

    Args:
        events: rows of `ops.sla_events`; those taken up before change nothing.
        now: the instant to look at.
        client: a BigQuery client; one is made if not given.
        outbox: the outbox; one is opened if not given.

    Returns:
        How many messages were put into the outbox.
    """
    from include.alerts.sla import from_ledger

    reported = list(events)
    channels = _own_channels() if reported else {}
    outbox = outbox or Outbox(client)
    plan = Plan(outbox.recent(now), load_routing(), now)
    plan.take([from_ledger(event, channels) for event in reported])
    plan.take(_ended(plan, outbox))
    return _write(plan, outbox)


def take_up(occurrences: Iterable[Occurrence], now: datetime, outbox: Outbox) -> int:
    """Put what follows from some occurrences into the outbox; returns how many messages that are."""
    return _write(Plan(outbox.recent(now), load_routing(), now).take(occurrences), outbox)


def _write(plan: Plan, outbox: Outbox) -> int:
    outbox.add(plan.added, plan.silenced, plan.now)
    told = [alert for alert in plan.added if alert.state == "pending" and not alert.message.step]
    for alert in told:
        log.info("To be told by %s to %s: %s", alert.channel, alert.recipient, alert.subject)
    return len(told)


def _never_fails(function: Callable[P, None]) -> Callable[P, None]:
    """Alerting must not make a failure worse, nor fail what has succeeded."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception:
            log.exception("%s: the alert could not be made", function.__name__)

    return guarded


@_never_fails
def notify_failure(context: Mapping[str, Any]) -> None:
    """Tell of a task's final failure, or of the gate that has blocked it. For Airflow's failure callback.

    Args:
        context: Airflow's context of the task.
    """
    from include.alerts.failures import failed_task

    now = datetime.now(UTC)
    occurrence = failed_task(context, now)
    try:
        outbox = Outbox()
        take_up([occurrence], now, outbox)
    except Exception:
        log.exception("The outbox cannot be written: the alert is sent without it")
        _send_at_once(occurrence, now)
        return
    log.info("Alerts: %s", deliver(now, outbox).message)


@_never_fails
def notify_gate(verdict: GateVerdict, run: RunContext, log_url: str | None = None, client: Client | None = None) -> None:
    """Tell of rows that a gate has set aside, and of rules that hold again.

    Args:
        verdict: what the gate decided; a blocked gate's failure callback tells of that itself.
        run: the run that was judged.
        log_url: the log of the gate's task.
        client: a BigQuery client; one is made if not given.
    """
    if not any(outcome.action == "quarantine" for outcome in verdict.outcomes):
        return
    from include.alerts.failures import set_aside

    now = datetime.now(UTC)
    outbox = Outbox(client)
    keys = _held_keys(verdict.gate, outbox) if verdict.quarantined else {}
    if take_up(set_aside(verdict, run.run_id, log_url, keys, now), now, outbox):
        log.info("Alerts: %s", deliver(now, outbox).message)


@_never_fails
def notify_late_run(context: Mapping[str, Any]) -> None:
    """Tell of a run that has not ended by its deadline. The monitor sends it.

    Args:
        context: what Airflow gives a deadline's callback: `dag_run` and `deadline`.
    """
    from airflow.configuration import conf

    from include.alerts.failures import late_run

    now = datetime.now(UTC)
    base_url = conf.get("api", "base_url", fallback="http://localhost:8080")
    take_up([late_run(context, settings().nightly_deadline_minutes, base_url, now)], now, Outbox())


def _own_channels() -> dict[str, tuple[str, ...]]:
    """Table → the channels that its promise names. Who is told must not depend on a manifest that can be read."""
    from include.sla import PromiseError, load_promises

    try:
        return {key: promise.channels for key, promise in load_promises().items()}
    except (OSError, PromiseError) as error:
        log.warning("Promises cannot be read, alerts go by criticality alone: %s", error)
        return {}


def _ended(plan: Plan, outbox: Outbox) -> list[Occurrence]:
    """For every DAG of which something has failed and is not closed: its newest run, if that has succeeded since."""
    from include.alerts.failures import DAG, well_again

    failed = {
        occurrence.scope.removeprefix(DAG): occurrence
        for incident in plan.incidents.values()
        for occurrence in incident.open.values()
        if occurrence.scope.startswith(DAG)
    }
    # That promises are looked at again shows that the DAG which does it works; it keeps no books of its runs.
    monitor = failed.pop(MONITOR, None)
    ended = [well_again(monitor, "", plan.now)] if monitor is not None else []
    if not failed:
        return ended
    newest = outbox.query(
        "select dag_id, run_id, state, finished_at from ops.pipeline_runs where dag_id in unnest(split(@dags)) "
        "qualify row_number() over (partition by dag_id order by coalesce(finished_at, started_at) desc) = 1",
        dags=("STRING", ",".join(sorted(failed))),
    )
    return ended + [
        well_again(failed[row["dag_id"]], row["run_id"], row["finished_at"])
        for row in newest
        if row["state"] == "success" and row["finished_at"] > failed[row["dag_id"]].at
    ]


def _held_keys(gate: str, outbox: Outbox) -> dict[str, list[str]]:
    """Rule → keys of a few rows that a gate holds in quarantine."""
    rows = outbox.query(
        "select expectation, row_key from quarantine.quarantined_rows where gate = @gate "
        "qualify row_number() over (partition by expectation order by row_key) <= 3 order by expectation, row_key",
        gate=("STRING", gate),
    )
    keys: dict[str, list[str]] = {}
    for row in rows:
        keys.setdefault(row["expectation"], []).append(row["row_key"])
    return keys


def _send_at_once(occurrence: Occurrence, now: datetime) -> None:
    """Without the warehouse: send what would have been put into the outbox, once a day for each DAG, route and machine."""
    from include.alerts.channels import ChannelDown, send

    routing = load_routing()
    folder = settings().state_dir / "alerts"
    folder.mkdir(parents=True, exist_ok=True)
    for alert in Plan([], routing, now).take([occurrence]).added:
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
