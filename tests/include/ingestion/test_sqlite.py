"""Any database that SQLAlchemy and dlt read can be a source: here SQLite, which the reader has no settings for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from include.ingestion import load
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.world import Warehouse, columns, day

NOTES = {
    "description": "One row per note.",
    "primary_key": ["shelf", "id"],
    "cursor": "changed",
    "overlap": "1h",
    "detect_deletes": True,
    "columns": columns(shelf="string", id="integer", amount="decimal", doc="json", changed="timestamp"),
}
NOTES["columns"]["shelf"]["source_name"] = "Shelf"  # type: ignore[index]


def test_runs(warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str) -> None:
    """Late rows and deletes are found by their keys, as in other databases."""
    path = tmp_path / "notes.sqlite"
    with sqlite3.connect(path) as database:
        database.execute('create table notes ("Shelf" text, id int, amount numeric(10, 2), doc json, changed datetime)')
    source = write_source({"type": "sql", "schema": "main"}, {"notes": NOTES})
    connection = SourceConnection.of(name, {"conn_type": "sqlite", "schema": str(path)})

    def loaded(as_of: int, *statements: str) -> Any:
        with sqlite3.connect(path) as database:
            for sql in statements:
                database.execute(sql)
        return load(source, connection, RunContext("test", day(as_of))).tables["notes"]

    insert = "insert into notes values ('{}', {}, 1.50, '{{\"a\": 1}}', '2026-10-0{} 12:00:00')"
    assert loaded(2, insert.format("a", 1, 1), insert.format("b", 4, 1), insert.format("c", 5, 5)).rows == 2
    second = loaded(
        3,
        insert.format("b", 2, 2),
        insert.format("late", 3, 1).replace("10-01", "09-01"),
        "delete from notes where \"Shelf\" = 'a'",
    )
    assert (second.rows, second.recovered, second.tombstones) == (3, 1, 1)
    live = warehouse.latest(f"raw_{name}.notes", "id", "greatest(coalesce(_restored_at, changed), changed) desc, ")
    assert set(live) == {2, 3, 4}
    row = live[3]
    assert (str(row["amount"]), row["doc"], row["changed"].isoformat()) == (
        "1.500000000",
        '{"a": 1}',
        "2026-09-01T12:00:00+00:00",
    )
