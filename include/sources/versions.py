# ruff: noqa: S608 - SQL contains only names that the source files declare, never data.
"""Which version of a raw row counts. dbt's staging views, delete detection and the gates share this SQL.

Raw is append-only, so a key has many versions. The latest version that a run sees counts.
`python -m include.sources dbt-sources` passes the SQL to dbt, in `dbt/macros/raw_tables.sql`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from include.contract import KNOWN_AHEAD, contract
from include.run_context import BATCH_INSTANT
from include.sources.expressions import condition, identifier, sql_of, unknown
from include.sources.mapping import Constant, written
from include.sources.schema import Source, Table

#: Ids of this entity are those of tenants, which are the same in all sources.
_TENANTS = "organizations"


def expression(table: Table, column: str) -> str:
    """SQL of a contract column from the columns of a raw table. The table feeds an entity."""
    declared = contract()[str(table.entity)].columns[column]
    mapped = table.mapped(column)
    if mapped is None:
        return unknown(declared.type)
    return sql_of(mapped, declared.type, table.raw, prefix_of(table, column))


def prefix_of(table: Table, column: str) -> str | None:
    """What stands before the values of a contract column. Only ids of the source's own have a prefix."""
    id_of = contract()[str(table.entity)].columns[column].id_of
    return None if id_of in (None, _TENANTS) or isinstance(table.mapped(column), Constant) else table.id_prefix


def change_time(table: Table) -> str | None:
    """SQL of the time of a version's last change. None: the table has no such time."""
    if table.mapping is not None and "updated_at" in table.mapping.columns:
        return expression(table, "updated_at")
    name = table.cursor if table.mapping is not None else table.changed_at
    return None if name is None else identifier(name)


def deleted(table: Table) -> str:
    """The condition that a version says that its row is gone: deleted by the source, or no longer one of the rows that the table takes."""
    if table.mapping is None:
        return "_is_deleted"
    gone = [condition(table.mapping.deleted_when, table.raw)] if table.mapping.deleted_when else []
    gone += [f"not {condition(each, table.raw)}" for each in table.mapping.where]
    return "(\n    " + "\n    or ".join(["_is_deleted", *gone]) + "\n)" if gone else "_is_deleted"


def times_at(table: Table, instant: datetime) -> dict[str, Any]:
    """The raw columns that place a version in time, with the values that they have at an instant in UTC. Tombstones are written with them."""
    if table.mapping is None:
        event = table.event_column
        return {name: instant for name in (table.changed_at, event.name if event else None) if name is not None}
    names = {column.source_name or name: name for name, column in table.columns.items() if column.type != "string"}
    found: dict[str, Any] = {table.cursor: instant} if table.cursor else {}
    declared = contract()[str(table.entity)].columns
    for column in ("updated_at", table.event_time):
        if column is not None and (mapped := table.mapped(column)) is not None:
            found |= {names[source]: value for source, value in written(mapped, declared[column].type, instant).items()}
    return found


def _instant(table: Table) -> str | None:
    """SQL of the instant that places a version in time. None: the rows are known ahead."""
    if table.event_time is None:
        return change_time(table)
    if table.event_time == KNOWN_AHEAD:
        return None
    if table.mapping is None:
        sql, kind = identifier(table.event_time), table.columns[table.event_time].type
    else:
        sql, kind = expression(table, table.event_time), contract()[str(table.entity)].columns[table.event_time].type
    return f"timestamp({sql})" if kind == "date" else sql


def visible(source: Source, table: Table) -> str:
    """The condition that a run sees a version. `@as_of` stands for the run's as-of time.

    A run sees what happened before its as-of time. A version without an event time is seen, so that a gate can judge it.
    If the time of the last change is the event time, a row that has returned is seen after its deletion, as `order_time` places it.
    If the table is seen by delivery, the version must also be in a batch of this as-of time or an earlier one. The first
    batch is the table's history: its rows count as known since they happened, so that a backfill has data.
    """
    conditions = []
    instant = _instant(table)
    if instant is not None:
        conditions.append(f"({instant} < @as_of or {instant} is null)")
    if instant is not None and table.event_time is None:
        conditions.append("(_restored_at < @as_of or _restored_at is null)")
    if table.by_delivery:
        conditions.append(
            f"coalesce(_batch_id <= concat('{source.name}@', format_timestamp('{BATCH_INSTANT}', @as_of)) "
            f"or _batch_id = (select min_by(_batch_id, _loaded_at) from {source.dataset}.{table.name} as batches), true)"
        )
    return " and ".join(conditions) or "true"


def happened(table: Table) -> str:
    """The condition that the latest version of a row has happened. `@as_of` stands for the run's as-of time.

    A row without the time has happened, so that a gate can judge it.
    """
    if table.happens_at is None or table.mapped(table.happens_at) is None:
        return "true"
    instant = identifier(table.happens_at) if table.entity is None else expression(table, table.happens_at)
    return f"({instant} < @as_of or {instant} is null)"


def follows_tombstone(changed: str) -> str:
    """SQL of a time of change. A row that has returned with an earlier one, or with none, has the time of the tombstone that it follows."""
    return f"greatest(coalesce(_restored_at, {changed}), coalesce({changed}, _restored_at))"


def order_time(table: Table) -> str | None:
    """SQL of the time that orders the versions of a key: its last change, or a later tombstone that it follows. None: no such time."""
    changed = change_time(table)
    return None if changed is None else follows_tombstone(changed)


def latest_first(table: Table) -> str:
    """The order of the versions of a key: the last changed, then the last extracted. A tombstone precedes the rows of its batch."""
    change = f"{time} desc, " if (time := order_time(table)) else ""
    return f"{change}_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc"


def latest(table: Table) -> str:
    """The `qualify` clause that selects the latest version of each key."""
    return f"qualify row_number() over (partition by {', '.join(map(identifier, table.primary_key))} order by {latest_first(table)}) = 1"


def key_text(columns: Sequence[str]) -> str:
    """SQL of a row's key as text: the texts of its columns joined by a bar, as in dbt's macro `not_quarantined`."""
    parts = [f"cast({identifier(column)} as string)" for column in columns]
    joined = ", '|', ".join(parts)
    return parts[0] if len(parts) == 1 else f"concat({joined})"
