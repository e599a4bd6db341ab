"""The embedded warehouse: start, stop, errors at the start, types, and data after a restart."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.bigquery import SchemaField

from include.local.warehouse import EmbeddedWarehouse, WarehouseError, environment
from include.settings import settings
from include.warehouse import client


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def warehouse(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedWarehouse]:
    found = EmbeddedWarehouse(tmp_path / "warehouse", port)
    for name, value in environment(found.home, port).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    found.start()
    yield found
    found.stop()
    settings.cache_clear()


def value(sql: str) -> object:
    return next(iter(client().query(sql).result()))[0]


def test_numeric_keeps_nine_decimals(warehouse: EmbeddedWarehouse) -> None:
    assert value("select cast(1.23456789 as numeric)") == Decimal("1.23456789")
    client().create_dataset("d")
    client().query("create table d.t as select cast(0.000000001 as numeric) as x, cast(1.10841 as numeric) * 2 as y").result()
    assert value("select x from d.t") == Decimal("0.000000001")
    assert value("select y from d.t") == Decimal("2.21682")


def test_a_join_may_unnest_an_array_of_the_row(warehouse: EmbeddedWarehouse) -> None:
    client().create_dataset("d")
    client().query("create table d.t as select 1 as id, [10, 20] as items union all select 2, [30]").result()
    assert value("select string_agg(cast(item as string), ' ' order by item) from d.t as t, t.items as item") == "10 20 30"
    assert value("select count(*) from d.t as a cross join d.t as b") == 4


def test_columns_are_added_through_the_api(warehouse: EmbeddedWarehouse) -> None:
    client().create_dataset("d")
    client().query("create table d.t as select 1 as x").result()
    table = client().get_table("d.t")
    table.schema = [*table.schema, SchemaField("amount", "NUMERIC"), SchemaField("tags", "STRING", mode="REPEATED")]
    client().update_table(table, ["schema"])
    client().query("insert into d.t (x, amount, tags) values (2, 1.5, ['a', 'b'])").result()
    assert value("select sum(amount) from d.t") == Decimal("1.5")
    assert value("select array_length(tags) from d.t where x = 2") == 2


def test_a_restart_keeps_the_data(warehouse: EmbeddedWarehouse) -> None:
    client().create_dataset("d")
    client().query("create table d.t as select 42 as x").result()
    warehouse.stop()
    assert not warehouse.is_up()
    warehouse.start()
    assert value("select x from d.t") == 42


def test_a_port_in_use_gives_an_error_of_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WarehouseError, match="WAREHOUSE_PORT"):
            EmbeddedWarehouse(tmp_path, taken.getsockname()[1]).start()


def test_credentials_are_accepted_without_a_network(tmp_path: Path, port: int) -> None:
    from google.oauth2.credentials import Credentials

    path = environment(tmp_path, port)["GOOGLE_APPLICATION_CREDENTIALS"]
    assert Credentials.from_authorized_user_file(path).valid


def test_averages_and_divisions_keep_their_type(warehouse: EmbeddedWarehouse) -> None:
    client().create_dataset("d")
    client().query("create table d.t as select 'a' as k, cast(1 as numeric) as x, 4 as n union all select 'a', 2, 4").result()
    client().query("create view d.v as select k, x, n from d.t").result()
    assert value("select avg(x) from d.v") == Decimal("1.5")
    assert value("/* who asks */ select max(x) / 3 from d.t") == Decimal("0.666666667")
    assert value("/* who asks */ select max(n) / 8 from d.t") == 0.5


def test_a_statement_may_be_repeated_also_after_one_that_failed(warehouse: EmbeddedWarehouse) -> None:
    client().create_dataset("d")
    created = "/* who asks */ create or replace table d.t (k int64, x numeric) as select 1 as k, 7 / 2 as x"
    merged = "merge d.t using (select 1 as k union all select 2) as s on t.k = s.k when not matched then insert (k, x) values (s.k, 0.5)"
    for _ in range(2):
        client().query(created).result()
        client().query(merged).result()
        client().query(merged).result()
        assert value("select sum(x) from d.t") == Decimal("4.0")
        with pytest.raises(BadRequest, match=r"(?i)division by zero"):
            value("/* 1 */ select 1 / (k - k) from d.t")
    client().query("drop table d.t").result()
    assert [table.table_id for table in client().list_tables("d")] == []
    with pytest.raises(NotFound):
        value("select sum(x) from d.t")
