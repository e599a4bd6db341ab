"""fct_orders and mtr_revenue_by_month on hand-worked orders."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from tests.recompute.factory import account, order, organization
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


def test_an_amount_that_is_not_recorded_is_left_out_and_its_order_counted() -> None:
    charged = {"tax_amount": Decimal(1), "shipping_amount": Decimal(1), "total_amount": Decimal(12)}
    bought = [
        order(str(number), "2026-09-01", "10", **(charged | {name: None} if name else charged))
        for number, name in enumerate((*charged, None))
    ]
    month = by_month(*bought, order("no rate", "2026-09-01", "10", currency="XXX"))[date(2026, 9, 1)]
    names = ("order_revenue", "order_tax_amount", "order_shipping_amount", "order_charged_amount", "orders_without_charges")
    assert tuple(month[name] for name in names) == (40, 3, 3, 36, 3)


def test_an_order_without_a_rate_is_counted_separately() -> None:
    rate = {"rate_date": date(2026, 9, 2), "currency": "EUR", "rate_to_usd": Decimal("1.25")}
    early = order("1", "2026-09-01", "10", currency="USD")
    late = order("2", "2026-09-03", "10", currency="USD")
    month = by_month(early, late, fx_rates=[rate])[date(2026, 9, 1)]
    assert (month["order_revenue"], month["order_count"], month["orders_without_rate"]) == (8, 1, 1)
