"""A dbt project of two models, and queries that run on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from sqlglot import parse_one

from include.explain.project import Project
from include.explain.queries import Queries
from include.warehouse import Parameters, Row

SALES = "core.fct_sales"
ACCOUNTS = "core.dim_accounts"
WEIGHTED = "marts_build.mart_weighted"
FUNNEL = "marts_build.mart_funnel"
_FUNNEL = """
with outcomes as (
    select organization_id, stage, count(*) as lead_count from `local`.`core`.`fct_sales` group by organization_id, stage
)
select
    organization_id,
    stage,
    lead_count,
    sum(outcomes.lead_count) over (partition by organization_id) as organization_leads,
    100 * outcomes.lead_count / sum(outcomes.lead_count) over (partition by organization_id) as share_pct
from outcomes
"""
_WEIGHTED = """
with weights as (
    select organization_id, sum(weight) as all_weights from `local`.`core`.`dim_accounts` group by organization_id
),

weighted as (
    select sales.organization_id, sales.month, sum(accounts.weight) as weighted_sales
    from `local`.`core`.`fct_sales` as sales
    left join `local`.`core`.`dim_accounts` as accounts
        on accounts.organization_id = sales.organization_id and accounts.account_key = sales.account_key
    group by sales.organization_id, sales.month
)

select weighted.organization_id, weighted.month, weighted.weighted_sales, weights.all_weights
from weighted
left join weights on weights.organization_id = weighted.organization_id
"""


def small_project() -> Project:
    """`core.fct_sales`, a row per lead, and the mart that counts them."""
    keys = {"organization_id": "string", "stage": "string"}
    counts = {"lead_count": "int64", "organization_leads": "int64", "share_pct": "float64"}
    sales = _model(SALES, keys, "select 'a' as organization_id, 'won' as stage")
    funnel = _model(FUNNEL, keys | counts, _FUNNEL, sales["unique_id"])
    return Project({"sources": {}, "nodes": {node["unique_id"]: node for node in (sales, funnel)}})


def joined_project() -> Project:
    """A row per sale, the accounts with their weights, and the mart that adds up the weights of a month's sales."""
    sales = _model(SALES, {"organization_id": "string", "account_key": "string", "month": "date"}, "select 1")
    accounts = _model(ACCOUNTS, {"organization_id": "string", "account_key": "string", "weight": "int64"}, "select 1")
    figures = {"organization_id": "string", "month": "date", "weighted_sales": "int64", "all_weights": "int64"}
    weighted = _model(WEIGHTED, figures, _WEIGHTED, sales["unique_id"], accounts["unique_id"])
    return Project({"sources": {}, "nodes": {node["unique_id"]: node for node in (sales, accounts, weighted)}})


def _model(name: str, columns: dict[str, str], sql: str, *parents: str) -> dict[str, Any]:
    schema, _, alias = name.partition(".")
    return {
        "unique_id": f"model.small.{alias}",
        "resource_type": "model",
        "schema": schema,
        "alias": alias,
        "name": alias,
        "relation_name": f"`local`.`{schema}`.`{alias}`",
        "columns": {column: {"data_type": kind, "description": ""} for column, kind in columns.items()},
        "config": {"materialized": "table"},
        "compiled_code": sql,
        "depends_on": {"nodes": list(parents)},
    }


class DuckQueries(Queries):
    """Queries that run on DuckDB."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        assert not parameters, "a parameter would be lost"
        found = self.connection.execute(parse_one(sql, dialect="bigquery").sql(dialect="duckdb"))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def duck(*statements: str) -> Iterator[DuckQueries]:
    """An empty warehouse `local`, after some statements of DuckDB."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as local; use local")
        for statement in statements:
            connection.execute(statement)
        yield DuckQueries(connection)
