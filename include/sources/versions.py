# ruff: noqa: S608 - SQL contains only names that the source files declare, never data.
"""Which version of a raw row counts. dbt's staging views, delete detection and the gates share this SQL.

Raw is append-only, so a key has many versions. The latest version that a run sees counts.
`python -m include.sources dbt-sources` passes the SQL to dbt, in `dbt/macros/raw_tables.sql`.
"""

from __future__ import annotations

from collections.abc import Sequence

from include.run_context import BATCH_INSTANT
from include.sources.schema import Source, Table


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


def order_time(table: Table) -> str | None:
    """SQL of the time that orders the versions of a key: its last change. A row that has returned follows its tombstone. None: no such time."""
    return f"coalesce(_restored_at, {table.changed_at})" if table.changed_at else None


def latest_first(table: Table) -> str:
    """The order of the versions of a key: the last changed, then the last extracted. A tombstone precedes the rows of its batch."""
    change = f"{order_time(table)} desc, " if table.changed_at else ""
    return f"{change}_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc"


def latest(table: Table) -> str:
    """The `qualify` clause that selects the latest version of each key."""
    return f"qualify row_number() over (partition by {', '.join(table.primary_key)} order by {latest_first(table)}) = 1"


def key_text(columns: Sequence[str]) -> str:
    """SQL of a row's key as text: the texts of its columns joined by a bar, as in dbt's macro `not_quarantined`."""
    parts = [f"cast({column} as string)" for column in columns]
    joined = ", '|', ".join(parts)
    return parts[0] if len(parts) == 1 else f"concat({joined})"
