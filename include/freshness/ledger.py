"""The books of freshness: what is promised, each change of state, and for how long promises were kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.freshness.attainment import attainment
from include.freshness.evaluate import SlaEvent
from include.freshness.promises import Promise
from include.ops import append, table
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.freshness.look import Look

#: Columns that are read of `ops.sla_events` and of `ops.sla_promises`.
EVENTS = tuple(field.name for field in fields(SlaEvent))
PROMISES = tuple(column.name for column in table("ops.sla_promises").columns)

#: A common table expression: the changes of state from `@start` on, and of each table the last one before it.
NOTED = """
    noted as (
        select * from ops.sla_events
        where true
        qualify
            measured_at >= @start
            or row_number() over (partition by dataset, table_name, measured_at >= @start order by measured_at desc) = 1
    )
"""


def record_promises(look: Look, client: Client | None = None) -> None:
    """Bring `ops.sla_promises`, and what the look has read of it, up to date: new and changed promises count from now, withdrawn ones are removed."""
    held = look.recorded
    wanted = {key: _row(promise) for key, promise in look.promises.items()}
    changed = {
        key: row | {"recorded_at": look.now}
        for key, row in wanted.items()
        if key not in held or row != {name: held[key][name] for name in row}
    }
    # A model's name is unique in a dbt project.
    outdated = {row["table_name"] for row in changed.values()} | {held[key]["table_name"] for key in held.keys() - wanted.keys()}
    if outdated:
        append("ops.sla_promises", changed.values(), replace_where={"table_name": outdated}, client=client)
    look.recorded = {key: changed.get(key) or held[key] for key in wanted}


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


def events_since(start: datetime, client: Client | None = None) -> list[SlaEvent]:
    """The changes of state noted from `start` on, and of each table the last one before it; oldest first."""
    sql = f"with {NOTED} select * from noted order by measured_at, dataset, table_name"  # noqa: S608 - the text above, no values
    return [event_of(row) for row in rows(sql, {"start": start}, client)]


def event_of(row: Mapping[str, Any]) -> SlaEvent:
    """A row of `ops.sla_events` as a change of state."""
    return SlaEvent(**{name: row[name] for name in EVENTS})


def record_events(events: Iterable[SlaEvent], client: Client | None = None) -> list[SlaEvent]:
    """Write changes of state that are not in the ledger yet.

    Returns:
        Those that were not.
    """
    new = {event.event_id: event for event in events}
    if not new:
        return []
    sql = "select event_id from ops.sla_events where event_id in unnest(@ids)"
    held = {row["event_id"] for row in rows(sql, {"ids": list(new)}, client)}
    fresh = [event for event_id, event in new.items() if event_id not in held]
    if fresh:
        where = {"event_id": [event.event_id for event in fresh]}
        append("ops.sla_events", [asdict(event) for event in fresh], replace_where=where, client=client)
    return fresh


def record_attainment(look: Look, spans: Iterable[tuple[str, datetime, datetime]], client: Client | None = None) -> int:
    """Work out anew how every promise was kept in some weeks and months.

    Args:
        look: what the books say.
        spans: `week` or `month`, its first instant, and the first of the next.
        client: a BigQuery client; one is made if not given.

    Returns:
        The number of rows written.
    """
    histories = by_table(look.events)
    records = []
    for key, promise in look.promises.items():
        for period, start, end in spans:
            kept = attainment(histories.get(key, []), start, min(end, look.now))
            if kept is not None:
                records.append(
                    {"dataset": promise.dataset, "table_name": promise.table, "owner": promise.owner}
                    | {"criticality": promise.criticality, "period": period, "period_start": start}
                    | asdict(kept)
                    | {"attainment": kept.attainment}
                )
    if not records:
        return 0
    where = {name: {row[name] for row in records} for name in ("table_name", "period", "period_start")}
    return append("ops.sla_attainment", records, replace_where=where, client=client)


def by_table(events: Sequence[SlaEvent]) -> dict[str, list[SlaEvent]]:
    """Events by table, in the order given."""
    found: dict[str, list[SlaEvent]] = defaultdict(list)
    for event in events:
        found[event.key].append(event)
    return found
