"""The embedded warehouse accepts statements of BigQuery that the emulator alone would not, and updates its catalog."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import Client, LoadJobConfig, SchemaField, Table

from tests.warehouse import connected, rows, running


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as client:
        client.create_dataset("corrections", exists_ok=True)
        yield client
        client.delete_dataset("corrections", delete_contents=True)


def columns(bq: Client, table: str) -> dict[str, str]:
    return {field.name: f"{field.field_type} {field.mode}" for field in bq.get_table(table).schema}


def described(bq: Client) -> Table:
    return bq.create_table(Table("local.corrections.t", schema=[SchemaField("x", "INT64", description="what x is")]))


def test_one_alter_adds_several_columns_and_the_catalog_lists_them(bq: Client) -> None:
    described(bq)
    bq.query(
        "/* who asks */ alter table corrections.t add column if not exists `a` NUMERIC, "
        "add column if not exists b STRING, add column if not exists x INT64"
    ).result()
    assert columns(bq, "corrections.t") == {"x": "INT64 NULLABLE", "a": "NUMERIC NULLABLE", "b": "STRING NULLABLE"}
    assert bq.get_table("corrections.t").schema[0].description == "what x is"
    bq.query("insert into corrections.t (x, a, b) values (1, 0.000000001, 'one')").result()
    assert rows("select a, b from corrections.t", bq) == [(Decimal("0.000000001"), "one")]


def test_an_alter_that_fails_changes_nothing(bq: Client) -> None:
    described(bq)
    with pytest.raises(BadRequest, match="x already exists"):
        bq.query("alter table corrections.t add column a STRING, add column x INT64").result()
    assert columns(bq, "corrections.t") == {"x": "INT64 NULLABLE"}
    bq.query("alter table corrections.t add column a STRING").result()
    assert columns(bq, "corrections.t") == {"x": "INT64 NULLABLE", "a": "STRING NULLABLE"}


def test_the_catalog_follows_every_alter_of_a_script(bq: Client) -> None:
    described(bq)
    bq.query(
        "alter table corrections.t add column a NUMERIC, add column b ARRAY<STRING>; alter table corrections.t drop column x"
    ).result()
    assert columns(bq, "corrections.t") == {"a": "NUMERIC NULLABLE", "b": "STRING REPEATED"}


def test_the_catalog_follows_a_rename(bq: Client) -> None:
    described(bq)
    bq.query("alter table corrections.t rename column x to y; alter table corrections.t rename to u").result()
    assert [item.table_id for item in bq.list_tables("corrections")] == ["u"]
    assert columns(bq, "corrections.u") == {"y": "INT64 NULLABLE"}
    assert bq.get_table("corrections.u").schema[0].description == "what x is"


def test_a_table_is_created_from_a_query_in_brackets(bq: Client) -> None:
    """As dbt-bigquery writes it for a model with a contract."""
    bq.query(
        "create or replace table corrections.t (a int64, b numeric options (description = 'an amount'), day date)\n"
        "partition by day cluster by a options (description = 'what t is')\n"
        "as (\nwith one as (select 1 as a, 2 as b, date '2026-10-01' as day)\nselect a, b, day from one\n);"
    ).result()
    assert columns(bq, "corrections.t") == {"a": "INTEGER NULLABLE", "b": "NUMERIC NULLABLE", "day": "DATE NULLABLE"}
    assert rows("select b / 3 from corrections.t", bq) == [(Decimal("0.666666667"),)]


def test_a_parquet_file_is_loaded_by_the_names_of_its_columns(bq: Client) -> None:
    bq.query("create table corrections.t (a int64, b int64, c string)").result()
    file = io.BytesIO()
    pq.write_table(pa.table({"b": [2], "a": [1]}), file)
    file.seek(0)
    bq.load_table_from_file(file, "corrections.t", job_config=LoadJobConfig(source_format="PARQUET")).result()
    assert rows("select a, b, c from corrections.t", bq) == [(1, 2, None)]


def test_the_first_timestamp_is_answered_at_once(bq: Client) -> None:
    """Google's client would hide an error of the server: it silently retries a second later."""
    log = running().home / "warehouse.log"
    # Other tests share the warehouse.
    before = len(log.read_text())
    assert rows("select timestamp '2026-10-01 00:00:00+00:00'", bq) == [(datetime(2026, 10, 1, tzinfo=UTC),)]
    assert "AttributeError" not in log.read_text()[before:]


def test_rows_are_listed_beside_other_statements(bq: Client) -> None:
    """Tasks list the locks while other tasks build."""
    bq.query("create table corrections.locks as select 'build' as resource union all select 'raw_crm'").result()
    log = running().home / "warehouse.log"
    before = len(log.read_text())
    table = bq.get_table("corrections.locks")

    def listed(_: int) -> list[str]:
        return sorted(row["resource"] for row in bq.list_rows(table))

    def counted(number: int) -> list[tuple[object, ...]]:
        return rows(f"select {number}, count(*) from unnest(generate_array(1, 50000)) as i where mod(i, 7) = 0", bq)

    with ThreadPoolExecutor(6) as pool:
        lists = [pool.submit(listed, number) for number in range(150)]
        counts = [pool.submit(counted, number) for number in range(150)]
    assert {tuple(found.result()) for found in lists} == {("build", "raw_crm")}
    assert [found.result() for found in counts] == [[(number, 7142)] for number in range(150)]
    assert "AttributeError" not in log.read_text()[before:]


@pytest.mark.parametrize(
    "comment", ["-- an organization's row\n", "# it's\n", "/* it's */ ", "select 'it\\'s 2.50' as `a.b 3.50`, -- \"\n", ""]
)
def test_a_decimal_is_a_float_and_a_text_stays_a_text_whatever_a_comment_says(bq: Client, comment: str) -> None:
    select = "" if comment.startswith("select") else "select "
    (row,) = bq.query(f"{comment}{select}1.10 as x, '1.10' as y, \"2.20\" as z").result()
    assert (row["x"], row["y"], row["z"]) == (1.1, "1.10", "2.20") and isinstance(row["x"], float)
    assert row.get("a.b 3.50") in (None, "it's 2.50")
