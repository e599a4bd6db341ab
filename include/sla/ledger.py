"""The books of freshness: what is promised, each change of state, and for how long promises were kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.ops import append, read
from include.sla.attainment import PERIODS, attainment
from include.sla.evaluate import SlaEvent
from include.sla.promises import Promise

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_FIELDS = [field.name for field in fields(SlaEvent)]


def record_promises(promises: Mapping[str, Promise], now: datetime, client: Client | None = None) -> dict[str, datetime]:
    """Bring `ops.sla_promises` up to date: new and changed promises count from `now`, withdrawn ones are removed.

    Returns:
        Table → since when it is promised as it is now.
    """
    held = {f"{row['dataset']}.{row['table_name']}": row for row in read("select * from ops.sla_promises", client)}
    since: dict[str, datetime] = {}
    changed = []
    for key, promise in promises.items():
        row = _row(promise)
        if key in held and row == {name: held[key][name] for name in row}:
            since[key] = held[key]["recorded_at"]
        else:
            since[key] = now
            changed.append(row | {"recorded_at": now})
    # A model's name is unique in a dbt project.
    outdated = {row["table_name"] for row in changed} | {held[key]["table_name"] for key in held.keys() - promises.keys()}
    if outdated:
        append("ops.sla_promises", changed, replace_where={"table_name": outdated}, client=client)
    return since


def promised_since(client: Client | None = None) -> dict[str, datetime]:
    """Table → since when `ops.sla_promises` holds its promise."""
    rows = read("select dataset, table_name, recorded_at from ops.sla_promises", client)
    return {f"{row['dataset']}.{row['table_name']}": row["recorded_at"] for row in rows}


def _row(promise: Promise) -> dict[str, Any]:
    return {
        "dataset": promise.dataset,
        "table_name": promise.table,
        "cadence": promise.cadence,
        "fresh_within_minutes": int(promise.fresh_within / timedelta(minutes=1)),
        "criticality": promise.criticality,
        "owner": promise.owner,
        "channels": ",".join(promise.channels),
        "calendar": promise.calendar,
    }


def latest_events(client: Client | None = None) -> dict[str, SlaEvent]:
    """The last change of state of each table that ever had one."""
    sql = """
        select * from ops.sla_events
        where true
        qualify row_number() over (partition by dataset, table_name order by measured_at desc) = 1
    """
    return {event.key: event for event in map(_event, read(sql, client))}


def events_since(start: datetime, client: Client | None = None) -> list[SlaEvent]:
    """The changes of state noted from `start` on, and of each table the last one before it; oldest first."""
    sql = """
        select * from ops.sla_events where measured_at >= @start
        union all
        (
            select * from ops.sla_events where measured_at < @start
            qualify row_number() over (partition by dataset, table_name order by measured_at desc) = 1
        )
        order by measured_at, dataset, table_name
    """
    return [_event(row) for row in read(sql, client, start=("TIMESTAMP", start))]


def _event(row: Mapping[str, Any]) -> SlaEvent:
    return SlaEvent(**{name: row[name] for name in _FIELDS})


def record_events(events: Iterable[SlaEvent], client: Client | None = None) -> list[SlaEvent]:
    """Write changes of state that are not in the ledger yet.

    Returns:
        Those that were not.
    """
    new = {event.event_id: event for event in events}
    if not new:
        return []
    sql = "select event_id from ops.sla_events where event_id in unnest(split(@ids, '\\n'))"
    held = {row["event_id"] for row in read(sql, client, ids=("STRING", "\n".join(new)))}
    fresh = [event for event_id, event in new.items() if event_id not in held]
    if fresh:
        where = {"event_id": [event.event_id for event in fresh]}
        append("ops.sla_events", [asdict(event) for event in fresh], replace_where=where, client=client)
    return fresh


def record_attainment(promises: Mapping[str, Promise], now: datetime, client: Client | None = None) -> int:
    """Work out anew the week and the month that `now` lies in, and the ones before, of every promised table.

    Returns:
        The number of rows written.
    """
    spans = []
    for period, bounds in PERIODS.items():
        current = bounds(now)
        spans += [(period, *current), (period, *bounds(current[0] - timedelta(microseconds=1)))]
    histories = by_table(events_since(min(start for _, start, _ in spans), client))
    rows = []
    for key, promise in promises.items():
        for period, start, end in spans:
            kept = attainment(histories.get(key, []), start, min(end, now))
            if kept is not None:
                rows.append(
                    {"dataset": promise.dataset, "table_name": promise.table, "owner": promise.owner}
                    | {"criticality": promise.criticality, "period": period, "period_start": start}
                    | asdict(kept)
                    | {"attainment": kept.attainment}
                )
    if not rows:
        return 0
    where = {name: {row[name] for row in rows} for name in ("table_name", "period", "period_start")}
    return append("ops.sla_attainment", rows, replace_where=where, client=client)


def by_table(events: Sequence[SlaEvent]) -> dict[str, list[SlaEvent]]:
    """Events by table, in the order given."""
    found: dict[str, list[SlaEvent]] = defaultdict(list)
    for event in events:
        found[event.key].append(event)
    return found
