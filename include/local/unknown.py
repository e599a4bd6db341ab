# ruff: noqa: S608 - SQL is put together from names of the contract and of the source files, never from data.
"""What a company's data lack, and the figures that are therefore unknown: the contract names them (`unknown_without`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from include.contract import ROWS, Entity, contract
from include.sources import load_sources
from include.sources.feeds import Feed, feeds
from include.sources.staging import view_of
from include.warehouse import Row, rows


def unknown_figures() -> list[str]:
    """A line for each entity without rows, and for each entity with columns that no row has: what is missing, and the unknown figures.

    It reads the rows that the last run sees, from the staging views. The warehouse must be up.
    """
    named = {name: entity for name, entity in contract().items() if entity.unknown_without}
    found = feeds(load_sources())
    counted = [_count(name, entity, found[name]) for name, entity in named.items() if name in found]
    known = {row["entity"]: row for row in rows("\nunion all\n".join(counted), tool="summary")} if counted else {}
    return [line for name, entity in named.items() for line in _lines(name, entity, known.get(name))]


def _columns(entity: Entity) -> list[str]:
    return [column for column in entity.unknown_without if column != ROWS]


def _count(name: str, entity: Entity, fed: list[Feed]) -> str:
    """A query of one row: the entity's number of rows, and the number of known values of each column as JSON."""
    columns = _columns(entity)
    counts = ", ".join(f"count({column}) as {column}" for column in columns)
    selected = ", ".join(columns) or "1 as one"
    union = " union all ".join(f"select {selected} from staging.{view_of(source, table)}" for source, table in fed)
    known = f"to_json_string(struct({counts}))" if columns else "'{}'"
    return f"select '{name}' as entity, count(*) as row_count, {known} as known from ({union})"


def _lines(name: str, entity: Entity, counted: Row | None) -> Iterator[str]:
    if counted is None or counted["row_count"] == 0:
        if ROWS in entity.unknown_without:
            yield f"no {name}: {entity.unknown_without[ROWS]}"
        return
    known: Mapping[str, int] = json.loads(counted["known"])
    for column in _columns(entity):
        if known[column] == 0:
            yield f"no {column} in {name}: {entity.unknown_without[column]}"
