"""fct_orders and mtr_revenue_by_month on hand-worked orders."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from tests.recompute.factory import account, order, order_item, organization
from tests.recompute.orders import fct_orders
from tests.recompute.revenue import mtr_revenue_by_month
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def sources(*orders: Row, **tables: list[Row]) -> SourceData:
    return SourceData.of(
        AS_OF,
        organizations=[organization()],
        accounts=[account()],
        orders=list(orders),
        **tables,
    )


def by_month(*orders: Row, **tables: list[Row]) -> dict[date, Row]:
    return {row["month"]: row for row in mtr_revenue_by_month(sources(*orders, **tables))}


def test_cancelled_and_refunded_orders_are_no_revenue() -> None:
    rows = fct_orders(sources(order("1", "2026-09-01", "10"), order("2", "2026-09-01", "20", status="refunded")))
    assert [row["revenue_amount"] for row in rows] == [10, 0]
    assert [row["total_amount_reporting"] for row in rows] == [10, 20]


def test_order_revenue_is_net() -> None:
    charged = {
        "discount_amount": Decimal(10),
        "tax_amount": Decimal(18),
        "shipping_amount": Decimal(5),
        "total_amount": Decimal(113),
    }
    bought = [order("1", "2026-09-01", "100", **charged), order("2", "2026-09-02", "100", status="cancelled", **charged)]
    first, cancelled = fct_orders(sources(*bought))
    assert (first["net_amount"], first["revenue_amount"], first["total_amount_reporting"]) == (90, 90, 113)
    assert (cancelled["net_amount"], cancelled["revenue_amount"]) == (90, 0)
    month = by_month(*bought)[date(2026, 9, 1)]
    assert (month["order_revenue"], month["average_order_value"], month["average_revenue_per_customer"]) == (90, 90, 90)
    assert (month["order_tax_amount"], month["order_shipping_amount"], month["order_charged_amount"]) == (18, 5, 113)


def test_an_amount_that_is_not_recorded_is_left_out_and_its_order_counted() -> None:
    charged = {"tax_amount": Decimal(1), "shipping_amount": Decimal(1), "total_amount": Decimal(12)}
    bought = [
        order(str(number), "2026-09-01", "10", **(charged | {name: None} if name else charged))
        for number, name in enumerate((*charged, None))
    ]
    month = by_month(*bought, order("no rate", "2026-09-01", "10", currency="XXX"))[date(2026, 9, 1)]
    names = ("order_revenue", "order_tax_amount", "order_shipping_amount", "order_charged_amount", "orders_without_charges")
    assert tuple(month[name] for name in names) == (40, 3, 3, 36, 3)


def test_an_order_of_an_unknown_account_has_no_account_key() -> None:
    rows = fct_orders(sources(order("1", "2026-09-01", "10"), order("2", "2026-09-01", "20", account_id="gone")))
    assert [row["account_key"] for row in rows] == ["t|a", None]


def test_an_order_without_a_rate_is_counted_separately() -> None:
    rate = {"rate_date": date(2026, 9, 2), "currency": "EUR", "rate_to_usd": Decimal("1.25")}
    early = order("1", "2026-09-01", "10", currency="USD")
    late = order("2", "2026-09-03", "10", currency="USD")
    month = by_month(early, late, fx_rates=[rate])[date(2026, 9, 1)]
    assert (month["order_revenue"], month["order_count"], month["orders_without_rate"]) == (8, 1, 1)


def test_months_have_no_gap_and_the_last_is_incomplete() -> None:
    months = by_month(order("1", "2026-06-30T23:59:59", "10"), order("2", "2026-09-01", "20"))
    assert [(month.month, row["order_revenue"], row["is_complete"]) for month, row in months.items()] == [
        (6, 10, True),
        (7, 0, True),
        (8, 0, True),
        (9, 20, False),
    ]
    assert months[date(2026, 7, 1)]["average_order_value"] is None


def test_growth_compares_complete_months_only() -> None:
    months = by_month(
        order("1", "2025-08-03", "100"),
        order("2", "2026-08-03", "150"),
        order("3", "2025-09-03", "100"),
        order("4", "2026-09-03", "50"),
    )
    assert months[date(2026, 8, 1)]["revenue_yoy_pct"] == 50
    # September has not ended. Its revenue is shown, its growth is not.
    assert months[date(2026, 9, 1)]["previous_year_revenue"] == 100
    assert months[date(2026, 9, 1)]["revenue_yoy_pct"] is None
    # There is no data a year before the first order, so there is no growth.
    assert months[date(2025, 8, 1)]["previous_year_revenue"] is None
    assert not any(row["is_year_complete"] for row in months.values())


def test_a_year_is_complete_if_it_has_ended_and_orders_cover_all_of_it() -> None:
    months = by_month(order("1", "2025-01-20", "1"))
    assert {month.year: row["is_year_complete"] for month, row in months.items()} == {2025: True, 2026: False}


def test_a_month_has_averages_and_percentiles() -> None:
    orders = [order(str(n), "2026-08-03", str(10 * n), account_id="a" if n < 4 else "b") for n in range(1, 5)]
    month = by_month(*orders)[date(2026, 8, 1)]
    assert (month["customer_count"], month["average_order_value"], month["average_revenue_per_customer"]) == (
        2,
        25,
        50,
    )
    assert (month["median_order_value"], month["p75_order_value"], month["p95_order_value"]) == (
        25,
        32.5,
        38.5,
    )


def test_the_top_10_shares_of_customers_and_products() -> None:
    items = [order_item(str(n), str(n), product_id=None if n == 12 else f"p{n}") for n in range(1, 13)]
    orders = [order(str(n), "2026-08-03", str(n), account_id=f"a{n}") for n in range(1, 13)]
    month = by_month(*orders, order_items=items)[date(2026, 8, 1)]
    # The revenue is 78. The two smallest customers have 3 of it. The unknown product (12) and the smallest one (1) are left out.
    assert month["top_10_customer_share_pct"] * 78 == 7500
    assert month["top_10_product_share_pct"] * 78 == 6500
    assert (month["product_revenue"], month["median_revenue_per_customer"], month["p95_revenue_per_customer"]) == (
        78,
        6.5,
        Fraction(1145, 100),
    )


def test_only_complete_years_are_compared() -> None:
    months = by_month(
        order("0", "2023-02-20", "7"),
        order("1", "2024-01-20", "100"),
        order("2", "2024-12-20", "100"),
        order("3", "2025-06-20", "150"),
        order("4", "2026-06-20", "400"),
    )
    assert {month.year: (row["year_order_revenue"], row["year_revenue_yoy_pct"]) for month, row in months.items()} == {
        # The first year does not begin in January, and the last year has not ended.
        2023: (7, None),
        2024: (200, None),
        2025: (150, -25),
        2026: (400, None),
    }


def test_the_year_that_has_just_ended_is_complete() -> None:
    bought = [order("1", "2025-01-20", "1")]
    for as_of, expected in ((datetime(2026, 1, 1, tzinfo=UTC), True), (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), False)):
        rows = mtr_revenue_by_month(SourceData.of(as_of, organizations=[organization()], accounts=[account()], orders=bought))
        assert [(row["month"].month, row["is_year_complete"]) for row in rows] == [(month, expected) for month in range(1, 13)]
        assert rows[-1]["is_complete"] is expected
