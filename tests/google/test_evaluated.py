"""Statements and load jobs on the endpoint's project, with rows from Google's reference evaluator."""

from __future__ import annotations

import io
from collections.abc import Sequence
from time import process_time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.google.catalog import Project
from tests.google.engine import Engine
from tests.google.evaluate import Evaluator
from tests.google.evaluated import EvaluatedJobs, EvaluatedRows
from tests.google.judge import Judge
from tests.google.server import ROOT

CACHE = ROOT / ".venv-google" / "compiled"


class Sheet:
    """A project with short methods to run jobs."""

    def __init__(self, engine: Engine, evaluator: Evaluator, datasets: Sequence[str] = ("shop",)) -> None:
        project = Project("local")
        project.datasets |= {name: {} for name in datasets}
        self._jobs = EvaluatedJobs(Judge(engine, project), EvaluatedRows(project, evaluator))

    def run(self, sql: str, **parameters: tuple[str, str | None]) -> list[list[Any]]:
        """The rows of a statement, as texts; a refusal is raised."""
        return self.rows(sql, parameters)[0]

    def affected(self, sql: str) -> int:
        return self.rows(sql, {})[1]

    def phase(self, name: str) -> None:
        self._jobs.phase = name

    def columns(self, sql: str) -> list[str]:
        job = self._jobs.run({"configuration": {"query": {"query": sql}}}, "")
        return [column.name for column in job.columns]

    def rows(self, sql: str, parameters: dict[str, tuple[str, str | None]]) -> tuple[list[list[Any]], int]:
        given = [
            {"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": value}}
            for name, (kind, value) in parameters.items()
        ]
        job = self._jobs.run({"configuration": {"query": {"query": sql, "queryParameters": given}}}, "")
        if job.error:
            raise ValueError(job.error)
        return [[cell["v"] for cell in row["f"]] for row in job.rows], job.affected

    def load(self, table: str, body: bytes, **options: Any) -> int:
        where = {"datasetId": "shop", "tableId": table}
        job = self._jobs.run({"configuration": {"load": {"destinationTable": where, **options}}}, "", body)
        if job.error:
            raise ValueError(job.error)
        return job.affected


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CACHE)


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(CACHE)


@pytest.fixture
def shop(engine: Engine, evaluator: Evaluator) -> Sheet:
    sheet = Sheet(engine, evaluator)
    sheet.run("create table shop.orders (id int64, name string, price numeric, tags array<string>)")
    sheet.run("insert into shop.orders (id, name, price) values (1, 'a', 1.5), (2, 'b', null), (3, 'é', 3)")
    return sheet


def test_rows_stay_and_views_follow_them(shop: Sheet) -> None:
    shop.run("create view shop.doubled as select id, price * 2 as price, tags from `local`.`shop`.`orders`")
    shop.run("create view shop.total as select sum(price) as price from shop.doubled as d")
    assert shop.run("select * from shop.doubled order by id") == [["1", "3", []], ["2", None, []], ["3", "6", []]]
    assert shop.run("select price from shop.total") == [["9"]]
    shop.run("update shop.orders set price = 5 where id = 2")
    assert shop.run("select price from shop.total") == [["19"]]


def test_tables_are_found_without_an_alias_and_in_subqueries(shop: Sheet) -> None:
    assert shop.run("select orders.name from shop.orders where id in (select o.id from shop.orders as o where o.price > 2)") == [
        ["é"]
    ]


def test_insert_select_casts_to_the_columns_types(shop: Sheet) -> None:
    shop.run("insert into shop.orders (id, price, tags) select 4, 2, ['x']")
    assert shop.run("select name, price, tags from shop.orders where id = 4") == [[None, "2", [{"v": "x"}]]]


def test_update_and_delete(shop: Sheet) -> None:
    # Two equal rows: only their number distinguishes them.
    shop.run("insert into shop.orders (id, name) values (1, 'a2'), (1, 'a2')")
    assert shop.affected("update shop.orders as o set name = concat(o.name, '!') where o.id = 1") == 3
    assert shop.affected("delete from shop.orders as o where exists (select 1 from shop.orders as p where p.price = o.id)") == 1
    assert shop.run("select id, name from shop.orders order by id, name") == [["1", "a!"], ["1", "a2!"], ["1", "a2!"], ["2", "b"]]


def test_merge_by_key(shop: Sheet) -> None:
    changed = shop.affected(
        """
        merge into shop.orders as dest
        using (select 2 as id, 'new b' as name union all select 9, 'nine' union all select 10, null) as source
        on (dest.id = source.id)
        when matched and source.name is not null then update set name = source.name, price = 7
        when not matched and source.name is not null then insert (name, id) values (name, id)
        when not matched by source and dest.id = 3 then delete
        """
    )
    assert changed == 3
    assert shop.run("select id, name, price from shop.orders order by id") == [
        ["1", "a", "1.5"],
        ["2", "new b", "7"],
        ["9", "nine", None],
    ]


def test_merge_that_replaces_some_rows(shop: Sheet) -> None:
    shop.run(
        """
        merge shop.orders as t using (select 7 as id, 'seven' as name, numeric '1' as price, ['x'] as tags) on false
        when not matched by source and t.id < 3 then delete
        when not matched then insert row
        """
    )
    assert shop.run("select id, name from shop.orders order by id") == [["3", "é"], ["7", "seven"]]


def test_merge_refuses_two_rows_for_one(shop: Sheet) -> None:
    with pytest.raises(ValueError, match="at most one source row"):
        shop.run(
            "merge shop.orders as t using (select 1 as id union all select 1) as s on t.id = s.id "
            "when matched then update set name = 'x'"
        )


def test_the_clauses_of_a_merge_are_tried_in_order(shop: Sheet) -> None:
    shop.run(
        "merge shop.orders as t using shop.orders as s on t.id = s.id "
        "when matched and t.id = 1 then delete when matched then update set name = 'kept'"
    )
    assert shop.run("select id, name from shop.orders order by id") == [["2", "kept"], ["3", "kept"]]


def test_create_table_as_gives_the_declared_types_and_clone_copies(shop: Sheet) -> None:
    shop.run("create or replace table shop.made (id int64, price numeric) as (select id, 2 as price from shop.orders)")
    shop.run("create table shop.kept clone shop.made")
    shop.run("truncate table shop.made")
    assert shop.run("select count(*) from shop.made") == [["0"]]
    assert shop.run("select id, price / 4 from shop.kept order by id") == [["1", "0.5"], ["2", "0.5"], ["3", "0.5"]]


def test_a_table_may_be_created_from_itself(shop: Sheet) -> None:
    shop.run("create or replace table shop.orders as select id, upper(name) as name from shop.orders where id > 1")
    assert shop.run("select * from shop.orders order by id") == [["2", "B"], ["3", "É"]]


def test_new_columns_are_null_and_a_dropped_table_is_empty_when_it_comes_back(shop: Sheet) -> None:
    shop.run("alter table shop.orders add column if not exists color string")
    assert shop.run("select distinct color from shop.orders") == [[None]]
    shop.run("drop table shop.orders")
    shop.run("create table shop.orders (id int64)")
    assert shop.run("select count(*) from shop.orders") == [["0"]]


def test_create_if_not_exists_keeps_the_rows(shop: Sheet) -> None:
    shop.run("create table if not exists shop.orders (id int64)")
    assert shop.run("select count(*) from shop.orders") == [["3"]]


def test_tables_are_created_without_rows_on_request(shop: Sheet) -> None:
    shop.phase("only schema")
    shop.run("create table shop.made as select * from shop.orders")
    assert shop.run("select count(*), count(color) from (select *, name as color from shop.made)") == [["0", "0"]]
    shop.phase("")
    shop.run("insert into shop.made (id) values (1)")
    assert shop.run("select count(*) from shop.made") == [["1"]]


def test_parameters(shop: Sheet) -> None:
    assert shop.run(
        "select name from shop.orders where id = @Id and price = @price", Id=("INT64", "1"), price=("NUMERIC", "1.5")
    ) == [["a"]]
    shop.run("update shop.orders set name = @name where id = 1", name=("STRING", None))
    assert shop.run("select name from shop.orders where id = 1") == [[None]]


def test_min_by_leaves_out_rows_without_the_second(shop: Sheet) -> None:
    # 'b' has no price; of the others 'a' has the least and 'é' the greatest.
    assert shop.run("select min_by(name, price), max_by(name, price), min_by(upper(name), (price)) from shop.orders") == [
        ["a", "é", "A"]
    ]
    assert shop.run("select min_by(name, price) from shop.orders where price is null") == [[None]]


def test_an_error_has_bigquerys_message(shop: Sheet) -> None:
    with pytest.raises(ValueError, match="division by zero"):
        shop.run("select 1 / (id - 1) from shop.orders")


def test_an_uncorrelated_subquery_is_computed_once(shop: Sheet) -> None:
    # Computed for each of the rows it takes half a minute. The last n is 1000, whose remainder is 6: of the 997 rows from 4 to
    # 1000, the 143 with that remainder (6, 13, … 1000) are left out.
    shop.run("create table shop.many as select n, cast(mod(n, 7) as string) as s from unnest(generate_array(1, 1000)) as n")
    started = process_time()
    assert shop.run(
        "select count(*) from shop.many as m where (m.n > 3 and m.s < (select min_by(o.s, -o.n) from shop.many as o))"
    ) == [["854"]]
    assert process_time() - started < 3
    # Correlated with the outer row: 0 for the first row of each remainder.
    assert shop.run(
        "select sum((select count(*) from shop.orders as o where o.id = m.n)), (select max(n) from shop.many) from shop.many as m"
    ) == [["3", "1000"]]


def test_columns_without_a_name_are_numbered(shop: Sheet) -> None:
    assert shop.columns("select 1, 2 as two, 'x'") == ["f0_", "two", "f1_"]


def test_load_of_parquet(shop: Sheet) -> None:
    table = pa.table(
        {
            "id": pa.array([7], pa.int64()),
            "price": pa.array(["1.25"]).cast(pa.decimal128(38, 9)),
            "tags": pa.array([None], pa.list_(pa.string())),
        }
    )
    body = io.BytesIO()
    pq.write_table(table.drop(["tags"]), body)
    assert shop.load("orders", body.getvalue(), sourceFormat="PARQUET", writeDisposition="WRITE_APPEND") == 1
    assert shop.run("select id, name, price, tags from shop.orders where id = 7") == [["7", None, "1.25", []]]


def test_load_of_csv_distinguishes_null_from_an_empty_text(shop: Sheet) -> None:
    fields = [{"name": "id", "type": "INTEGER"}, {"name": "name", "type": "STRING"}, {"name": "day", "type": "DATE"}]
    body = b'id,name,day\n1,,2026-01-05\n2,"",""\n3,"a, ""b""",\n'
    options = {"schema": {"fields": fields}, "sourceFormat": "CSV", "skipLeadingRows": "1", "writeDisposition": "WRITE_TRUNCATE"}
    assert shop.load("seed", body, **options) == 3
    assert shop.run("select * from shop.seed order by id") == [["1", None, "2026-01-05"], ["2", "", None], ["3", 'a, "b"', None]]
    with pytest.raises(ValueError, match="day"):
        shop.load("seed", b"id,name,day\n1,a,x\n", **options)


def test_load_of_json_lines(shop: Sheet) -> None:
    body = b'{"id": 8, "tags": ["x"]}\n\n{"id": "9", "price": 0.1}\n'
    assert shop.load("orders", body, sourceFormat="NEWLINE_DELIMITED_JSON", writeDisposition="WRITE_APPEND") == 2
    assert shop.run("select id, price, tags from shop.orders where id > 7 order by id") == [
        ["8", None, [{"v": "x"}]],
        ["9", "0.1", []],
    ]
