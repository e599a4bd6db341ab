"""Reads and writes the audit tables of freshness SLAs: their terms, each change of state, and their attainment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.freshness.attainment import attainment
from include.freshness.evaluate import FreshnessEvent
from include.freshness.slas import FreshnessSla
from include.ops import append, table
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: Columns that are read of `ops.freshness_events` and of `ops.freshness_slas`.
EVENTS = tuple(field.name for field in fields(FreshnessEvent))
SLAS = tuple(column.name for column in table("ops.freshness_slas").columns)

#: A common table expression: the changes of state from `@start` on, and of each table the last one before it.
RECORDED = """
    recorded as (
        select * from ops.freshness_events
        where true
        qualify
            measured_at >= @start
            or row_number() over (partition by dataset, table_name, measured_at >= @start order by measured_at desc) = 1
    )
"""


def record_slas(
    slas: Mapping[str, FreshnessSla], held: Mapping[str, Row], now: datetime, client: Client | None = None
) -> dict[str, Row]:
    """Update `ops.freshness_slas`: new and changed freshness SLAs count from now, withdrawn ones are deleted.

    Args:
        slas: the freshness SLAs of now, by table.
        held: rows of `ops.freshness_slas`, by table.
        now: the instant of the update.
        client: a BigQuery client; one is made if not given.

    Returns:
        The rows after the update, by table.
    """
    wanted = {key: _row(sla) for key, sla in slas.items()}
    changed = {
        key: row | {"recorded_at": now}
        for key, row in wanted.items()
        if key not in held or row != {name: held[key][name] for name in row}
    }
    # A model's name is unique in a dbt project.
    outdated = {row["table_name"] for row in changed.values()} | {held[key]["table_name"] for key in held.keys() - wanted.keys()}
    if outdated:
        append("ops.freshness_slas", changed.values(), replace_where={"table_name": outdated}, client=client)
    return {key: changed.get(key) or held[key] for key in wanted}


def _row(sla: FreshnessSla) -> dict[str, Any]:
    return {
        "dataset": sla.dataset,
        "table_name": sla.table,
        "cadence": sla.cadence,
        "fresh_within_minutes": int(sla.fresh_within / timedelta(minutes=1)),
        "criticality": sla.criticality,
        "owner": sla.owner,
        "channels": ",".join(sla.channels),
        "calendar": sla.calendar,
    }


def events_since(start: datetime, client: Client | None = None) -> list[FreshnessEvent]:
    """The changes of state recorded from `start` on, and of each table the last one before it; oldest first."""
    sql = f"with {RECORDED} select * from recorded order by measured_at, dataset, table_name"  # noqa: S608 - the text above, no values
    return [event_of(row) for row in rows(sql, {"start": start}, client)]


def event_of(row: Mapping[str, Any]) -> FreshnessEvent:
    """A row of `ops.freshness_events` as a change of state."""
    return FreshnessEvent(**{name: row[name] for name in EVENTS})


def record_events(events: Iterable[FreshnessEvent], client: Client | None = None) -> list[FreshnessEvent]:
    """Write the changes of state that are not recorded yet.

    Returns:
        The changes that were written.
    """
    new = {event.event_id: event for event in events}
    if not new:
        return []
    sql = "select event_id from ops.freshness_events where event_id in unnest(@ids)"
    held = {row["event_id"] for row in rows(sql, {"ids": list(new)}, client)}
    fresh = [event for event_id, event in new.items() if event_id not in held]
    if fresh:
        where = {"event_id": [event.event_id for event in fresh]}
        append("ops.freshness_events", [asdict(event) for event in fresh], replace_where=where, client=client)
    return fresh


def record_attainment(
    slas: Mapping[str, FreshnessSla],
    events: Sequence[FreshnessEvent],
    now: datetime,
    periods: Iterable[tuple[str, datetime, datetime]],
    client: Client | None = None,
) -> int:
    """Compute and write the attainment of all freshness SLAs in some weeks and months.

    Args:
        slas: the freshness SLAs of now, by table.
        events: the changes of state, oldest first.
        now: the instant up to which it is computed.
        periods: `week` or `month`, its start, and the start of the next.
        client: a BigQuery client; one is made if not given.

    Returns:
        The number of rows written.
    """
    histories = by_table(events)
    new = []
    for key, sla in slas.items():
        for period, start, end in periods:
            attained = attainment(histories.get(key, []), start, min(end, now))
            if attained is not None:
                new.append(
                    {"dataset": sla.dataset, "table_name": sla.table, "owner": sla.owner}
                    | {"criticality": sla.criticality, "period": period, "period_start": start}
                    | asdict(attained)
                    | {"attainment": attained.attainment}
                )
    if not new:
        return 0
    where = {name: {row[name] for row in new} for name in ("table_name", "period", "period_start")}
    return append("ops.freshness_attainment", new, replace_where=where, client=client)


def by_table(events: Sequence[FreshnessEvent]) -> dict[str, list[FreshnessEvent]]:
    """Events by table, in the given order."""
    found: dict[str, list[FreshnessEvent]] = defaultdict(list)
    for event in events:
        found[event.key].append(event)
    return found
