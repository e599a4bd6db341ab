"""A cursor, key or required column without values stops its table. A nullable column that was missing is read when it is back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import LoadError, load
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.test_rest import BEARER
from tests.include.ingestion.world import Api, Database, Warehouse, columns, day

ITEMS = {
    "description": "One row per item.",
    "primary_key": ["id"],
    "cursor": "updated_at",
    "overlap": "1h",
    "columns": columns(id="string", name="string", colour="string", updated_at="timestamp"),
}
ITEMS["columns"]["name"]["nullable"] = False  # type: ignore[index]


def loaded(source: Any, database: Database, as_of: int) -> Any:
    connection = SourceConnection.of(source.connection, database.connection())
    return load(source, connection, RunContext("test", day(as_of))).tables


@pytest.fixture
def source(write_source: Callable[..., Any], database: Database, name: str) -> Any:
    for table in ("items", "others"):
        database.run(f"create table {table} (id text, name text, colour text, updated_at timestamptz)")
        database.run(f"insert into {table} select i::text, 'n', 'red', '2026-10-01' from generate_series(1, 30) as i")
    return write_source({"type": "sql", "schema": name}, {"items": ITEMS, "others": ITEMS})


@pytest.mark.parametrize(
    ("damage", "repair", "message"),
    [
        (
            "alter table items rename updated_at to changed_at",
            "alter table items rename changed_at to updated_at",
            r"updated_at \(the cursor\) is missing in all 31 rows.*items.columns.<column>.source_name.* undeclared: changed_at",
        ),
        (
            "alter table items rename id to item_id",
            "alter table items rename item_id to id",
            r"id \(a key\) is missing in all 31 rows",
        ),
        (
            "alter table items drop name",
            "alter table items add name text default 'n'",
            r"name \(nullable: false\) is missing in all 31 rows",
        ),
        (
            "update items set name = null where id::int > 15",
            "update items set name = 'n'",
            r"name \(nullable: false\) has no value of type string in 16 of 31 rows",
        ),
    ],
    ids=["cursor", "key", "column", "values"],
)
def test_table_stops(
    warehouse: Warehouse, source: Any, database: Database, name: str, damage: str, repair: str, message: str
) -> None:
    """Nothing of the table is loaded, and its cursor does not move. The other table goes on."""
    loaded(source, database, 2)
    for table in ("items", "others"):
        database.run(f"insert into {table} values ('31', 'n', 'red', '2026-10-02')")
    database.run(damage)
    with pytest.raises(LoadError, match=r"1 of 2 tables of .* failed \(1 loaded\):\nitems: .*" + message):
        loaded(source, database, 3)
    assert warehouse.value(f"select count(*) from raw_{name}.items") == 30
    assert "31" in warehouse.latest(f"raw_{name}.others")
    loads = warehouse.rows(f"select table_name from ops.loads where batch_id = '{name}@2026-10-03T000000Z'")
    assert [row["table_name"] for row in loads] == ["others"]
    database.run(repair)
    assert loaded(source, database, 3)["items"].rows == 31
    assert warehouse.latest(f"raw_{name}.items")["31"]["name"] == "n"


def test_rows_that_never_had_a_cursor_value_do_not_stop_a_table(
    warehouse: Warehouse, source: Any, database: Database, name: str
) -> None:
    """The SQL reader reads them in each run. Beside a few changes they are most of the rows."""
    database.run("update items set updated_at = '2026-09-01' where id::int > 1")
    database.run("insert into items select 'old' || i, 'n', 'red', null from generate_series(1, 25) as i")
    assert loaded(source, database, 2)["items"].rows == 55
    assert loaded(source, database, 3)["items"].rows == 1 + 25


def test_rows_are_read_again_when_a_column_is_back(warehouse: Warehouse, source: Any, database: Database, name: str) -> None:
    """The rows of two runs came without a column. When it is back, they are read again, and no earlier rows."""
    loaded(source, database, 2)
    database.run("alter table items rename colour to hidden")
    for number in (2, 3):
        values = f"('a{number}', 'n', 'blue', '2026-10-0{number}')"
        database.run(f"insert into items values {values}")
        database.run(f"insert into others values {values}")
        assert loaded(source, database, number + 1)["items"].changes[-1].change == "missing_column"
    assert warehouse.latest(f"raw_{name}.items")["a3"]["colour"] is None
    database.run("alter table items rename hidden to colour")
    back = loaded(source, database, 5)
    # The first window without the column began an hour before the first cursor: all rows of that time are read.
    assert (back["items"].rows, back["others"].rows) == (32, 1)
    colours = {key: row["colour"] for key, row in warehouse.latest(f"raw_{name}.items").items()}
    assert (colours["1"], colours["a2"], colours["a3"]) == ("red", "blue", "blue")
    assert loaded(source, database, 6)["items"].rows == 1


def test_an_api_leaves_out_a_column(warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str) -> None:
    """The rows of the first load came without it, so the whole resource is read again."""
    source = write_source(BEARER, {"items": ITEMS})
    rows = [{"id": str(n), "name": "n", "updated_at": f"2026-10-01T{n:02}:00:00Z"} for n in range(20)]
    connection = SourceConnection.of(name, api.connection())
    api.resources["items"] = rows
    load(source, connection, RunContext("test", day(2)))
    api.resources["items"] = [row | {"colour": "red"} for row in rows]
    assert load(source, connection, RunContext("test", day(3))).tables["items"].rows == 20
    assert load(source, connection, RunContext("test", day(4))).tables["items"].rows == 2
    assert {row["colour"] for row in warehouse.latest(f"raw_{name}.items").values()} == {"red"}


def test_a_cursor_whose_values_cannot_be_read(
    warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str
) -> None:
    source = write_source(BEARER, {"items": ITEMS})
    api.resources["items"] = [{"id": str(n), "name": "n", "updated_at": 1_790_000_000 + n} for n in range(30)]
    with pytest.raises(LoadError, match=r"updated_at \(the cursor\) has no value of type timestamp in 30 of 30 rows"):
        load(source, SourceConnection.of(name, api.connection()), RunContext("test", day(2)))
    assert warehouse.value(f"select count(*) from raw_{name}.items") == 0


def test_a_file_without_a_required_column(
    warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    """It is not remembered as read: the corrected file, and the same file under a corrected declaration, are loaded."""
    table = {key: value for key, value in ITEMS.items() if key not in {"cursor", "overlap"}} | {"glob": "*.csv"}
    source = write_source({"type": "files", "formats": ["csv"]}, {"items": table})
    connection = SourceConnection.of(name, {"extra": {"url": str(tmp_path)}})
    (tmp_path / "items.csv").write_text("id,label,updated_at\n1,n,2026-10-01T00:00:00Z\n")
    for _ in range(2):
        with pytest.raises(LoadError, match=r"items: name \(nullable: false\) is missing in all 1 rows.*undeclared: label"):
            load(source, connection, RunContext("test", day(2)))
    renamed = {**table, "columns": {**table["columns"], "name": {**table["columns"]["name"], "source_name": "label"}}}
    source = write_source({"type": "files", "formats": ["csv"]}, {"items": renamed})
    assert load(source, connection, RunContext("test", day(2))).rows == 1
