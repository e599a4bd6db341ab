"""One look of the monitor: measure, judge, write each change once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include import telemetry
from include.freshness import ledger
from include.freshness.cause import Causes
from include.freshness.evaluate import SlaEvent, evaluate
from include.freshness.look import Look, minute_of, periods
from include.freshness.measure import landings

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_MINUTE = timedelta(minutes=1)
#: How often the monitor looks.
LOOKS_EVERY = timedelta(minutes=5)


def instant_of(context: Mapping[str, Any]) -> datetime:
    """The instant that a run of the monitor looks at: its parameter `now`, else the minute that it is for."""
    wanted = (context.get("params") or {}).get("now")
    dag_run = context["dag_run"]
    moment = datetime.fromisoformat(str(wanted)) if wanted else dag_run.data_interval_end or dag_run.run_after
    return minute_of(moment)


def monitor(now: datetime, client: Client | None = None) -> list[SlaEvent]:
    """Look at the books and judge every promise at `now`: see `judge`."""
    return judge(Look(now, client), client)


def judge(look: Look, client: Client | None = None) -> list[SlaEvent]:
    """Judge every promise, and write what has changed, once; the look then knows it too.

    It may be run again for the same minute: what was written then is returned again, and nothing is written twice. A minute
    before the last one judged changes nothing. Weeks and months are worked out anew when something has changed, and at the first look of each hour.

    Args:
        look: what the books say at an instant.
        client: a BigQuery client; one is made if not given.

    Returns:
        The changes of this minute.
    """
    now, promises = look.now, look.promises
    ledger.record_promises(look, client)
    previous, measured = look.previous(), look.measured()
    changes = []
    for key, promise in promises.items():
        shown = measured[key].shown_at(now)
        if shown is not None and shown.data_at is not None:
            telemetry.freshness(key, (now - shown.data_at) / _MINUTE, promise.fresh_within / _MINUTE)
        usual, running = look.runs.usual_duration(promise.refreshed_by), look.runs.running(promise)
        change = evaluate(promise, measured[key], previous.get(key), now, usual, running)
        if change is not None:
            changes.append(change)
    new = ledger.record_events(_explained(changes, look, client), client)
    look.events += sorted(new, key=lambda event: event.key)
    if new or now.minute < LOOKS_EVERY / _MINUTE:
        ledger.record_attainment(look, periods(now), client)
    again = [event for event in previous.values() if event.measured_at == now and event.key in promises]
    return sorted([*again, *new], key=lambda event: event.key)


def _explained(changes: list[SlaEvent], look: Look, client: Client | None) -> list[SlaEvent]:
    """The changes for the worse with their likely cause, the others as they are."""
    if not any(change.state in {"at_risk", "breached"} for change in changes):
        return changes
    causes = Causes(look.runs, landings(look.now, client), look.now, client)
    explained = []
    for change in changes:
        if change.state in {"at_risk", "breached"}:
            promise = look.promises[change.key]
            wanted = promise.ticks.wanted(change.due_at - timedelta(minutes=change.promised_minutes))
            cause = causes.of(promise, look.lineage[change.key], change.data_at, wanted)
            run_id = cause.run_id or change.run_id
            change = replace(change, cause=cause.text, cause_kind=cause.kind, run_id=run_id, log_url=cause.log_url)
        explained.append(change)
    return explained
