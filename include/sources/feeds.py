"""Which tables of which sources feed an entity of the contract."""

from __future__ import annotations

from collections.abc import Mapping

from include.sources.schema import Source, Table

#: A source, and its table that feeds an entity.
Feed = tuple[Source, Table]


def feeds(sources: Mapping[str, Source]) -> dict[str, list[Feed]]:
    """Entity → the tables that feed it. A table that is no entity of the contract feeds the entity of its own name."""
    found: dict[str, list[Feed]] = {}
    for source in sources.values():
        for table in source.tables.values():
            found.setdefault(table.entity or table.name, []).append((source, table))
    return found
