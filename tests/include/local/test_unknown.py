"""The summary names what the data lack, and which figures are therefore unknown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

from include.contract import Entity
from include.local import unknown
from include.sources import load_sources
from include.sources.feeds import feeds
from tests.warehouse import connected

SOURCES = load_sources()


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "staging") as client:
        yield client


def entity(**unknown_without: str) -> Entity:
    columns = {name: {"type": "string", "description": "A column."} for name in ("organization_id", "id", "unit_cost", "stock")}
    return Entity.model_validate(
        {"description": "One row.", "key": ["organization_id", "id"], "columns": columns, "unknown_without": unknown_without}
    )


def test_columns_without_a_value_and_entities_without_rows_are_named(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        "products": entity(rows="prices", unit_cost="margin, CLV", stock="inventory"),
        "orders": entity(rows="order revenue", unit_cost="nothing"),
        "leads": entity(rows="funnel"),
        "users": entity(),
    }
    monkeypatch.setattr(unknown, "contract", lambda: named)
    fed = {name: found for name, found in feeds(SOURCES).items() if name in {"products", "orders"}}
    # A second system feeds products too. The entity leads is fed by no source.
    fed["products"] = [*fed["products"], fed["orders"][0]]
    monkeypatch.setattr(unknown, "feeds", lambda sources: fed)
    bq.query(
        """
        create view staging.stg_crm__products as
            select 'a' as organization_id, '1' as id, cast(null as string) as unit_cost, cast(null as string) as stock
            union all select 'a', '2', null, 'x';
        create view staging.stg_crm__orders as select 'a' as organization_id, '1' as id, cast(null as string) as unit_cost, cast(null as string) as stock
            from unnest(cast([] as array<int64>))
        """
    ).result()
    assert unknown.unknown_figures() == ["no unit_cost in products: margin, CLV", "no orders: order revenue", "no leads: funnel"]
    bq.query(
        """
        create or replace view staging.stg_crm__orders as
            select 'a' as organization_id, '1' as id, cast(null as string) as unit_cost, cast(null as string) as stock
            union all select 'a', '2', '5', null
        """
    ).result()
    assert unknown.unknown_figures() == ["no leads: funnel"]
