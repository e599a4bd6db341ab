"""The rows that a query needs for one row of its result: what they are, and that they alone give it, on random tables."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

import duckdb
import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify

from include.explain.conditions import Demand
from include.explain.demand import condition_of, demands_of, tightest
from include.explain.queries import sql_of

SALES = {"org": "string", "customer": "string", "month": "date", "day": "date", "amount": "int64", "is_paid": "bool"}
CUSTOMERS = {"org": "string", "customer": "string", "segment": "string", "parent": "string"}
SCHEMA = {"core": {"sales": SALES, "customers": CUSTOMERS}}
ORG, MONTH = "org = 'a'", "month = date '2026-03-01'"

# Query, conditions on its result, wanted column, and the conditions on the tables that follow.
CASES: dict[str, tuple[str, tuple[str, ...], str, dict[str, str]]] = {
    "a group's key": (
        "select org, month, sum(amount) as total from core.sales where is_paid group by org, month",
        (ORG, MONTH),
        "total",
        {"core.sales": f"{ORG} and {MONTH} and is_paid"},
    ),
    "a condition on an aggregate is lost": (
        "select org, sum(amount) as total from core.sales group by org",
        (ORG, "total > 7"),
        "total",
        {"core.sales": ORG},
    ),
    "an aggregate that the parser does not know is one": (
        "select org, product(amount) as total from core.sales group by org",
        (ORG, "total > 7"),
        "total",
        {"core.sales": ORG},
    ),
    "a window keeps its partition": (
        "select org, month, customer, amount, sum(amount) over (partition by org) as of_all from core.sales",
        (ORG, MONTH, "customer = 'x'"),
        "of_all",
        {"core.sales": ORG},
    ),
    "a window of which nothing is needed does not count": (
        "select org, month, customer, amount, sum(amount) over (partition by org) as of_all from core.sales",
        (ORG, MONTH, "customer = 'x'"),
        "amount",
        {"core.sales": f"{ORG} and {MONTH} and customer = 'x'"},
    ),
    "a distinct row consists of all columns": (
        "select distinct org, customer, amount, rank() over (partition by org order by amount) as position from core.sales",
        (ORG, "customer = 'x'"),
        "amount",
        {"core.sales": ORG},
    ),
    "a distinct union consists of all columns": (
        "with u as (select org, customer, rank() over (partition by org order by amount) as position from core.sales union distinct select org, "
        "customer, 0 from core.sales where is_paid) select org, customer, count(*) as n from u group by 1, 2",
        (ORG, "customer = 'x'"),
        "n",
        {"core.sales": f"{ORG}"},
    ),
    "a window over earlier rows keeps them": (
        "with m as (select org, month, sum(amount) as amount from core.sales group by org, month) "
        "select org, month, sum(amount) over (partition by org order by month rows between 2 preceding and current row) as recent from m",
        (ORG, MONTH),
        "recent",
        {"core.sales": f"{ORG} and month <= date '2026-03-01'"},
    ),
    "a window over later rows keeps all": (
        "with m as (select org, month, sum(amount) as amount from core.sales group by org, month) "
        "select org, month, sum(amount) over (partition by org order by month rows between current row and 1 following) as ahead from m",
        (ORG, MONTH),
        "ahead",
        {"core.sales": ORG},
    ),
    "a constant leaves parts of a union out": (
        "with c as (select 'a' as kind, org, month, amount from core.sales union all select 'b', org, month, 2 * amount from core.sales "
        "where is_paid) select kind, org, month, sum(amount) as total from c group by kind, org, month",
        (ORG, MONTH, "kind = 'b'"),
        "total",
        {"core.sales": f"{ORG} and {MONTH} and is_paid"},
    ),
    "a join passes a value on through a function": (
        "with m as (select org, month, sum(amount) as amount from core.sales group by org, month) select m.org, m.month, m.amount - "
        "coalesce(before.amount, 0) as growth from m left join m as before on before.org = m.org and before.month = "
        "date_sub(m.month, interval 2 month)",
        (ORG, MONTH),
        "growth",
        {"core.sales": f"{ORG} and ({MONTH} or month = date '2026-01-01')"},
    ),
    "a default of a left join is no condition on the joined rows": (
        "select s.org, coalesce(c.segment, 'none') as segment, sum(s.amount) as total from core.sales as s left join core.customers as c "
        "on c.org = s.org and c.customer = s.customer group by 1, 2",
        (ORG, "segment = 'none'"),
        "total",
        {"core.sales": ORG, "core.customers": ORG},
    ),
    "a left join of which nothing is needed does not count": (
        "select s.org, s.month, sum(s.amount) as total, any_value(c.segment) as segment from core.sales as s left join (select distinct org, "
        "customer, 's' as segment from core.customers) as c on c.org = s.org and c.customer = s.customer group by 1, 2",
        (ORG, MONTH),
        "total",
        {"core.sales": f"{ORG} and {MONTH}"},
    ),
    "an inner join limits both sides": (
        "select s.org, s.customer, sum(s.amount) as total from core.sales as s inner join core.customers as c on c.org = s.org and c.customer "
        "= s.customer and c.segment = 'big' group by 1, 2",
        (ORG, "customer = 'x'"),
        "total",
        {"core.sales": f"{ORG} and customer = 'x'", "core.customers": f"{ORG} and customer = 'x' and segment = 'big'"},
    ),
    "a filter on a missing match is no condition on the joined rows": (
        "select s.org, s.customer, count(*) as orphans from core.sales as s left join core.customers as c on c.org = s.org and c.customer = "
        "s.customer where c.customer != s.customer or c.customer is null group by 1, 2",
        (ORG, "customer = 'x'"),
        "orphans",
        {"core.sales": f"{ORG} and customer = 'x'", "core.customers": f"{ORG} and customer = 'x'"},
    ),
    "a condition of a left join does not limit the left side": (
        "select s.org, sum(s.amount) as total, count(c.customer) as n from core.sales as s left join core.customers as c on c.org = s.org and "
        "c.customer = s.customer and s.is_paid group by 1",
        (ORG, "n >= 0"),
        "total",
        {"core.sales": ORG, "core.customers": ORG},
    ),
    "a left join that another one needs counts": (
        "select s.org, sum(s.amount) as total, count(p.customer) as n from core.sales as s left join core.customers as c on c.org = s.org and "
        "c.customer = s.customer left join core.customers as p on p.org = s.org and p.segment = c.segment and p.customer = 'x' group by 1",
        (ORG,),
        "n",
        {"core.sales": ORG, "core.customers": ORG},
    ),
    "an expression of one table": (
        "select org, last_day(day, month) as month, count(distinct customer) as n from core.sales group by 1, 2",
        (ORG, "month = date '2026-03-31'"),
        "n",
        {"core.sales": f"{ORG} and last_day(day, month) = date '2026-03-31'"},
    ),
    "the rows of a sub-query all count": (
        "select org, month, sum(amount) as total from core.sales where customer in (select customer from core.customers) group by 1, 2",
        (ORG, MONTH),
        "total",
        {"core.sales": f"{ORG} and {MONTH}", "core.customers": "true"},
    ),
    "qualify looks at its partition": (
        "select org, customer, amount from core.sales where true qualify row_number() over (partition by org, customer order by day, amount) = 1",
        (ORG, "customer = 'x'", "amount > 0"),
        "amount",
        {"core.sales": f"{ORG} and customer = 'x'"},
    ),
}


def qualified(sql: str) -> exp.Expression:
    return qualify(parse_one(sql, dialect="bigquery"), dialect="bigquery", schema=SCHEMA, quote_identifiers=False)


def demand(conditions: tuple[str, ...], column: str) -> Demand:
    return Demand(tuple(parse_one(each, dialect="bigquery") for each in conditions), frozenset({column}))


def parts(condition: exp.Expression) -> set[str]:
    """The conjuncts of a condition, as texts without an order."""
    texts = set()
    for part in condition.unnest().flatten() if isinstance(condition.unnest(), exp.And) else [condition.unnest()]:
        options = part.unnest().flatten() if isinstance(part.unnest(), exp.Or) else [part]
        texts.add(" or ".join(sorted(sql_of(option.unnest()) for option in options)))
    return texts


@pytest.mark.parametrize("name", CASES)
def test_the_needed_rows(name: str) -> None:
    sql, conditions, column, expected = CASES[name]
    found = demands_of(qualified(sql), [demand(conditions, column)])
    assert {table: parts(condition_of(demands)) for table, demands in found.items()} == {
        table: parts(parse_one(text, dialect="bigquery")) for table, text in expected.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_the_needed_rows_alone_give_the_result(name: str) -> None:
    sql, conditions, column, _ = CASES[name]
    found = demands_of(qualified(sql), [demand(conditions, column)])
    limits = {table: condition_of(found[table]) if table in found else exp.false() for table in ("core.sales", "core.customers")}
    wanted = f"select {column} from ({sql}) as result where {' and '.join(conditions)} order by 1"
    whole, alone = (
        parse_one(wanted.replace("core.", schema), dialect="bigquery").sql(dialect="duckdb") for schema in ("core.", "kept.")
    )
    dice, results = random.Random(name), []
    with duckdb.connect() as warehouse:
        warehouse.execute("create schema core; create schema kept")
        for _ in range(30):
            fill(warehouse, dice, limits)
            results.append(warehouse.execute(whole).fetchall())
            assert warehouse.execute(alone).fetchall() == results[-1]
    assert any(results), "no table had a row of the result"


def fill(warehouse: Any, dice: random.Random, limits: Mapping[str, exp.Expression]) -> None:
    """Create both tables of `core` with random rows, and those of `kept` with the rows that fulfil the conditions."""
    days = [date(2026, month, day) for month in (1, 2, 3, 4) for day in (1, 20)]
    chosen = [
        (dice.choice("ab"), dice.choice("xyz"), dice.choice(days), dice.randint(1, 4), dice.random() < 0.6) for _ in range(25)
    ]
    sales = [
        f"('{org}', '{who}', date '{day.replace(day=1)}', date '{day}', {amount}, {paid})"
        for org, who, day, amount, paid in chosen
    ]
    known = {(dice.choice("ab"), dice.choice("xyz")): dice.choice(["big", "small", "none"]) for _ in range(4)}
    customers = [f"('{org}', '{who}', '{segment}', null)" for (org, who), segment in known.items()]
    for table, columns, lines in (("core.sales", SALES, sales), ("core.customers", CUSTOMERS, customers)):
        names = ", ".join(columns)
        warehouse.execute(f"create or replace table {table} as select * from (values {', '.join(lines)}) as t({names})")
        kept = limits[table].sql(dialect="duckdb")
        warehouse.execute(f"create or replace table {table.replace('core', 'kept')} as select * from {table} where {kept}")


def test_a_recursion_needs_every_row() -> None:
    sql = (
        "with recursive w as (select org, customer, parent, 1 as depth from core.customers union all select w.org, w.customer, c.parent, w.depth + 1 "
        "from w inner join core.customers as c on c.org = w.org and c.customer = w.parent where w.depth < 5) select org, customer, parent from w"
    )
    found = demands_of(qualified(sql), [demand((ORG, "customer = 'x'"), "parent")])
    assert sql_of(condition_of(found["core.customers"])) == "true"


def test_a_demand_that_only_lacks_conditions_is_left_out() -> None:
    calendar, month, year_before = (
        demand((ORG,), "month"),
        demand((ORG, MONTH), "amount"),
        demand((ORG, "month = date '2025-03-01'"), "amount"),
    )
    assert tightest([calendar, month, year_before]) == [month, year_before]
    other = demand(("org = 'b'",), "amount")
    assert tightest([other, month]) == [other, month]
