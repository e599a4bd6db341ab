"""Loads from a SQL database over several runs: late rows, deletes, schema drift and killed processes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.ingestion import LoadError, load, tables
from include.run_context import RunContext
from include.settings import settings
from include.sources import SourceConnection
from include.sources.versions import latest
from tests.include.ingestion.world import PASSWORD, Database, Proxy, Warehouse, columns, day, dies

CUSTOMERS = {
    "description": "One row per customer.",
    "primary_key": ["organization_id", "id"],
    "cursor": "updated_at",
    "overlap": "24h",
    "detect_deletes": True,
    "columns": columns(
        id="string", organization_id="string", age="integer", balance="decimal", born="date", wakes="time", updated_at="timestamp"
    ),
}
EMPTY = {
    "description": "A table without rows.",
    "primary_key": ["id"],
    "cursor": "updated_at",
    "columns": columns(id="integer", score="float", good="boolean", notes="json", updated_at="timestamp"),
}
CREATE = (
    "create table customers (id text, organization_id text, age bigint, balance numeric(12,2), born date, wakes time, "
    "updated_at timestamptz)"
)
INSERT = "insert into customers values (%s, 'org', %s, %s, '1990-05-01', '06:30', %s)"


@pytest.fixture
def source(write_source: Callable[..., Any], database: Database, name: str) -> Any:
    database.run(CREATE)
    for number in range(100):
        database.run(INSERT, f"c{number:03d}", number, f"{number}.50", day(1, number % 4))
    database.run("create table empty (id bigint, score float, good boolean, notes jsonb, updated_at timestamptz)")
    return write_source({"type": "sql", "schema": name}, {"customers": CUSTOMERS, "empty": EMPTY})


def loaded(source: Any, database: Database, as_of: int, **more: Any) -> Any:
    connection = SourceConnection.of(source.connection, database.connection())
    return load(source, connection, RunContext("test", day(as_of), **more))


def test_consecutive_runs(warehouse: Warehouse, source: Any, database: Database, name: str) -> None:
    raw = f"raw_{name}"

    first = loaded(source, database, 2)
    assert (first.tables["customers"].rows, first.tables["empty"].rows) == (100, 0)
    row = warehouse.latest(f"{raw}.customers")["c007"]
    assert (row["age"], str(row["balance"]), str(row["born"]), row["wakes"]) == (7, "7.500000000", "1990-05-01", "06:30")
    assert row["_batch_id"] == f"{name}@2026-10-02T000000Z"
    assert row["_source_file_id"] == f"customers@{row['_batch_id']}"
    assert row["_extracted_at"] <= row["_loaded_at"]
    assert row["_dlt_load_id"]
    # A table without rows is created as declared.
    table = warehouse.client.get_table(f"{warehouse.client.project}.{raw}.empty")
    kinds = {field.name: field.field_type for field in table.schema}
    # The API uses the type names of legacy SQL or of GoogleSQL.
    assert kinds["id"] in {"INTEGER", "INT64"}
    assert kinds["score"] in {"FLOAT", "FLOAT64"}
    assert kinds["good"] in {"BOOLEAN", "BOOL"}
    assert kinds["notes"] == "STRING"
    assert table.time_partitioning.field == "_loaded_at"
    assert table.clustering_fields == ["id"]

    # Second run: one row changed, one is new, one was committed late, one is too new for this run, one was deleted.
    database.run("update customers set age = 700, updated_at = %s where id = 'c007'", day(2, 5))
    database.run(INSERT, "new", 1, "1", day(2, 6))
    database.run(INSERT, "late", 1, "1", day(1, 1))
    database.run(INSERT, "tomorrow", 1, "1", day(3))
    database.run("delete from customers where id = 'c050'")
    shutil.rmtree(settings().state_dir / "dlt")
    second = loaded(source, database, 3)
    report = second.tables["customers"]
    assert report.tombstones == 1
    # The cursor is at 03:00 of the first day, and the overlap is a day: all rows except `tomorrow` are read again.
    assert report.rows == 101
    customers = warehouse.latest(f"{raw}.customers")
    assert set(customers) == {f"c{n:03d}" for n in range(100) if n != 50} | {"new", "late"}
    assert customers["c007"]["age"] == 700
    (tombstone,) = warehouse.rows(f"select * from {raw}.customers where _is_deleted")
    assert (tombstone["id"], tombstone["organization_id"], tombstone["age"]) == ("c050", "org", None)
    assert tombstone["updated_at"].isoformat() == "2026-10-02T23:59:59.999999+00:00"

    # Third run: the cursor is now on the second day, so rows of the first day are not read again.
    third = loaded(source, database, 4)
    assert (third.tables["customers"].rows, third.tables["customers"].tombstones) == (3, 0)
    assert "tomorrow" in warehouse.latest(f"{raw}.customers")
    loads = warehouse.rows(f"select * from ops.loads where source = '{name}' and table_name = 'customers' order by batch_id")
    assert [(r["rows_loaded"], r["rows_deleted"], r["rows_rejected"]) for r in loads] == [(100, 0, 0), (101, 1, 0), (3, 0, 0)]

    # A backfill for the first run reads all rows, because older versions of rows may be visible again.
    database.run("update customers set age = 7, updated_at = %s where id = 'c007'", day(1, 7))
    database.run("delete from customers where updated_at >= %s", day(2))
    back = loaded(source, database, 2)
    assert back.tables["customers"].rows == 100
    # At that time c050 was live in raw, but the source no longer holds it.
    assert back.tables["customers"].tombstones == 1
    again = loaded(source, database, 4, full_refresh=True)
    assert again.tables["customers"].rows == 100


def test_two_tenants_with_the_same_ids(
    warehouse: Warehouse, write_source: Callable[..., Any], database: Database, name: str
) -> None:
    """Each tenant keeps its row. A change or deletion by one tenant does not touch the other's row."""
    database.run(CREATE)
    plans = {"primary_key": ["organization_id", "id"], "columns": columns(id="string", organization_id="string", price="integer")}
    plans |= {"description": "One row per plan, without a cursor.", "event_time": "none", "detect_deletes": True}
    database.run("create table plans (id text, organization_id text, price bigint)")
    for tenant, number in (("a", 1), ("b", 2)):
        for row in ("same", "gone"):
            values = (row, tenant, number, day(1))
            database.run("insert into customers (id, organization_id, age, updated_at) values (%s, %s, %s, %s)", *values)
            database.run("insert into plans values (%s, %s, %s)", row, tenant, number)
    source = write_source({"type": "sql", "schema": name}, {"customers": CUSTOMERS, "plans": plans})
    first = loaded(source, database, 2)
    assert [first.tables[table].rows for table in ("customers", "plans")] == [4, 4]

    for table in ("customers", "plans"):
        database.run(f"delete from {table} where id = 'gone' and organization_id = 'a'")
    database.run("update customers set age = 10, updated_at = %s where organization_id = 'a'", day(2, 1))
    database.run("update plans set price = 10 where organization_id = 'a'")
    second = loaded(source, database, 3)
    assert [second.tables[table].tombstones for table in ("customers", "plans")] == [1, 1]
    assert second.tables["plans"].rows == 1, "only the row that tenant a changed"
    for table, value in (("customers", "age"), ("plans", "price")):
        tombstones = warehouse.rows(f"select organization_id, id from raw_{name}.{table} where _is_deleted")
        assert [dict(row) for row in tombstones] == [{"organization_id": "a", "id": "gone"}]
        declared = source.tables[table]
        live = warehouse.rows(f"select * from raw_{name}.{table} {latest(declared)} and not _is_deleted")
        assert {(row["organization_id"], row["id"]): row[value] for row in live} == {
            ("a", "same"): 10,
            ("b", "same"): 2,
            ("b", "gone"): 2,
        }


def test_a_warehouse_whose_keys_lacked_the_tenant_goes_on(
    warehouse: Warehouse, write_source: Callable[..., Any], database: Database, name: str
) -> None:
    """No row is lost or doubled. A deletion that the former key hid is found.

    The former tombstone of `lone` has no tenant, so this row is deleted once more.
    """
    database.run(CREATE)
    for tenant, row in (("a", "same"), ("b", "same"), ("a", "gone"), ("b", "gone"), ("a", "lone")):
        database.run("insert into customers (id, organization_id, updated_at) values (%s, %s, %s)", row, tenant, day(1))
    source = write_source({"type": "sql", "schema": name}, {"customers": CUSTOMERS})
    former = source.tables["customers"].model_copy(update={"primary_key": ("id",)})
    before = source.model_copy(update={"tables": {"customers": former}})
    assert loaded(before, database, 2).tables["customers"].rows == 5
    database.run("delete from customers where organization_id = 'a' and id in ('gone', 'lone')")
    assert loaded(before, database, 3).tables["customers"].tombstones == 1, "the other tenant's row hides the deletion of `gone`"
    assert loaded(source, database, 4).tables["customers"].tombstones == 2, "`gone` and `lone` of the first tenant"
    assert loaded(source, database, 5).tables["customers"].tombstones == 0
    live = warehouse.rows(f"select * from raw_{name}.customers {latest(source.tables['customers'])} and not _is_deleted")
    assert sorted((row["organization_id"], row["id"]) for row in live) == [("a", "same"), ("b", "gone"), ("b", "same")]


def test_drift_is_kept_reported_and_never_fatal(
    warehouse: Warehouse, source: Any, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = f"raw_{name}"
    loaded(source, database, 2)
    database.run("alter table customers add column nickname text, add column shoe_size int, add column rate numeric")
    database.run("alter table customers alter column age type text using age::text")
    database.run("alter table customers drop column born")
    database.run(
        "update customers set nickname = 'x' || id, shoe_size = 40, rate = 1.0 / 3, age = 'about ' || age, updated_at = %s where id < 'c003'",
        day(2, 2),
    )
    database.run("update customers set balance = 'NaN', updated_at = %s where id = 'c020'", day(2, 2))
    database.run(
        "insert into customers (organization_id, id, age, updated_at) values ('org', null, '5', %s), ('org', 'huge', %s, %s), "
        "(null, 'stray', '6', %s)",
        day(2, 3),
        "9" * 30,
        day(2),
        day(2),
    )
    sent: list[str] = []
    query = Client.query
    with monkeypatch.context() as patch:
        patch.setattr(Client, "query", lambda self, sql, *a, **k: (sent.append(sql), query(self, sql, *a, **k))[1])
        report = loaded(source, database, 3).tables["customers"]
    (change,) = [sql for sql in sent if sql.startswith("alter table")]
    assert change.count("add column") == 5, "BigQuery takes five changes of a table's schema in ten seconds"
    changes = {(change.column, change.change): change.rows for change in report.changes}
    assert changes[("nickname", "new_column")] == 3
    assert changes[("age", "type_change")] == 4
    assert ("born", "missing_column") in changes
    customers = warehouse.latest(f"{raw}.customers")
    assert (customers["c001"]["nickname"], customers["c001"]["shoe_size"]) == ("xc001", 40)
    assert str(customers["c001"]["rate"]) == "0.333333333"
    assert (customers["c001"]["age"], customers["c001"]["age__v_text"]) == (None, "about 1")
    assert (customers["huge"]["age"], customers["huge"]["age__v_text"]) == (None, "9" * 30)
    assert (customers["c009"]["age"], customers["c009"]["age__v_text"], customers["c009"]["born"]) == (9, None, None)
    assert (customers["c020"]["balance"], customers["c020"]["balance__v_text"]) == (None, "NaN")
    rejected, stray = warehouse.rows(f"select * from quarantine.rejected_records where source = '{name}' order by reason")
    assert (rejected["reason"], stray["reason"]) == ("no value for the key id", "no value for the key organization_id")
    assert '"age":"5"' in rejected["payload"]
    assert '"id":"stray"' in stray["payload"]

    # A repeated run records no change twice, and the next run does not record the new columns again.
    loaded(source, database, 3)
    recorded = f"select count(*) from ops.schema_changes where source = '{name}' and table_name = 'customers'"
    assert warehouse.value(recorded) == 6
    assert warehouse.value(f"select count(*) from quarantine.rejected_records where source = '{name}'") == 2
    database.run("update customers set shoe_size = 41, updated_at = %s where id = 'c001'", day(3, 2))
    loaded(source, database, 4)
    assert warehouse.value(f"{recorded} and change = 'new_column'") == 3
    assert warehouse.latest(f"{raw}.customers")["c001"]["shoe_size"] == 41


def test_one_table_fails_the_others_are_loaded(
    warehouse: Warehouse, write_source: Callable[..., Any], database: Database, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    database.run(CREATE)
    for number in range(100):
        database.run(INSERT, f"c{number:03d}", number, "1", day(1))
    declared = {"customers": CUSTOMERS, "gone": EMPTY}
    source = write_source({"type": "sql", "schema": name}, declared)
    with pytest.raises(LoadError, match=rf"1 of 2 tables of {name} failed \(1 loaded\):\ngone: .*no table {name}.gone"):
        loaded(source, database, 2)
    assert warehouse.value(f"select count(*) from raw_{name}.customers") == 100
    assert [r["table_name"] for r in warehouse.rows(f"select * from ops.loads where source = '{name}'")] == ["customers"]

    # If most rows of a table are missing, the source is probably broken: deletes are refused, but new rows are loaded.
    database.run("create table gone (id bigint, score float, good boolean, notes jsonb, updated_at timestamptz)")
    database.run("delete from customers where id >= 'c040'")
    database.run(INSERT, "new", 1, "1", day(2))
    with pytest.raises(LoadError, match=r"customers: the source no longer holds 60 of 100 live keys.*max_deleted_share"):
        loaded(source, database, 3)
    assert len(warehouse.latest(f"raw_{name}.customers")) == 101
    allowed = write_source({"type": "sql", "schema": name}, declared | {"customers": CUSTOMERS | {"max_deleted_share": 0.9}})
    assert loaded(allowed, database, 3).tables["customers"].tombstones == 60
    assert len(warehouse.latest(f"raw_{name}.customers")) == 41

    # A changed type in the YAML is reported before it breaks a load.
    changed = CUSTOMERS | {"columns": CUSTOMERS["columns"] | columns(balance="string")}
    with pytest.raises(LoadError, match=rf"customers: column balance is declared as string, but raw_{name}.customers holds"):
        loaded(write_source({"type": "sql", "schema": name}, declared | {"customers": changed}), database, 4)

    # The message for an unreachable server is one sentence without the password.
    refused = database.connection(host="127.0.0.1", port=1, password=PASSWORD)
    with caplog.at_level(logging.DEBUG), pytest.raises(LoadError, match=r"database cannot be reached: .*refused") as caught:
        load(source, SourceConnection.of(name, refused), RunContext("test", day(3)))
    assert PASSWORD not in f"{caught.value}{caplog.text}{SourceConnection.of(name, refused)!r}"


def test_lost_connection(
    warehouse: Warehouse, source: Any, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is read again from the start, and its rows are loaded once."""
    monkeypatch.setattr(tables, "FIRST_WAIT_SECONDS", 0.05)
    database.run("update customers set organization_id = repeat('x', 5000)")
    known = database.connection()
    proxy = Proxy(f"{known['host']}/.s.PGSQL.5432", cut_after=100_000)
    try:
        connection = SourceConnection.of(name, known | {"host": "127.0.0.1", "port": proxy.port})
        report = load(source, connection, RunContext("test", day(2)))
    finally:
        proxy.close()
    assert proxy.connections > 1
    assert report.tables["customers"].rows == 100
    assert warehouse.value(f"select count(*) from raw_{name}.customers") == 100


@pytest.mark.parametrize("point", ["read", "some_loaded", "all_loaded", "committed"])
def test_killed_and_run_again(warehouse: Warehouse, source: Any, database: Database, name: str, point: str) -> None:
    """A repeated run gives the same live rows, whenever the first run was killed."""
    database.run("insert into empty values (1, 0.5, true, '{\"a\": 1}', %s)", day(1))
    assert dies(point, "empty", lambda: loaded(source, database, 2))
    report = loaded(source, database, 2)
    assert report.tables["customers"].rows == 100
    assert len(warehouse.latest(f"raw_{name}.customers")) == 100
    assert warehouse.latest(f"raw_{name}.empty")[1]["notes"] == '{"a": 1}'
    assert warehouse.value(f"select count(*) from ops.loads where source = '{name}'") == 2


def test_a_table_without_a_cursor_loads_only_changes(
    warehouse: Warehouse, write_source: Callable[..., Any], database: Database, name: str
) -> None:
    database.run("create table plans (id text, price numeric(12,2), details jsonb, since timestamptz)")
    for plan, price in {"free": None, "team": "9.90", "business": "29.90"}.items():
        database.run("insert into plans values (%s, %s, '{\"seats\": [1, 5]}', %s)", plan, price, day(1))
    plans = {
        "description": "One row per plan.",
        "primary_key": ["id"],
        "detect_deletes": True,
        "event_time": "none",
        "columns": columns(id="string", price="decimal", details="json", since="timestamp"),
    }
    source = write_source({"type": "sql", "schema": name}, {"plans": plans})
    assert loaded(source, database, 2).rows == 3
    assert loaded(source, database, 3).rows == 0
    database.run("update plans set price = 10 where id = 'team'")
    database.run("delete from plans where id = 'free'")
    report = loaded(source, database, 4)
    assert (report.rows, report.tombstones) == (1, 1)
    assert loaded(source, database, 4).rows == 0
    live = warehouse.latest(f"raw_{name}.plans", order="")
    assert {key: float(row["price"]) for key, row in live.items()} == {"team": 10.0, "business": 29.9}
