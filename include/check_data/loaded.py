# ruff: noqa: S608 - SQL holds only names and literals of the source files, which include/sources/expressions.py escapes.
"""Checks the rows of a source that a load has put into the raw tables: those that the next run will see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from google.api_core.exceptions import NotFound

from include.check_data import columns
from include.check_data.identities import READ, matched
from include.check_data.report import Report, figures_of, findings_of, summary_of
from include.contract import contract
from include.csv_data import Rows
from include.exports.rows import united, with_macros
from include.sources import Source, SourceError, Table, load_sources
from include.sources.feeds import feeds
from include.sources.mapping import nearest
from include.sources.versions import deleted, expression, latest, visible
from include.warehouse import rows as query

#: Rows that are read of a table.
MOST_ROWS = 200_000
_FILE = "_source_file_id"
#: Entities to which rows of every entity refer.
_TENANTS, _RATES = "organizations", "fx_rates"


def check_source(name: str, now: datetime | None = None) -> Report:
    """Check the latest version of each row of a source's raw tables.

    Of other sources, only the tables are read that its ids or amounts refer to. If one of them is not loaded, what refers to it is
    not checked, and a note says so.

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
    entities = contract()
    read = {name: _read(sources[name], entities, now, notes)}
    fed = {table.entity for table in sources[name].tables.values() if table.entity is not None}
    needed = {column.id_of for entity in fed for column in entities[entity].columns.values()} | {_TENANTS, _RATES}
    unread: dict[str, str] = {}
    for other in sources.keys() - {name}:
        read[other] = _read(sources[other], needed, now, notes, unread)
    notes += [f"{place} is not loaded yet: what names {entity} is not checked" for entity, place in sorted(unread.items())]
    tables = {entity: _united(entity, read) for entity in entities.keys() - unread.keys()}
    own = {entity: _united(entity, {name: read[name]}) for entity in entities}
    found = [
        finding
        for entity, rows in own.items()
        for finding in (
            *findings_of(rows, entities[entity], tables, now),
            *columns.unknown_columns(rows, entities[entity], "table", f"{name}.yml"),
        )
    ]
    found = [
        replace(each, remedy=f"add the word to `values` of its column in {name}.yml") if each.words else each for each in found
    ]
    found.sort(key=lambda each: ("block", "warn").index(each.severity))
    summaries = [summary_of(rows, entities[entity]) for entity, rows in own.items() if rows.file is not None]
    figures = figures_of({entity: tables.get(entity, rows) for entity, rows in own.items() if rows.file is not None})
    identities = [] if unread.keys() & READ else matched(feeds(sources), now)
    return Report(f"raw_{name}", summaries, found, notes, "source", figures, identities)


def _read(
    source: Source, entities: Collection[str | None], now: datetime, notes: list[str], unread: dict[str, str] | None = None
) -> dict[str, list[Rows]]:
    """Entity → the rows of each table that feeds it.

    Args:
        entities: those that are read.
        unread: gets the entities whose tables are not loaded, and the tables. Without it, such a table is an error.
    """
    found: dict[str, list[Rows]] = {}
    for table in source.tables.values():
        if table.entity is None or table.entity not in entities:
            continue
        try:
            rows = _rows(source, table, now)
        except NotFound:
            if unread is None:
                raise
            unread[table.entity] = f"{source.dataset}.{table.name}"
            continue
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
