"""mtr_revenue_by_month: one row per organization and month, from its first order on."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

from tests.recompute.money import percentile
from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.orders import fct_orders
from tests.recompute.world import Row, World


def _month(orders: list[Row]) -> Row:
    counting = [order for order in orders if order["is_revenue"]]
    amounts = [order["revenue_amount"] for order in counting if order["has_rate"]]
    customers = {order["account_id"] for order in counting if order["has_rate"]}
    revenue = sum(amounts, Fraction(0))
    return {
        "order_revenue": revenue,
        "order_count": len(amounts),
        "orders_without_rate": len(counting) - len(amounts),
        "excluded_order_count": len(orders) - len(counting),
        "customer_count": len(customers),
        "average_order_value": revenue / len(amounts) if amounts else None,
        "average_revenue_per_customer": revenue / len(customers) if customers else None,
        "median_order_value": percentile(amounts, Fraction(1, 2)),
        "p75_order_value": percentile(amounts, Fraction(3, 4)),
        "p95_order_value": percentile(amounts, Fraction(95, 100)),
    }


def mtr_revenue_by_month(world: World) -> list[Row]:
    """The rows of mtr_revenue_by_month, by organization and month, without a gap."""
    orders: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for order in fct_orders(world):
        if order["ordered_at"] >= world.as_of:
            continue
        orders[order["organization_id"]][month_of(order["ordered_at"])].append(order)
    organizations = world.by_key("organizations")
    last = month_of(world.as_of - timedelta(microseconds=1))
    rows: list[Row] = []
    for tenant, by_month in orders.items():
        first = min(by_month)
        figures = {month: _month(by_month.get(month, [])) for month in months_between(first, last)}
        for month, row in figures.items():
            earlier = figures.get(shifted(month, -12))
            before = earlier["order_revenue"] if earlier else None
            is_complete = month_end(month) <= world.as_of
            growth = (row["order_revenue"] - before) / before * 100 if before and is_complete else None
            rows.append(
                {
                    "organization_id": tenant,
                    "month": month,
                    "year": month.year,
                    "reporting_currency": organizations[tenant]["reporting_currency"],
                    "is_complete": is_complete,
                    "is_year_complete": month_end(date(month.year, 12, 1)) <= world.as_of and first <= date(month.year, 1, 1),
                    **row,
                    "previous_year_revenue": before,
                    "revenue_yoy_pct": growth,
                }
            )
    return rows
