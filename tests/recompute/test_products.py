"""dim_products, fct_order_items and mart_product_performance on hand-worked rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.recompute.factory import account, order, order_item, organization, product
from tests.recompute.products import dim_products, fct_order_items, inventory_status, mart_product_performance, price_tier
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


def test_the_discount_of_an_order_falls_on_its_lines() -> None:
    # Lines of 75 and 25 and a discount of 10: 7.5 and 2.5.
    tables = {
        "organizations": [organization()],
        "products": [product(), product(product_id="q")],
        "orders": [order("1", "2026-09-01", "100", discount_amount=Decimal(10))],
        "order_items": [order_item("1", "75"), order_item("1", "25", order_item_id="i2", product_id="q")],
    }
    found = SourceData.of(datetime(2026, 9, 15, tzinfo=UTC), **tables)
    assert [row["net_amount_reporting"] for row in fct_order_items(found)] == [Fraction("67.5"), Fraction("22.5")]
    sold = [(row["revenue_amount"], row["order_discount_amount"]) for row in mart_product_performance(found)]
    assert sold == [(Fraction("67.5"), Fraction("7.5")), (Fraction("22.5"), Fraction("2.5"))]


@pytest.mark.parametrize(
    ("subtotal", "discount", "expected"),
    [
        (None, Decimal(10), (None, None, False)),
        (Decimal(0), Decimal(10), (None, None, False)),
        (None, Decimal(0), (0, 75, True)),
        (Decimal(0), None, (0, 75, True)),
    ],
)
def test_a_discount_that_cannot_be_spread_is_unknown(
    subtotal: Decimal | None, discount: Decimal | None, expected: tuple[Any, ...]
) -> None:
    tables = {
        "organizations": [organization()],
        "products": [product()],
        "orders": [order("1", "2026-09-01", "75", subtotal_amount=subtotal, discount_amount=discount)],
        "order_items": [order_item("1", "75")],
    }
    found = SourceData.of(datetime(2026, 9, 15, tzinfo=UTC), **tables)
    (row,) = fct_order_items(found)
    assert values(row, "order_discount_amount", "net_amount_reporting", "has_rate") == expected
    (sold,) = mart_product_performance(found)
    assert values(sold, "line_count", "lines_without_rate", "revenue_amount") == ((1, 0, 75) if expected[2] else (0, 1, 0))


def test_a_tier_includes_its_lower_bound() -> None:
    prices = [Fraction(price) for price in ("49.99", "50", "200", "1000")]
    assert [price_tier(price) for price in [None, *prices]] == [None, "budget", "mid-range", "premium", "luxury"]


def test_stock_at_the_reorder_level_is_low() -> None:
    assert [inventory_status(stock, 3) for stock in (None, 0, 3, 4)] == ["unknown", "out_of_stock", "low", "in_stock"]


def test_a_product_has_a_margin() -> None:
    (row, other) = dim_products(sources())
    assert values(row, "margin_amount", "margin_pct", "price_tier") == (6, 60, "budget")
    assert values(other, "unit_price_reporting", "price_tier") == (None, None)


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
    assert values(rows["q"], "lines_without_cost", "revenue_amount", "margin_amount", "margin_pct") == (1, 10, 0, None)
    assert values(rows["gone"], "product_name", "product_key", "average_unit_revenue") == ("unknown", None, Decimal(0))
    assert [rows[name]["revenue_rank"] for name in ("p", "q", "gone")] == [1, 2, 3]
