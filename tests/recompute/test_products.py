"""dim_products, fct_order_items and mart_product_performance on hand-worked rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.recompute.factory import account, order, order_item, organization, product
from tests.recompute.products import fct_order_items, mart_product_performance
from tests.recompute.sources import Row, SourceData


def sources(*items: Row) -> SourceData:
    return SourceData.of(
        datetime(2026, 9, 15, tzinfo=UTC),
        organizations=[organization()],
        accounts=[account()],
        products=[product(), product(product_id="q", currency="XXX")],
        orders=[order("1", "2026-09-01", "30"), order("2", "2026-09-02", "30", status="refunded")],
        order_items=list(items),
    )


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_line_of_an_unknown_order_is_left_out() -> None:
    assert fct_order_items(sources(order_item("gone", "30"))) == []


def test_products_are_ranked_by_the_revenue_of_the_month() -> None:
    items = [
        order_item("1", "30", quantity=3),
        order_item("1", "10", order_item_id="x", product_id="q"),
        order_item("2", "99", order_item_id="y"),
        order_item("1", "0", order_item_id="z", product_id="gone"),
    ]
    rows = {row["product_id"]: row for row in mart_product_performance(sources(*items))}
    assert values(rows["p"], "month", "line_count", "excluded_line_count", "units_sold") == (date(2026, 9, 1), 1, 1, 3)
    assert values(rows["p"], "revenue_amount", "cost_amount", "margin_pct", "revenue_share_pct") == (30, 12, 60, 75)
    # The cost of this product is in a currency without a rate.
    assert values(rows["q"], "lines_without_cost", "revenue_amount", "margin_amount", "margin_pct") == (1, 10, None, None)
    assert values(rows["gone"], "product_name", "product_key", "average_unit_revenue") == ("unknown", None, Decimal(0))
    assert [rows[name]["revenue_rank"] for name in ("p", "q", "gone")] == [1, 2, 3]
