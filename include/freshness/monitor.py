"""One run of the monitor: measure, evaluate, and write each change of state once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include import telemetry
from include.freshness import audit
from include.freshness.cause import Causes
from include.freshness.evaluate import FreshnessEvent, evaluate
from include.freshness.measure import loaded_up_to
from include.freshness.records import Records, minute_of, periods

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_MINUTE = timedelta(minutes=1)
#: The time between two runs of the monitor.
RUNS_EVERY = timedelta(minutes=5)


def instant_of(context: Mapping[str, Any]) -> datetime:
    """The instant that a run of the monitor evaluates: its parameter `now`, else the minute for which it is scheduled."""
    wanted = (context.get("params") or {}).get("now")
    dag_run = context["dag_run"]
    moment = datetime.fromisoformat(str(wanted)) if wanted else dag_run.data_interval_end or dag_run.run_after
    return minute_of(moment)


def monitor(now: datetime, client: Client | None = None) -> list[FreshnessEvent]:
    """Read the audit tables and evaluate all freshness SLAs at `now`: see `evaluate_all`."""
    return evaluate_all(Records(now, client), client)


def evaluate_all(records: Records, client: Client | None = None) -> list[FreshnessEvent]:
    """Evaluate all freshness SLAs, and write each change of state once. `records` then holds the changes too.

    It may run again for the same minute: it returns the same changes again, and writes nothing twice. A minute before the last
    evaluated one changes nothing. Attainment is computed again when a state has changed, and in the first run of each hour.

    Args:
        records: what the audit tables hold at an instant.
        client: a BigQuery client; one is made if not given.

    Returns:
        The changes of this minute.
    """
    now, slas = records.now, records.slas
    records.recorded = audit.record_slas(slas, records.recorded, now, client)
    previous, measured = records.previous(), records.measured()
    changes = []
    for key, sla in slas.items():
        shown = measured[key].shown_at(now)
        if shown is not None and shown.data_at is not None:
            telemetry.freshness(key, (now - shown.data_at) / _MINUTE, sla.fresh_within / _MINUTE)
        usual, running = records.runs.usual_duration(sla.refreshed_by), records.runs.running(sla)
        change = evaluate(sla, measured[key], previous.get(key), now, usual, running)
        if change is not None:
            changes.append(change)
    new = audit.record_events(_explained(changes, records, client), client)
    records.events += sorted(new, key=lambda event: event.key)
    if new or now.minute < RUNS_EVERY / _MINUTE:
        audit.record_attainment(slas, records.events, now, periods(now), client)
    again = [event for event in previous.values() if event.measured_at == now and event.key in slas]
    return sorted([*again, *new], key=lambda event: event.key)


def _explained(changes: list[FreshnessEvent], records: Records, client: Client | None) -> list[FreshnessEvent]:
    """The changes. Those to `at_risk` and `breached` have their likely cause."""
    if not any(change.state in {"at_risk", "breached"} for change in changes):
        return changes
    causes = Causes(records.runs, loaded_up_to(records.now, client), records.now, client)
    explained = []
    for change in changes:
        if change.state in {"at_risk", "breached"}:
            sla = records.slas[change.key]
            data_due = sla.schedule.data_due(change.due_at - timedelta(minutes=change.sla_minutes))
            cause = causes.of(sla, records.lineage[change.key], change.data_at, data_due)
            run_id = cause.run_id or change.run_id
            change = replace(change, cause=cause.text, cause_kind=cause.kind, run_id=run_id, log_url=cause.log_url)
        explained.append(change)
    return explained
