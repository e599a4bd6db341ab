"""One look of the monitor: measure, judge, write each change once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include import telemetry
from include.sla import ledger
from include.sla.cause import Causes
from include.sla.evaluate import SlaEvent, evaluate
from include.sla.measure import Runs, landings, measure
from include.sla.promises import Promise, load_lineage, load_promises

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_MINUTE = timedelta(minutes=1)


def instant_of(context: Mapping[str, Any]) -> datetime:
    """The instant that a run of the monitor looks at: its parameter `now`, else the minute that it is for."""
    wanted = (context.get("params") or {}).get("now")
    dag_run = context["dag_run"]
    moment = datetime.fromisoformat(str(wanted)) if wanted else dag_run.data_interval_end or dag_run.run_after
    return _minute(moment)


def monitor(now: datetime, client: Client | None = None) -> list[SlaEvent]:
    """Judge every promise at `now`, and write what has changed, once.

    It may be run again for the same minute: what was written then is returned again, and nothing is written twice. A minute
    before the last one judged changes nothing.

    Args:
        now: the instant, with its timezone; seconds do not count.
        client: a BigQuery client; one is made if not given.

    Returns:
        The changes of this minute.

    Raises:
        PromiseError: a promise in the manifest is wrong.
    """
    now = _minute(now)
    promises, lineage = load_promises(), load_lineage()
    since = ledger.record_promises(promises, now, client)
    previous = ledger.latest_events(client)
    measured = measure(promises.values(), lineage, since, now, client)
    runs = Runs(now, client)
    changes = []
    for key, promise in promises.items():
        shown = measured[key].shown_at(now)
        if shown is not None and shown.data_at is not None:
            telemetry.freshness(key, (now - shown.data_at) / _MINUTE, promise.fresh_within / _MINUTE)
        usual, running = runs.usual_duration(promise.refreshed_by), runs.running(promise)
        change = evaluate(promise, measured[key], previous.get(key), now, usual, running)
        if change is not None:
            changes.append(change)
    new = ledger.record_events(_explained(changes, promises, lineage, runs, now, client), client)
    ledger.record_attainment(promises, now, client)
    again = [event for event in previous.values() if event.measured_at == now and event.key in promises]
    return sorted([*again, *new], key=lambda event: event.key)


def _explained(
    changes: list[SlaEvent],
    promises: Mapping[str, Promise],
    lineage: Mapping[str, frozenset[str]],
    runs: Runs,
    now: datetime,
    client: Client | None,
) -> list[SlaEvent]:
    """The changes for the worse with their likely cause, the others as they are."""
    if not any(change.state in {"at_risk", "breached"} for change in changes):
        return changes
    causes = Causes(runs, landings(now, client), now, client)
    explained = []
    for change in changes:
        if change.state in {"at_risk", "breached"}:
            promise = promises[change.key]
            wanted = promise.ticks.wanted(change.due_at - timedelta(minutes=change.promised_minutes))
            cause = causes.of(promise, lineage[change.key], change.data_at, wanted)
            run_id = cause.run_id or change.run_id
            change = replace(change, cause=cause.text, cause_kind=cause.kind, run_id=run_id, log_url=cause.log_url)
        explained.append(change)
    return explained


def _minute(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"the instant must carry a timezone, got the naive {moment.isoformat()}")
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
