"""The embedded warehouse refuses statements that clearly are not BigQuery's, with BigQuery's message, and accepts the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import Client

from tests.warehouse import connected, rows


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as client:
        client.create_dataset("refusals", exists_ok=True)
        yield client
        client.delete_dataset("refusals", delete_contents=True)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("select 1 as following", "Syntax error: Unexpected keyword FOLLOWING at [1:13]"),
        ("/* who asks */ select\n  1 as\n  rows", "Syntax error: Unexpected keyword ROWS at [3:3]"),
        ("select '5'::int64", 'Syntax error: Unexpected "::" at [1:11]'),
        ("select 'a' ilike 'A'", 'Syntax error: Unexpected "ilike" at [1:12]'),
        ("select 5 % 2", 'Syntax error: Unexpected "%" at [1:10]'),
        ("select 5 // 2", 'Syntax error: Unexpected "/" at [1:10]'),
        ("select * from read_csv('/etc/passwd')", "Function not found: read_csv at [1:15]"),
        ("select median(x) from unnest([1, 2]) as x", "Function not found: median at [1:8]"),
        ("select current_setting('access_mode')", "Function not found: current_setting at [1:8]"),
        ("select * from duckdb_settings()", "Function not found: duckdb_settings at [1:15]"),
        ("copy (select 1) to '/tmp/x.csv'", 'Syntax error: Unexpected identifier "copy" at [1:1]'),
        ("select 1; pragma version", 'Syntax error: Unexpected identifier "pragma" at [1:11]'),
        ("describe refusals.t", 'Syntax error: Unexpected identifier "describe" at [1:1]'),
        ("from refusals.t select 1", "Syntax error: Unexpected keyword FROM at [1:1]"),
    ],
)
def test_a_statement_that_bigquery_refuses_is_refused(bq: Client, statement: str, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        bq.query(statement).result()
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("select 1 as `rows`, 'copy :: ilike % {' as text", (1, "copy :: ilike % {")),
        ("(select 1)", (1,)),
        ("with recursive n as (select 1 as k union all select k + 1 from n where k < 3) select max(k) from n", (3,)),
        ("create temp function twice(x int64) as (x * 2); select twice(4)", (8,)),
        ("declare x int64 default 1; set x = 2; if x = 2 then select x + 1 as y; end if", (3,)),
        ("select max_by(name, age) from unnest([struct('a' as name, 1 as age), struct('b' as name, 2 as age)])", ("b",)),
        ("select safe.parse_json('{') is null, [1, 2][safe_ordinal(2)], mod(5, 2)", (True, 2, 1)),
        ("begin transaction; commit transaction; select 1", (1,)),
    ],
)
def test_a_statement_that_bigquery_accepts_is_accepted(bq: Client, statement: str, answer: tuple[object, ...]) -> None:
    assert rows(statement, bq) == [answer]


def test_changes_of_tables_are_accepted(bq: Client) -> None:
    bq.query("create table refusals.t (k int64, x string) options (description = 'what t is')").result()
    bq.query("insert into refusals.t (k) values (1)").result()
    bq.query(
        "merge refusals.t as t using (select 2 as k) as s on t.k = s.k when not matched then insert (k, x) values (s.k, 'two')"
    ).result()
    assert rows("select k, x from refusals.t order by k", bq) == [(1, None), (2, "two")]
