# ruff: noqa: S608 - SQL holds only names and literals of the source files, which include/sources/expressions.py escapes.
"""Checks the rows of a source that a load has put into the raw tables: those that the next run will see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from include.check_data import columns
from include.check_data.report import Report, findings_of, summary_of
from include.contract import contract
from include.csv_data import Rows
from include.exports.rows import united, with_macros
from include.sources import Source, SourceError, Table, load_sources
from include.sources.mapping import nearest
from include.sources.versions import deleted, expression, latest, visible
from include.warehouse import rows as query

#: Rows that are read of a table.
MOST_ROWS = 200_000
_FILE = "_source_file_id"


def check_source(name: str, now: datetime | None = None) -> Report:
    """Check the latest version of each row of a source's raw tables.

    Args:
        name: the source.
        now: the as-of time: rows after it count as future. Default: now.

    Raises:
        SourceError: there is no such source.
        google.api_core.exceptions.NotFound: it has not been loaded yet.
    """
    sources = load_sources()
    if name not in sources:
        raise SourceError(f"there is no source {name} among {', '.join(sources)}{nearest(name, sources)}")
    now = now or datetime.now(UTC)
    notes: list[str] = []
    read = {source: _read(sources[source], now, notes) for source in sources}
    entities = contract()
    tables = {entity: _united(entity, read) for entity in entities}
    own = {entity: _united(entity, {name: read[name]}) for entity in entities}
    found = [
        finding
        for entity, rows in own.items()
        for finding in (
            *findings_of(rows, entities[entity], tables, now),
            *columns.unknown_columns(rows, entities[entity], "table", f"{name}.yml"),
        )
    ]
    found.sort(key=lambda each: ("block", "warn").index(each.severity))
    summaries = [summary_of(rows, entities[entity]) for entity, rows in own.items() if rows.file is not None]
    return Report(f"raw_{name}", summaries, found, notes, "source")


def _read(source: Source, now: datetime, notes: list[str]) -> dict[str, list[Rows]]:
    """Entity → the rows of each table that feeds it."""
    found: dict[str, list[Rows]] = {}
    for table in source.tables.values():
        if table.entity is not None:
            rows = _rows(source, table, now)
            if rows.data.num_rows == MOST_ROWS:
                notes.append(f"{source.dataset}.{table.name}: only {MOST_ROWS:,} rows are read")
            found.setdefault(table.entity, []).append(rows)
    return found


def _rows(source: Source, table: Table, now: datetime) -> Rows:
    import pyarrow as pa

    from include.ingestion.casting import ARROW_TYPES

    declared = contract()[str(table.entity)].columns
    selected = ", ".join([*(f"{expression(table, column)} as {column}" for column in declared), _FILE])
    sql = f"""
        select {selected}
        from (select * from {source.dataset}.{table.name} where {visible(source, table)} {latest(table)}) as versions
        where not {deleted(table)}
        limit {MOST_ROWS}
    """
    result = query(with_macros(sql), {"as_of": now}, tool="check-data")
    data = pa.table({name: pa.array([row[name] for row in result], ARROW_TYPES[each.type]) for name, each in declared.items()})
    present = frozenset(table.mapping.columns if table.mapping is not None else set(declared) & set(table.columns))
    files = [str(row[_FILE]).rpartition("#")[0] or f"{source.dataset}.{table.name}" for row in result]
    return Rows(str(table.entity), f"{source.dataset}.{table.name}", data, [0] * len(result), present, files)


def _united(entity: str, read: Mapping[str, Mapping[str, list[Rows]]]) -> Rows:
    """The rows of an entity from all tables that feed it."""
    import pyarrow as pa

    from include.ingestion.casting import ARROW_TYPES

    empty = pa.table({name: pa.array([], ARROW_TYPES[each.type]) for name, each in contract()[entity].columns.items()})
    found = [rows for tables in read.values() for rows in tables.get(entity, ())]
    return united(entity, Rows(entity, None, empty, [], frozenset()), {entity: found})
