"""Each rule of `make check-google` fails on a statement that breaks it, and passes on a similar statement that does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.google.catalog import Project
from tests.google.engine import Engine, Refused
from tests.google.evaluate import Evaluator
from tests.google.evaluated import EvaluatedRows
from tests.google.jobs import Jobs, NoRows
from tests.google.judge import Judge
from tests.google.report import complaints, kinds_of
from tests.google.types import Column

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".venv-google" / "compiled"
SETUP = """
create schema d;
create table d.orders (id string, made_at timestamp, amount numeric, customer string);
create table d.customers (id string, since timestamp, mrr numeric);
create table d.invoices (invoices string, amount numeric);
"""
REQUEST = {
    "configuration": {
        "labels": {"platform": "customer-intelligence", "environment": "test"},
        "query": {"useLegacySql": False, "maximumBytesBilled": "1000000000"},
    },
    "jobReference": {"location": "US"},
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CACHE)


@pytest.fixture
def jobs(engine: Engine) -> Iterator[Jobs]:
    made = Jobs(Judge(engine, project := Project("local")), NoRows(EvaluatedRows(project, Evaluator(CACHE))))
    assert send(made, SETUP)["error"] is None
    yield made


def send(jobs: Jobs, sql: str, **changes: Any) -> dict[str, Any]:
    """The record of a query job, which is correct except for `changes`."""
    resource = json.loads(json.dumps(REQUEST))
    resource["configuration"]["query"]["query"] = sql
    for path, value in changes.items():
        *folders, last = path.split("__")
        place = resource
        for folder in folders:
            place = place[folder]
        place[last] = value
    return jobs.run(resource, origin="include/some/module.py:12").recorded()


def write_manifest(manifest: Path, name: str, path: str, **config: Any) -> None:
    """A manifest of one model."""
    node = {"name": name, "alias": name, "schema": "d", "original_file_path": path, "resource_type": "model", "config": config}
    manifest.write_text(json.dumps({"nodes": {f"model.x.{name}": node}}))


def rules(recorded: dict[str, Any], phase: str = "", cadences: dict[str, float] | None = None) -> set[str]:
    return {item.rule for item in complaints([recorded | {"phase": phase}], cadences or {}, ROOT / "no-manifest.json")}


@pytest.mark.parametrize(
    ("refused", "accepted"),
    [
        # An alias of the select list hides the table of that name.
        (
            "select live.id, count(*) as live from d.orders as live group by live.id",
            "select o.id, count(*) as live from d.orders as o group by o.id",
        ),
        # A table without an alias hides its column of the same name.
        ("select amount from d.invoices where invoices = 'x'", "select i.amount from d.invoices as i where i.invoices = 'x'"),
        ("select id as following from d.orders", "select id as next_one from d.orders"),
        (r"select regexp_contains('a', '\p{L}')", r"select regexp_contains('a', r'\p{L}')"),
        ("select sum(count(*)) from d.orders", "select sum(n) from (select count(*) as n from d.orders)"),
        ("select epoch_ms(made_at) from d.orders", "select unix_millis(made_at) from d.orders"),
        (
            "insert into d.orders (amount) select percentile_cont(amount, 0.5) over () from d.orders",
            "insert into d.orders (amount) select percentile_cont(amount, numeric '0.5') over () from d.orders",
        ),
    ],
)
def test_a_statement_that_the_analyzer_refuses_is_refused_with_its_position(jobs: Jobs, refused: str, accepted: str) -> None:
    recorded = send(jobs, refused)
    assert "[at 1:" in recorded["error"]
    (complaint,) = complaints([recorded], {}, ROOT / "no-manifest.json")
    assert (complaint.rule, complaint.where) == ("refused", "include/some/module.py:12")
    assert rules(send(jobs, accepted)) == set()


def test_a_refusal_of_a_model_names_its_file_and_line(jobs: Jobs, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    path = "models/core/shared/dim_date.sql"
    write_manifest(manifest, "dim_date", path)
    source = (ROOT / "dbt" / path).read_text().splitlines()
    number = next(at for at, line in enumerate(source, 1) if "cast(" in line or "extract(" in line)
    labels = REQUEST["configuration"]["labels"] | {"node": "dim_date"}  # type: ignore[index, operator]
    recorded = send(jobs, f"select id,\n{source[number - 1]}\nfrom d.orders", configuration__labels=labels)
    (complaint,) = complaints([recorded], {}, manifest)
    assert complaint.where == f"dbt/{path}:{number}"


@pytest.mark.parametrize("kind", ["left", "right", "full"])
def test_an_outer_join_needs_an_equality_between_the_sides(jobs: Jobs, kind: str) -> None:
    join = f"select o.id from d.orders as o {kind} join d.customers as c on "
    assert rules(send(jobs, join + "o.made_at >= c.since")) == {"outer join"}
    assert rules(send(jobs, join + "c.id = 'x' and o.made_at >= c.since")) == {"outer join"}
    assert rules(send(jobs, join + "o.id = c.id or o.made_at > c.since")) == {"outer join"}
    assert rules(send(jobs, join + "lower(o.customer) = c.id and o.made_at >= c.since")) == set()


def test_a_correlated_subquery_needs_an_equality_with_the_row_outside(jobs: Jobs) -> None:
    subquery = "select (select max(c.mrr) from d.customers as c where {}) as mrr from d.orders as o"
    assert rules(send(jobs, subquery.format("c.since <= o.made_at"))) == {"correlation"}
    assert rules(send(jobs, subquery.format("c.id = o.customer and c.since <= o.made_at"))) == set()
    assert rules(send(jobs, "select (select max(x) from unnest([o.amount, 2]) as x) from d.orders as o")) == set()


def test_a_whole_row_is_not_taken_for_a_column(jobs: Jobs) -> None:
    assert rules(send(jobs, "select amount from d.invoices where invoices is null")) == {"row"}
    assert rules(send(jobs, "select i.amount from d.invoices as i where i.invoices is null")) == set()


def test_views_and_ctes_are_expanded_at_every_reference(jobs: Jobs) -> None:
    # Eight CTEs, each of which reads the one before it twice: 2⁸ = 256 tables.
    doubled = "with c0 as (select id from d.orders)"
    for number in range(1, 9):
        doubled += f", c{number} as (select a.id from c{number - 1} as a join c{number - 1} as b using (id))"
    recorded = send(jobs, f"create view d.doubled as {doubled} select id from c8")
    assert recorded["statements"][0]["scans"] == 256
    assert rules(recorded) == {"scans"}
    assert rules(send(jobs, "select count(*) from d.doubled")) == {"scans"}
    recursive = (
        "with recursive r as (select id, 1 as n from d.orders union all select o.id, n + 1 from r join d.orders as o using (id))"
    )
    recorded = send(jobs, f"{recursive} select id from r")
    assert recorded["statements"][0]["scans"] == 2
    assert rules(recorded) == set()


def test_recursion_stands_at_the_top_of_a_statement_or_view(jobs: Jobs) -> None:
    recursive = (
        "with recursive r as (select id, 1 as n from d.orders union all select o.id, n + 1 from r join d.orders as o using (id))"
    )
    assert rules(send(jobs, f"select id from ({recursive} select id from r)")) == {"recursion"}
    assert rules(send(jobs, f"create table d.made as select id from ({recursive} select id from r)")) == {"recursion"}
    assert rules(send(jobs, f"create view d.walked as {recursive} select id from r")) == set()
    assert rules(send(jobs, "create table d.walks as select id from d.walked")) == set()


def test_views_are_not_nested_deeper_than_ten(jobs: Jobs) -> None:
    send(jobs, "create view d.v1 as select id from d.orders")
    for number in range(2, 12):
        send(jobs, f"create view d.v{number} as select id from d.v{number - 1}")
    assert rules(send(jobs, "select id from d.v10")) == set()
    assert rules(send(jobs, "select id from d.v11")) == {"depth"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"configuration__labels": {"environment": "test"}}, "labels"),
        ({"configuration__query__maximumBytesBilled": None}, "cap"),
        ({"jobReference__location": None}, "location"),
        ({"configuration__query__useLegacySql": True}, "dialect"),
    ],
)
def test_a_job_carries_labels_cap_location_and_dialect(jobs: Jobs, change: dict[str, Any], rule: str) -> None:
    assert rules(send(jobs, "select 1 as x", **change)) == {rule}
    assert rules(send(jobs, "select 1 as x")) == set()


def test_a_table_by_day_is_not_rebuilt_whole(jobs: Jobs) -> None:
    made = "create table d.{} partition by {} as select id, made_at, date(made_at) as day from d.orders"
    assert rules(send(jobs, made.format("by_day", "timestamp_trunc(made_at, day)"))) == {"partitions"}
    assert rules(send(jobs, made.format("by_date", "day"))) == {"partitions"}
    assert rules(send(jobs, made.format("by_month", "timestamp_trunc(made_at, month)"))) == set()


@pytest.mark.parametrize(
    "change",
    [
        "merge d.months as t using d.orders as s on {} and t.id = s.id "
        "when matched then update set id = s.id when not matched then insert (id) values (s.id)",
        "delete from d.months as t where {} and not exists (select 1 from d.orders as s where s.id = t.id)",
        "update d.months as t set id = 'x' where {}",
    ],
)
def test_an_incremental_model_names_the_partitions_that_it_changes(jobs: Jobs, tmp_path: Path, change: str) -> None:
    send(jobs, "create table d.months (id string, closed_at timestamp) partition by timestamp_trunc(closed_at, month)")
    write_manifest(tmp_path / "manifest.json", "months", "m.sql", materialized="incremental", partition_by={"field": "closed_at"})
    labels = REQUEST["configuration"]["labels"] | {"node": "months"}  # type: ignore[index, operator]

    def complained(condition: str) -> set[str]:
        recorded = send(jobs, change.format(condition), configuration__labels=labels)
        return {item.rule for item in complaints([recorded], {}, tmp_path / "manifest.json")}

    assert (
        complained("(t.closed_at is null or t.closed_at >= timestamp '2026-09-01' and t.closed_at < timestamp '2026-10-01')")
        == set()
    )
    assert complained("t.closed_at >= (select min(made_at) from d.orders)") == {"whole table"}
    assert complained("(t.closed_at is null or t.id = 'a')") == {"whole table"}


def test_every_contract_is_compared_with_its_model(jobs: Jobs, tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", "orders", "models/orders.sql", contract={"enforced": True})
    labels = REQUEST["configuration"]["labels"] | {"node": "orders"}  # type: ignore[index, operator]
    made = send(jobs, "create table d.made (id string) as select id from d.orders", configuration__labels=labels)
    asked = send(
        jobs, "select * from (select id from d.orders) as s where false and 1 = 1\nlimit 0\n", configuration__labels=labels
    )
    (complaint,) = complaints([made], {}, tmp_path / "manifest.json")
    assert (complaint.rule, complaint.where) == ("contract", "dbt/models/orders.sql")
    assert complaints([made, asked], {}, tmp_path / "manifest.json") == []


def test_a_table_is_not_changed_more_than_500_times_a_day(jobs: Jobs) -> None:
    once = send(jobs, "insert into d.orders (id) values ('a')")
    twice = send(jobs, "insert into d.orders (id) values ('a'); delete from d.orders where id = 'a'")
    assert rules(once, "monitor", {"monitor": 288}) == set()
    assert rules(twice, "monitor", {"monitor": 288}) == {"changes"}
    assert rules(send(jobs, "select id from d.orders"), "monitor", {"monitor": 5_000}) == set()


def test_the_project_contains_earlier_tables(jobs: Jobs) -> None:
    assert "Not found" in send(jobs, "select x from d.later")["error"]
    send(jobs, "create table d.later (x int64)")
    send(jobs, "alter table d.later add column if not exists y numeric(38, 9), add column z string")
    assert jobs.project.relations["d", "later"].columns == (Column("x", "INT64"), Column("y", "NUMERIC"), Column("z", "STRING"))
    assert send(jobs, "select x, y, z from d.later")["error"] is None
    send(jobs, "alter table d.later rename column z to w; alter table d.later rename to latest; create table d.other (x int64)")
    assert send(jobs, "select x, y, w from d.latest")["error"] is None
    assert "Already Exists" in send(jobs, "alter table d.latest rename to other")["error"]
    send(jobs, "drop table d.latest")
    for name in ("later", "latest"):
        assert "Not found" in send(jobs, f"select x from d.{name}")["error"]


def test_a_clone_of_another_partitioning_is_refused(jobs: Jobs) -> None:
    send(jobs, "create table d.a (made_at timestamp) partition by date(made_at); create table d.b (made_at timestamp)")
    assert "different partitioning spec" in send(jobs, "create or replace table d.b clone d.a")["error"]
    assert send(jobs, "create or replace table d.a clone d.a")["error"] is None


def test_variables_of_a_script_are_known(jobs: Jobs) -> None:
    script = "declare found bool; set found = (select count(*) > 0 from d.orders); if found then truncate table d.{}; end if"
    assert send(jobs, script.format("orders"))["error"] is None
    assert "Not found" in send(jobs, script.format("nothing"))["error"]


def test_statements_of_one_kind_differ_in_values_only() -> None:
    one = kinds_of("/* a */ select 'x', 12 from `local`.`d`.`t__dbt_tmp0012` where a in ('b', 'c') -- note")
    assert one == kinds_of("select 'it\\'s', 3.5   from `local`.`d`.`t__dbt_tmp99` where a in ('b')")
    assert one != kinds_of("select 'x', 12 from `local`.`d`.`u` where a in ('b', 'c')")
    assert kinds_of("select ';' as a;\nselect b;") == ["select ? as a", "select b"], "a script's statements come in any order"
    one, other = "(\n-- core.a\nselect a\n)", "(\n-- core.b\nselect b\n)"
    gate = "SELECT {} AS `query_value`, {} AS `query_value_1` \nFROM (select 1 as one) AS `anon_1`"
    assert set(kinds_of(gate.format(one, other))) == {"select a", "select b", "from (select ? as one) as `anon_1`"}
    assert set(kinds_of(gate.format(one, other))) == set(kinds_of(gate.format(other, one))), "and so do the values of a gate"


def test_a_name_of_another_project_is_refused(engine: Engine) -> None:
    with pytest.raises(Refused, match="other-project"):
        Judge(engine, Project("local")).judge("select 1 as x from `other-project.d.t`")


def test_a_refused_rule_of_a_gate_is_named(jobs: Jobs) -> None:
    sql = "select (-- core.first\nselect count(*) from d.orders),\n(-- core.second\nselect count(*) from d.orders where nothing = 1)"
    (complaint,) = complaints([send(jobs, sql)], {}, ROOT / "no-manifest.json")
    assert complaint.where == "rule core.second, include/some/module.py:12"
