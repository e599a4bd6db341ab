"""The columns and partitions that BigQuery bills per statement, compared with those found by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.google.catalog import Project
from tests.google.engine import Engine
from tests.google.evaluate import Evaluator
from tests.google.evaluated import EvaluatedRows
from tests.google.jobs import Jobs, NoRows
from tests.google.judge import Judge
from tests.google.types import of_sql

CACHE = Path(__file__).resolve().parents[2] / ".venv-google" / "compiled"
SETUP = """
create schema d; create schema s;
create table d.events (id string, org string, seen timestamp, day date, props string, n int64) partition by date_trunc(day, month);
create table d.orgs (org string, name string, extra string);
create table d.loads (id string, loaded timestamp) partition by date(loaded);
create view s.events as
    with source as (select *, row_number() over (partition by id order by seen) as version from d.events),
    latest as (select * except (version), upper(props) as shouted from source where version = 1)
    select * from latest;
create view s.days as select org, day as on_day, count(*) as events from d.events group by org, day;
"""
EVENTS = {"id", "org", "seen", "day", "props", "n"}
NO_VALUE = {"from": "__NULL__", "to": "__NULL__"}


@pytest.fixture(scope="module")
def judge() -> Judge:
    made = Judge(Engine(CACHE), Project("local"))
    made.judge(SETUP)
    return made


def billed(judge: Judge, sql: str, **values: str) -> dict[str, tuple[set[str], list[dict[str, str]]]]:
    parameters = [(name, of_sql("DATE").proto) for name in values]
    found = judge.judge(sql, parameters, values=values)[-1].billed
    return {".".join(key): (read.columns, read.ranges) for key, read in found.items()}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select org from d.events where n > 1", {"org", "n"}),
        ("select org from (select * from d.events)", {"org"}),
        # `version` needs id and seen; `shouted` is not used, so props is not read.
        ("select org, n from s.events", {"org", "n", "id", "seen"}),
        ("select shouted from s.events", {"props", "id", "seen"}),
        ("with a as (select * from d.events), b as (select * from a) select count(distinct org) from b", {"org"}),
        ("select c from (select org, count(*) as c, sum(n) as total from d.events group by org)", {"org"}),
        ("select org from (select *, lag(props) over (partition by id order by seen) as before from d.events)", {"org"}),
        ("select o from (select org as o, props as p from d.events union all select id, props from d.events)", {"org", "id"}),
        ("select o from (select org as o, n as p from d.events union distinct select id, n from d.events)", {"org", "id", "n"}),
        ("select distinct org from d.events order by org limit 3", {"org"}),
        ("select part from d.events, unnest(split(props)) as part", {"props"}),
        ("select count(*) from d.events", set()),
        ("create table d.made as select org from d.events", {"org"}),
        ("insert into d.orgs (org) select org from d.events", {"org"}),
    ],
)
def test_columns_that_nothing_uses_are_not_read(judge: Judge, sql: str, expected: set[str]) -> None:
    assert billed(judge, sql) == {"d.events": (expected, [{}])}


def test_joins_and_subqueries_read_what_they_compare(judge: Judge) -> None:
    joined = billed(judge, "select e.n from d.events e left join d.orgs o on o.org = e.org")
    assert {name: columns for name, (columns, _) in joined.items()} == {"d.events": {"n", "org"}, "d.orgs": {"org"}}
    exists = billed(judge, "select name from d.orgs o where exists (select 1 from d.events e where e.org = o.org)")
    assert {name: columns for name, (columns, _) in exists.items()} == {"d.events": {"org"}, "d.orgs": {"name", "org"}}


def test_a_recursion_reads_all_of_its_columns(judge: Judge) -> None:
    sql = (
        "with recursive up as (select org, name from d.orgs union all "
        "select up.org, o.name from up join d.orgs o on o.org = up.name) select org from up"
    )
    assert billed(judge, sql) == {"d.orgs": ({"org", "name"}, [{}])}


@pytest.mark.parametrize(
    "sql",
    ["create table d.copy clone d.orgs", "drop table if exists d.copy", "select 1", "create view s.v as select org from d.orgs"],
)
def test_a_statement_that_reads_no_rows_is_not_billed(judge: Judge, sql: str) -> None:
    assert billed(judge, sql) == {}


@pytest.mark.parametrize(
    ("sql", "ranges"),
    [
        (
            "select n from d.events where day >= '2026-01-01' and day < date '2026-03-01'",
            [{"from": "2026-01-01", "to": "2026-02-28"}],
        ),
        (
            "select n from d.events where day is null or (day >= '2026-01-01' and '2026-02-01' > day) or day = '2026-05-06'",
            [NO_VALUE, {"from": "2026-01-01", "to": "2026-01-31"}, {"from": "2026-05-06", "to": "2026-05-06"}],
        ),
        (
            "select n from d.events where (day is null or day >= '2026-01-01') and day < '2026-03-01'",
            [{"from": "2026-01-01", "to": "2026-02-28"}],
        ),
        ("select n from d.events where date '2026-01-01' = day", [{"from": "2026-01-01", "to": "2026-01-01"}]),
        (
            "select n from d.events where day between '2026-01-01' and '2026-01-31' and n > 1",
            [{"from": "2026-01-01", "to": "2026-01-31"}],
        ),
        ("select n from d.events where day >= '2026-01-01' or n > 1", [{}]),
        ("select n from d.events where day >= (select max(day) from d.events)", [{}]),
        ("select n from d.events where day >= current_date()", [{"from": "?"}]),
        ("select n from d.events where day > '2026-01-01' and day > '2026-02-01'", [{"from": "2026-02-01"}]),
        (
            "with a as (select * from d.events) select n from a where day = '2026-01-01'",
            [{"from": "2026-01-01", "to": "2026-01-01"}],
        ),
        ("select events from s.days where on_day >= '2026-01-01'", [{"from": "2026-01-01"}]),
        # A window over the whole table needs all of it.
        ("select n from s.events where day >= '2026-01-01'", [{}]),
        ("select n from (select * from d.events limit 9) where day >= '2026-01-01'", [{}]),
        ("select n from d.events union all select n from d.events where day < '2026-01-01'", [{}, {"to": "2025-12-31"}]),
        ("select o.org from d.orgs o left join d.events e on e.org = o.org and e.day >= '2026-01-01'", [{"from": "2026-01-01"}]),
        ("select o.org from d.events e left join d.orgs o on e.org = o.org and e.day >= '2026-01-01'", [{}]),
    ],
)
def test_constants_limit_the_partitions(judge: Judge, sql: str, ranges: list[dict[str, str]]) -> None:
    assert billed(judge, sql)["d.events"][1] == ranges


def test_a_parameter_is_a_constant_and_a_timestamp_is_a_day(judge: Judge) -> None:
    assert billed(judge, "select n from d.events where day >= @since", since="2026-02-03")["d.events"][1] == [
        {"from": "2026-02-03"}
    ]
    found = billed(judge, "select id from d.loads where loaded >= timestamp '2026-02-03 04:05:06+00'")
    assert found["d.loads"][1] == [{"from": "2026-02-03"}]
    assert billed(judge, "select id from d.loads where date(loaded) = '2026-02-03'")["d.loads"][1] == [
        {"from": "2026-02-03", "to": "2026-02-03"}
    ]


def test_a_change_reads_all_columns_of_the_changed_table(judge: Judge) -> None:
    source = "(select id, n, day from d.events where day = '2026-05-01')"
    assert billed(judge, "delete from d.events where day >= '2026-05-01'") == {"d.events": (EVENTS, [{"from": "2026-05-01"}])}
    assert billed(judge, "update d.orgs set name = 'x' where org = 'a'") == {"d.orgs": ({"org", "name", "extra"}, [{}])}
    merge = f"merge d.loads t using {source} s on t.id = s.id and t.loaded >= timestamp '2026-05-01' "
    matched = billed(judge, merge + "when matched then update set id = s.id when not matched then insert (id) values (s.id)")
    assert matched["d.loads"] == ({"id", "loaded"}, [{"from": "2026-05-01"}])
    assert matched["d.events"] == ({"id", "day"}, [{"from": "2026-05-01", "to": "2026-05-01"}])


def test_a_merge_that_only_inserts_reads_what_it_compares(judge: Judge) -> None:
    merge = "merge d.orgs t using (select org from d.events) s on {} when not matched then insert (org) values (s.org)"
    assert billed(judge, merge.format("false")) == {"d.events": ({"org"}, [{}])}
    assert billed(judge, merge.format("t.org = s.org")) == {"d.events": ({"org"}, [{}]), "d.orgs": ({"org"}, [{}])}


def test_a_job_with_positional_parameters_is_recorded_with_what_it_reads(judge: Judge) -> None:
    jobs = Jobs(judge, NoRows(EvaluatedRows(judge.project, Evaluator(CACHE))))
    given = [{"parameterType": {"type": "STRING"}, "parameterValue": {"value": "a"}}]
    query = {"query": "select n from d.events where org = ?", "queryParameters": given, "useLegacySql": False}
    recorded = jobs.run({"configuration": {"query": query}}, origin="").recorded()
    assert recorded["error"] is None
    assert recorded["statements"][0]["billed"] == {"d.events": {"columns": ["n", "org"], "ranges": [{}]}}


def test_a_count_on_empty_tables_returns_literals_and_zero(judge: Judge) -> None:
    rows = NoRows(EvaluatedRows(judge.project, Evaluator(CACHE)))
    (judged,) = judge.judge("select 'marts' as dataset, count(*) as row_count, max(org) as org from d.orgs")
    assert rows.select(judged, []) == [{"f": [{"v": "marts"}, {"v": "0"}, {"v": None}]}]
    (judged,) = judge.judge("select array(select org from d.orgs) as orgs")
    assert rows.select(judged, []) == [{"f": [{"v": []}]}], "the monitor reads the audit tables like this"


def test_every_count_returns_the_configured_number(judge: Judge) -> None:
    """With it the rules of a gate are broken, and the statements that then follow are sent."""
    rows = NoRows(EvaluatedRows(judge.project, Evaluator(CACHE)))
    rows.counted = 3
    (judged,) = judge.judge("select count(*) as row_count, max(org) as org from d.orgs")
    assert rows.select(judged, []) == [{"f": [{"v": "3"}, {"v": None}]}]
