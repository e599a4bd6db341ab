# ruff: noqa: S608 - SQL contains only names that the source files declare, never data.
"""Which version of a raw row counts. dbt's staging views, delete detection and the gates share this SQL.

Raw is append-only, so a key has many versions. The latest version that a run sees counts.
`python -m include.sources dbt-sources` passes the SQL to dbt, in `dbt/macros/raw_tables.sql`.
"""

from __future__ import annotations

from collections.abc import Sequence

from include.run_context import BATCH_INSTANT
from include.sources.schema import Source, Table

#: The reserved words of GoogleSQL.
_WORDS = """
    all and any array as asc assert_rows_modified at between by case cast collate contains create cross cube current default define desc
    distinct else end enum escape except exclude exists extract false fetch following for from full group grouping groups hash having if ignore
    in inner intersect interval into is join lateral left like limit lookup merge natural new no not null nulls of on or order outer over
    partition preceding proto qualify range recursive respect right rollup rows select set some struct tablesample then to treat true unbounded
    union unnest using when where window with within
"""
_RESERVED = frozenset(_WORDS.split())


def expression(table: Table, column: str) -> str:
    """SQL of a contract column from the columns of a raw table."""
    return identifier(column)


def change_time(table: Table) -> str | None:
    """SQL of the time of a version's last change. None: the table has no such time."""
    return None if table.changed_at is None else identifier(table.changed_at)


def deleted(table: Table) -> str:
    """The condition that a version says that its row is gone."""
    return "_is_deleted"


def identifier(name: str) -> str:
    """A column's name in SQL: in backquotes if it is a reserved word."""
    return f"`{name}`" if name in _RESERVED else name


def visible(source: Source, table: Table) -> str:
    """The condition that a run sees a version. `@as_of` stands for the run's as-of time.

    A run sees what happened before its as-of time. A version without an event time is seen, so that a gate can judge it.
    If the table is seen by delivery, the version must also be in a batch of this as-of time or an earlier one. The first
    batch is the table's history: its rows count as known since they happened, so that a backfill has data.
    """
    conditions = []
    column = table.event_column
    if column is not None:
        instant = f"timestamp({column.name})" if column.type == "date" else column.name
        conditions.append(f"({instant} < @as_of or {instant} is null)")
    if table.by_delivery:
        conditions.append(
            f"coalesce(_batch_id <= concat('{source.name}@', format_timestamp('{BATCH_INSTANT}', @as_of)) "
            f"or _batch_id = (select min_by(_batch_id, _loaded_at) from {source.dataset}.{table.name}), true)"
        )
    return " and ".join(conditions) or "true"


def happened(table: Table) -> str:
    """The condition that the latest version of a row has happened. `@as_of` stands for the run's as-of time.

    A row without the time has happened, so that a gate can judge it.
    """
    column = table.happens_at
    return "true" if column is None else f"({column} < @as_of or {column} is null)"


def latest_first(table: Table) -> str:
    """The order of the versions of a key: the last changed, then the last extracted. A tombstone precedes the rows of its batch."""
    change = f"{table.changed_at} desc, " if table.changed_at else ""
    return f"{change}_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc"


def latest(table: Table) -> str:
    """The `qualify` clause that selects the latest version of each key."""
    return f"qualify row_number() over (partition by {', '.join(table.primary_key)} order by {latest_first(table)}) = 1"


def key_text(columns: Sequence[str]) -> str:
    """SQL of a row's key as text: the texts of its columns joined by a bar, as in dbt's macro `not_quarantined`."""
    parts = [f"cast({column} as string)" for column in columns]
    joined = ", '|', ".join(parts)
    return parts[0] if len(parts) == 1 else f"concat({joined})"
