"""Rows that the source holds and raw lacks are found by a comparison of keys, and loaded in the same run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import load, tables
from include.ingestion.delete_detection import keys_of
from include.run_context import RunContext
from include.sources import SourceConnection, Table
from include.sources.readers import sql
from include.sources.versions import latest, visible
from tests.include.ingestion.world import Database, Proxy, Warehouse, columns, day

PARCELS = {
    "description": "One row per parcel.",
    "primary_key": ["organization_id", "day", "number"],
    "cursor": "updated_at",
    "overlap": "1h",
    "detect_deletes": True,
    "columns": columns(organization_id="string", day="date", number="integer", item="string", updated_at="timestamp"),
}


def loaded(source: Any, database: Database, as_of: int, **more: Any) -> Any:
    connection = SourceConnection.of(source.connection, database.connection())
    return load(source, connection, RunContext("test", day(as_of), **more)).tables["parcels"]


@pytest.fixture
def source(write_source: Callable[..., Any], database: Database, name: str) -> Any:
    database.run("create table parcels (organization_id uuid, day date, number int, item text, updated_at timestamptz)")
    for number in range(10):
        add(database, number, day(1, number))
    return write_source({"type": "sql", "schema": name}, {"parcels": PARCELS})


ORGANIZATION = "0b2ff5a4-5c1e-4f0e-9f44-8d7c1a4f3e11"


def add(database: Database, number: int, at: Any, item: str = "x") -> None:
    database.run("insert into parcels values (%s, '2026-09-30', %s, %s, %s)", ORGANIZATION, number, item, at)


def live(warehouse: Warehouse, source: Any, as_of: int) -> dict[int, str]:
    """Number → item of the rows that a run sees."""
    table = source.tables["parcels"]
    seen = visible(source, table).replace("@as_of", f"timestamp '{day(as_of).isoformat()}'")
    found = warehouse.rows(f"select * from {source.dataset}.parcels where {seen} {latest(table)} and not _is_deleted")
    return {row["number"]: row["item"] for row in found}


def test_rows_that_the_cursor_has_missed(
    warehouse: Warehouse, source: Any, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key has a UUID, a date and a number: the database compares their texts with its own types."""
    monkeypatch.setattr(sql, "KEYS_AT_ONCE", 2)
    assert loaded(source, database, 2).rows == 10
    # Three rows are imported with times before the cursor. One row is new, one is too new for this run.
    for number in (20, 21, 22):
        add(database, number, day(1).replace(month=9))
    add(database, 30, day(2, 1))
    add(database, 40, day(3, 1))
    second = loaded(source, database, 3)
    # The cursor is at 09:00, and the overlap is an hour: two rows are read again.
    assert (second.rows, second.recovered, second.tombstones) == (2 + 1 + 3, 3, 0)
    assert set(live(warehouse, source, 3)) == {*range(10), 20, 21, 22, 30}
    assert (row := warehouse.rows(f"select * from ops.loads where source = '{name}' order by batch_id")[-1])
    assert (row["rows_loaded"], row["rows_recovered"]) == (6, 3)
    third = loaded(source, database, 4)
    assert (third.rows, third.recovered) == (2, 0), "the cursor has not moved back, and nothing is read twice"
    assert loaded(source, database, 4, full_refresh=True).recovered == 0


def test_a_row_returns_after_its_deletion(warehouse: Warehouse, source: Any, database: Database) -> None:
    """A restore brings back the former time of change, or an earlier one. The row follows its tombstone all the same."""
    loaded(source, database, 2)
    database.run("delete from parcels where number in (1, 2, 9)")
    assert loaded(source, database, 3).tombstones == 3
    add(database, 1, day(1, 1))
    add(database, 2, day(1, 0), item="older")
    add(database, 9, day(1, 9))
    back = loaded(source, database, 4)
    # The window from 08:00 holds row 8, and row 9, which has returned. Rows 1 and 2 are read by key.
    assert (back.rows, back.recovered, back.tombstones) == (4, 2, 0)
    assert live(warehouse, source, 4) == dict.fromkeys(range(10), "x") | {2: "older"}
    assert live(warehouse, source, 2) == dict.fromkeys(range(10), "x"), (
        "a backfill before the deletion sees the version of that day"
    )
    assert loaded(source, database, 5).recovered == 0

    # A change follows the row that has returned, and so does the next deletion.
    database.run("update parcels set item = 'new', updated_at = %s where number = 1", day(5, 1))
    database.run("delete from parcels where number = 2")
    loaded(source, database, 6)
    assert live(warehouse, source, 6) == dict.fromkeys(set(range(10)) - {2}, "x") | {1: "new"}
    # A full refresh reads a row that has returned, too.
    database.run("delete from parcels where number = 3")
    loaded(source, database, 7)
    add(database, 3, day(1, 3), item="again")
    loaded(source, database, 8, full_refresh=True)
    assert live(warehouse, source, 8)[3] == "again"


def test_the_connection_is_lost_while_missing_rows_are_read(
    warehouse: Warehouse, source: Any, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read again, and loaded once."""
    monkeypatch.setattr(tables, "FIRST_WAIT_SECONDS", 0.05)
    loaded(source, database, 2)
    for number in range(100, 200):
        add(database, number, day(1), item="x" * 5000)
    known = database.connection()
    proxy = Proxy(f"{known['host']}/.s.PGSQL.5432", cut_after=100_000)
    try:
        connection = SourceConnection.of(name, known | {"host": "127.0.0.1", "port": proxy.port})
        report = load(source, connection, RunContext("test", day(3))).tables["parcels"]
    finally:
        proxy.close()
    assert proxy.connections > 1
    assert (report.rows, report.recovered) == (102, 100)
    assert warehouse.value(f"select count(*) from raw_{name}.parcels where number >= 100") == 100


def test_a_file_brings_a_row_back(warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path) -> None:
    """The rows of a file have a time of change of their own: a row that returns with the same time follows its tombstone."""
    table = {key: value for key, value in PARCELS.items() if key not in {"cursor", "overlap"}} | {"glob": "parcels.csv"}
    source = write_source({"type": "files", "formats": ["csv"]}, {"parcels": table})
    connection = SourceConnection.of(source.connection, {"extra": {"url": str(tmp_path)}})
    row = "org,2026-09-30,{},x,2026-09-30T10:00:00Z\n"

    def deliver(as_of: int, *numbers: int) -> dict[int, str]:
        lines = "".join(row.format(number) for number in numbers)
        (tmp_path / "parcels.csv").write_text("organization_id,day,number,item,updated_at\n" + lines)
        load(source, connection, RunContext("test", day(as_of)))
        return live(warehouse, source, as_of)

    assert deliver(2, 1, 2) == {1: "x", 2: "x"}
    assert deliver(3, 1) == {1: "x"}
    assert deliver(4, 1, 2) == {1: "x", 2: "x"}


def test_a_bar_in_a_key() -> None:
    """A key as text may mean several keys: all are asked for."""
    table = Table.model_validate(PARCELS)
    assert list(keys_of(table, ["o|d|1"])) == [("o", "d", "1")]
    assert sorted(keys_of(table, ["o|x|d|1"])) == [("o", "x", "d|1"), ("o", "x|d", "1"), ("o|x", "d", "1")]
