"""Loads from a MariaDB server: its types, names, clocks, late rows and deletes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from include.ingestion import LoadError, load, tables
from include.run_context import RunContext
from include.sources import SourceConnection
from include.sources.readers.engines import engine_of
from include.sources.versions import latest, visible
from tests.include.ingestion.world import Proxy, Warehouse, columns, day
from tests.mariadb import PASSWORD, MariaDatabase, running


@pytest.fixture
def database(name: str) -> Iterator[MariaDatabase]:
    base = MariaDatabase(running(), name)
    yield base
    base.close()


def loaded(source: Any, database: MariaDatabase, as_of: int, **changes: Any) -> Any:
    connection = SourceConnection.of(source.connection, database.server.connection(**changes))
    return load(source, connection, RunContext("test", day(as_of))).tables


TYPES = """
create table things (
    id bigint unsigned primary key, flag tinyint(1), amount decimal(20, 4), price double, rate float unsigned, changed datetime(6),
    at timestamp null, born date, wakes time, doc json, word enum('a', 'b'), tags set('x', 'y'), bits bit(1), many bit(10),
    big bigint unsigned, small smallint unsigned, made year, bytes varbinary(16), guid uuid, label varchar(20) character set latin1,
    other_flag tinyint(1), other_amount decimal(30, 12), other_at datetime, other_big bigint unsigned, other_bits bit(3),
    other_time time, other_price double
)
"""
THINGS = {
    "description": "One row per thing.",
    "primary_key": ["id"],
    "event_time": "none",
    "columns": columns(
        id="integer",
        flag="boolean",
        amount="decimal",
        price="float",
        rate="float",
        changed="timestamp",
        at="timestamp",
        born="date",
        wakes="time",
        doc="json",
        word="string",
        tags="string",
        bits="boolean",
        many="integer",
        big="integer",
        small="integer",
        made="integer",
        bytes="string",
        guid="string",
        label="string",
    ),
}
BIGGEST = 2**64 - 1
GUID = "0b2ff5a4-5c1e-4f0e-9f44-8d7c1a4f3e11"


def test_types(warehouse: Warehouse, write_source: Callable[..., Any], database: MariaDatabase, name: str) -> None:
    """Every value is loaded as its declared type. A value that has none, such as 0000-00-00, is kept as text and counted."""
    database.run(TYPES)
    database.run(
        f"insert into things values (1, 1, -12.3456, 0.1, 2.5, '2026-10-01 12:00:00.123456', '2026-10-01 12:00:00', '2026-02-28', '08:30', "
        f"'{{\"a\": [1]}}', 'b', 'x,y', 1, b'1000000001', 9223372036854775807, 65535, 2026, 'text', '{GUID}', 'Größe', "
        "2, 1.000000000001, '2026-10-01 12:00:00', 5, b'101', '-01:30:00', 1e300)"
    )
    database.run("set sql_mode = ''")
    database.run(
        f"insert into things (id, changed, at, born, wakes, word, tags, bits, big, other_at, other_big, other_time, bytes) values "
        f"(2, '0000-00-00', '0000-00-00', '2026-02-00', '838:59:59', 'none of them', '', 0, {BIGGEST}, '0000-00-00', {BIGGEST}, "
        "'838:59:59', x'ff00')"
    )
    database.run(f"insert into things (id) values ({BIGGEST})")
    report = loaded(write_source({"type": "sql", "schema": name}, {"things": THINGS}), database, 2)["things"]
    raw = warehouse.latest(f"raw_{name}.things", order="")
    assert set(raw) == {1, 2}
    assert [(each.reason, f'"id":"{BIGGEST}"' in str(each.payload)) for each in report.rejected] == [
        ("no value for the key id", True)
    ]

    first = {column: value for column, value in raw[1].items() if not column.startswith("_") and value is not None}
    assert first == {
        "id": 1,
        "flag": True,
        "amount": Decimal("-12.3456"),
        "price": 0.1,
        "rate": 2.5,
        "changed": datetime(2026, 10, 1, 12, 0, 0, 123456, UTC),
        "at": datetime(2026, 10, 1, 10, tzinfo=UTC),
        "born": date(2026, 2, 28),
        "wakes": "08:30",
        "doc": '{"a": [1]}',
        "word": "b",
        "tags": "x,y",
        "bits": True,
        "many": 513,
        "big": 2**63 - 1,
        "small": 65535,
        "made": 2026,
        "bytes": "text",
        "guid": GUID,
        "label": "Größe",
        "other_flag": 2,
        "other_amount": Decimal("1"),
        "other_at": datetime(2026, 10, 1, 12, tzinfo=UTC),
        "other_big": 5,
        "other_bits": 5,
        "other_time": "-01:30:00",
        "other_price": 1e300,
    }
    second = {column: value for column, value in raw[2].items() if not column.startswith("_") and value is not None}
    assert second == {
        "id": 2,
        "changed__v_text": "0000-00-00 00:00:00.000000",
        "at__v_text": "0000-00-00 00:00:00",
        "born__v_text": "2026-02-00",
        "wakes__v_text": "838:59:59",
        "word": "",
        "tags": "",
        "bits": False,
        "big__v_text": str(BIGGEST),
        "bytes": "ff00",
        "other_at__v_text": "0000-00-00 00:00:00",
        "other_big__v_text": str(BIGGEST),
        "other_time": "838:59:59",
    }
    assert set(report.columns("type_change")) == {"id", "changed", "at", "born", "wakes", "big", "other_at", "other_big"}


ORDERS = {
    "description": "One row per order.",
    "primary_key": ["organization_id", "order"],
    "cursor": "changed",
    "overlap": "1h",
    "detect_deletes": True,
    "table": "Order`s %d",
    "columns": columns(organization_id="string", order="integer", share="string", changed="timestamp"),
}
for _column, _name in (("organization_id", "Tenant Id"), ("order", "ORDER"), ("share", "50% 'off'"), ("changed", "Changed-At")):
    ORDERS["columns"][_column]["source_name"] = _name  # type: ignore[index]


def test_runs(warehouse: Warehouse, write_source: Callable[..., Any], database: MariaDatabase, name: str) -> None:
    """The cursor is a local time that is read as UTC. Late rows, deletes and rows that return are found by their keys.

    Names of tables and columns may have capitals, blanks and signs. The texts of keys are compared with their capitals.
    """
    database.run(
        "create table `Order``s %%d` (`Tenant Id` varchar(20) collate utf8mb4_general_ci, `ORDER` int, `50%% 'off'` text, "
        "`Changed-At` timestamp(6) null, primary key (`Tenant Id`, `ORDER`))"
    )

    def add(tenant: str, number: int, at: str, share: str = "x") -> None:
        # The session is two hours ahead of UTC.
        database.run(f"insert into `Order``s %%d` values ('{tenant}', {number}, '{share}', '{at}')")

    def live(as_of: int) -> dict[tuple[str, int], str]:
        table = source.tables["parcels"]
        seen = visible(source, table).replace("@as_of", f"timestamp '{day(as_of).isoformat()}'")
        found = warehouse.rows(f"select * from raw_{name}.parcels where {seen} {latest(table)} and not _is_deleted")
        return {(row["organization_id"], row["order"]): row["share"] for row in found}

    for number in range(5):
        add("A", number, f"2026-10-01 1{number}:00:00")
    source = write_source({"type": "sql", "schema": name, "chunk_rows": 2}, {"parcels": ORDERS})
    assert loaded(source, database, 2)["parcels"].rows == 5
    assert warehouse.value(f"select max(changed) from raw_{name}.parcels") == datetime(2026, 10, 1, 12, tzinfo=UTC)

    # The cursor is at 12:00 UTC. One row is new, one is imported with an old time, one is of tomorrow, one is deleted, one has no time.
    add("a", 10, "2026-10-02 10:00:00")
    add("A", 11, "2026-09-01 10:00:00", "late")
    add("A", 12, "2026-10-03 03:00:00")
    database.run("delete from `Order``s %%d` where `ORDER` = 0")
    database.run("insert into `Order``s %%d` values ('B', 13, 'timeless', null)")
    second = loaded(source, database, 3)["parcels"]
    assert (second.rows, second.recovered, second.tombstones) == (5, 1, 1), (
        "two of the last hour, one new, one late, one without a time"
    )
    expected = {("A", number): "x" for number in range(1, 5)} | {("a", 10): "x", ("A", 11): "late", ("B", 13): "timeless"}
    assert live(3) == expected

    # A restore brings the deleted row back, with its former time.
    add("A", 0, "2026-10-01 10:00:00", "restored")
    third = loaded(source, database, 4)["parcels"]
    assert (third.recovered, third.tombstones) == (1, 0)
    assert live(4) == expected | {("A", 0): "restored", ("A", 12): "x"}
    assert live(2)[("A", 0)] == "x"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_lost_connection(
    warehouse: Warehouse, write_source: Callable[..., Any], database: MariaDatabase, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is read again from the start, and its rows are loaded once."""
    monkeypatch.setattr(tables, "FIRST_WAIT_SECONDS", 0.05)
    database.run("create table big (id int primary key, label text)")
    database.run("insert into big select seq, repeat('x', 5000) from seq_1_to_100")
    big = {
        "description": "Long rows.",
        "primary_key": ["id"],
        "event_time": "none",
        "columns": columns(id="integer", label="string"),
    }
    source = write_source({"type": "sql", "schema": name, "chunk_rows": 10}, {"big": big})
    proxy = Proxy(str(database.server.socket), cut_after=100_000)
    try:
        assert loaded(source, database, 2, port=proxy.port)["big"].rows == 100
    finally:
        proxy.close()
    assert proxy.connections > 1
    # The driver cannot close a cursor whose connection is lost, and warns. It warns here, and not in a later test.
    gc.collect()
    assert warehouse.value(f"select count(*) from raw_{name}.big") == 100


def test_errors(warehouse: Warehouse, write_source: Callable[..., Any], database: MariaDatabase, name: str) -> None:
    """A message names the cause and no secret."""
    gone = {
        "description": "A table that is not there.",
        "primary_key": ["id"],
        "event_time": "none",
        "columns": columns(id="integer"),
    }
    source = write_source({"type": "sql", "schema": name}, {"gone": gone})
    with pytest.raises(LoadError, match=rf"gone: the database has no table {name}.gone"):
        loaded(source, database, 2)
    with pytest.raises(LoadError, match=r"database cannot be reached: .*Access denied for user 'reader'"):
        loaded(source, database, 2, password="wrong")
    with pytest.raises(LoadError, match=r"is of type pigeon, which SQLAlchemy does not know.*sqlalchemy_scheme"):
        loaded(source, database, 2, conn_type="pigeon")
    with pytest.raises(
        LoadError, match=r"needs the Python package MySQLdb, which is not installed: it reads mysql\+mysqldb"
    ) as caught:
        loaded(source, database, 2, extra={"sqlalchemy_scheme": "mysql+mysqldb"})
    assert PASSWORD not in str(caught.value)


def test_connection_of_airflow(monkeypatch: pytest.MonkeyPatch, database: MariaDatabase) -> None:
    """A URI of type mysql, and options of the driver in the extra."""
    server = database.server
    uri = f"mysql://reader:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}/{database.name}"
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", uri)
    for connection in (
        SourceConnection.from_airflow("shop"),
        SourceConnection.of("shop", server.connection(extra={"sqlalchemy_query": {"unix_socket": str(server.socket)}}, port=1)),
        SourceConnection.of("shop", server.connection(conn_type="generic", extra={"sqlalchemy_scheme": "mariadb+pymysql"})),
    ):
        engine = engine_of(connection)
        with engine.connect() as session:
            assert session.exec_driver_sql("select @@session.time_zone").scalar_one() == "+00:00"
        engine.dispose()
