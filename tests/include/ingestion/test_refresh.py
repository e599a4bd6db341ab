"""Refreshes between two nightly runs load fewer tables with less overlap. The next nightly run does not read tables whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from include.ingestion import load
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.world import Database, Warehouse, columns, day

TABLE = {
    "description": "One row per customer.",
    "primary_key": ["organization_id", "id"],
    "cursor": "updated_at",
    "overlap": "24h",
    "detect_deletes": True,
    "columns": columns(id="string", organization_id="string", age="integer", updated_at="timestamp"),
}


@pytest.fixture
def source(write_source: Callable[..., Any], database: Database, name: str) -> Any:
    for table in ("customers", "others"):
        database.run(f"create table {table} (id text, organization_id text, age bigint, updated_at timestamptz)")
        for number in range(100):
            database.run(f"insert into {table} values (%s, 'org', %s, %s)", f"c{number:03d}", number, day(1, number % 4))
    return write_source({"type": "sql", "schema": name}, {"customers": TABLE, "others": TABLE})


def test_nightly_run_after_refreshes_with_a_later_as_of_time(
    warehouse: Warehouse, source: Any, database: Database, name: str
) -> None:
    connection = SourceConnection.of(source.connection, database.connection())
    only = source.only({"customers"}, overlap=timedelta(minutes=15))

    def loaded(part: Any, as_of: datetime) -> Any:
        return load(part, connection, RunContext("test", as_of)).tables

    def change(customer: str, at: datetime) -> None:
        database.run("update customers set age = age + 1000, updated_at = %s where id = %s", at, customer)

    loaded(source, day(2))
    change("c001", day(2, 9))
    refresh = loaded(only, day(2, 10))
    assert set(refresh) == {"customers"}
    # The nightly run's last cursor value is 03:00: 25 customers changed then. A nightly run would read from a day earlier.
    assert refresh["customers"].rows == 25 + 1
    change("c002", day(2, 22))
    database.run("delete from customers where id = 'c050'")
    # Each refresh reads from 15 minutes before the last cursor value.
    assert (loaded(only, day(2, 23))["customers"].rows, loaded(only, day(3, 1))["customers"].rows) == (2, 1)
    change("c003", day(3) + timedelta(minutes=90))
    loaded(only, day(3, 2))

    nightly = loaded(source, day(3))
    # The last load that is not later has the as-of time 23:00. The nightly run reads from a day before: two changes.
    assert nightly["customers"].rows == 2
    assert nightly["others"].rows == 100, "its own cursor is at 03:00 of the first day, minus the overlap of a day"
    raw = f"raw_{name}"
    seen = warehouse.rows(
        f"select id, age from (select * from {raw}.customers where updated_at < timestamp '2026-10-03' "
        "qualify row_number() over (partition by id order by updated_at desc, _extracted_at desc, _is_deleted desc) = 1) "
        "where not _is_deleted and (age >= 1000 or id = 'c003') order by id"
    )
    assert [(row["id"], row["age"]) for row in seen] == [("c001", 1001), ("c002", 1002), ("c003", 3)]
    assert warehouse.value(f"select count(*) from {raw}.customers where _is_deleted") == 1
    assert loaded(source, day(1, 12))["customers"].rows == 96, "a backfill of more than a day reads all rows that existed then"
