"""A table may name a connection of its own: here PostgreSQL for one, MariaDB for the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from include.ingestion import LoadError, load
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.world import Database, Warehouse, columns, day
from tests.mariadb import PASSWORD, MariaDatabase, running

ITEMS = {
    "description": "One row per item.",
    "primary_key": ["id"],
    "cursor": "updated_at",
    "overlap": "1h",
    "detect_deletes": True,
    "columns": columns(id="string", updated_at="timestamp"),
}


@pytest.fixture
def other(name: str) -> Iterator[MariaDatabase]:
    base = MariaDatabase(running(), name)
    yield base
    base.close()


def test_two_databases(
    warehouse: Warehouse,
    write_source: Callable[..., Any],
    database: Database,
    other: MariaDatabase,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Changes, late rows and deletes of both are found. If one cannot be reached, only its tables fail."""
    database.run("create table items (id text, updated_at timestamptz)")
    database.run("insert into items values ('p1', %s), ('p2', %s)", day(1), day(1))
    other.run("create table others (id varchar(9), updated_at timestamp null)")
    other.run("insert into others values ('m1', '2026-10-01 02:00:00'), ('m2', '2026-10-01 02:00:00')")
    tables = {"items": ITEMS, "others": ITEMS | {"connection": "other_shop", "schema": other.name}}
    source = write_source({"type": "sql", "schema": name}, tables)
    connection = SourceConnection.of(name, database.connection())

    def loaded(as_of: int) -> dict[str, Any]:
        found = load(source, connection, RunContext("test", day(as_of))).tables
        return {table: (report.rows, report.recovered, report.tombstones) for table, report in found.items()}

    monkeypatch.setenv("AIRFLOW_CONN_OTHER_SHOP", json.dumps(other.server.connection()))
    assert loaded(2) == {"items": (2, 0, 0), "others": (2, 0, 0)}
    database.run("delete from items where id = 'p1'")
    database.run("insert into items values ('late', '2026-09-01 00:00:00Z')")
    other.run("delete from others where id = 'm1'")
    other.run("insert into others values ('late', '2026-09-01 02:00:00')")
    assert loaded(3) == {"items": (2, 1, 1), "others": (2, 1, 1)}
    assert set(warehouse.latest(f"raw_{name}.others")) == {"m2", "late"}

    monkeypatch.setenv("AIRFLOW_CONN_OTHER_SHOP", json.dumps(other.server.connection(port=1)))
    database.run("insert into items values ('p3', %s)", day(3))
    with pytest.raises(
        LoadError, match=r"1 of 2 tables .*\(1 loaded\):\nothers: connection other_shop: .*cannot be reached"
    ) as caught:
        loaded(4)
    assert PASSWORD not in str(caught.value)
    assert set(warehouse.latest(f"raw_{name}.items")) == {"p2", "late", "p3"}
    monkeypatch.delenv("AIRFLOW_CONN_OTHER_SHOP")
    with pytest.raises(LoadError, match=r"others: connection other_shop: .*no Airflow connection 'other_shop'"):
        loaded(4)
