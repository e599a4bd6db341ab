"""No load has an as-of time in the future, and the state that an earlier one has left is replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.ingestion import LoadError, load, loading
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.test_missing_rows import PARCELS
from tests.include.ingestion.world import Database, Warehouse, day


@pytest.fixture
def connection(database: Database, name: str) -> SourceConnection:
    database.run("create table parcels (organization_id text, day date, number int, item text, updated_at timestamptz)")
    for number in range(10):
        database.run("insert into parcels values ('org', '2026-09-30', %s, 'x', %s)", number, day(1, number))
    return SourceConnection.of(name, database.connection())


def test_a_future_day_is_refused(
    warehouse: Warehouse, write_source: Callable[..., Any], connection: SourceConnection, name: str
) -> None:
    """Nothing is created and nothing is read. A day from now is allowed: it is today somewhere."""
    source = write_source({"type": "sql", "schema": name}, {"parcels": PARCELS})
    now = datetime.now(UTC)
    with pytest.raises(LoadError, match=rf"{name} is not loaded for 2062-10-01 00:00 UTC: .* more than a day in the future"):
        load(source, connection, RunContext("test", datetime(2062, 10, 1, tzinfo=UTC)))
    with pytest.raises(LoadError, match="more than a day in the future"):
        load(source, connection, RunContext("test", now + timedelta(days=1, minutes=5)))
    assert f"raw_{name}" not in {item.dataset_id for item in warehouse.client.list_datasets()}
    assert load(source, connection, RunContext("test", now + timedelta(hours=23))).rows == 10


def test_a_state_of_the_future_is_replaced(
    warehouse: Warehouse,
    write_source: Callable[..., Any],
    database: Database,
    connection: SourceConnection,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A version without the check was run for 2062. One load reads the table whole, and the next only what is new."""
    source = write_source({"type": "sql", "schema": name}, {"parcels": PARCELS})
    database.run("insert into parcels values ('org', '2026-09-30', 99, 'x', '2061-01-01')")

    def rows(as_of: int) -> int:
        return load(source, connection, RunContext("test", day(as_of))).rows

    assert rows(2) == 10
    with monkeypatch.context() as former:
        former.setattr(loading, "latest_as_of", lambda: datetime(2100, 1, 1, tzinfo=UTC))
        load(source, connection, RunContext("test", datetime(2062, 10, 1, tzinfo=UTC)))
    database.run("insert into parcels values ('org', '2026-09-30', 20, 'x', %s)", day(2, 1))
    assert rows(3) == 11, "the table is read whole"
    database.run("insert into parcels values ('org', '2026-09-30', 21, 'x', %s)", day(3, 1))
    assert rows(4) == 2, "an hour before the cursor, and the new row"
