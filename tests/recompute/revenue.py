"""mtr_revenue_by_month: one row per organization and month, from the month of the first order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction

from tests.recompute.grouping import grouped, total
from tests.recompute.money import percentile
from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.orders import charges, fct_orders
from tests.recompute.products import mart_product_performance
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN, share

PERCENTILES = {"median": Fraction(1, 2), "p75": Fraction(3, 4), "p95": Fraction(95, 100)}
# The concentration of revenue is measured on this many top customers and products.
TOP = 10


def _top(amounts: Iterable[Fraction]) -> Fraction:
    return sum(sorted(amounts, reverse=True)[:TOP], Fraction(0))


def _month(orders: list[Row], products: list[Row]) -> Row:
    counting = [order for order in orders if order["is_revenue"]]
    bought = [order for order in counting if order["has_rate"]]
    amounts = [order["revenue_amount"] for order in bought]
    customers = [total(own, "revenue_amount") for (account,), own in grouped(bought, "account_id").items() if account is not None]
    revenue, sold = sum(amounts, Fraction(0)), total(products, "revenue_amount")
    named = [product["revenue_amount"] for product in products if product["product_id"] != UNKNOWN]
    return {
        "order_revenue": revenue,
        **charges(bought),
        "order_count": len(amounts),
        "orders_without_rate": len(counting) - len(amounts),
        "excluded_order_count": len(orders) - len(counting),
        "customer_count": len(customers),
        **{f"{name}_revenue_per_customer": percentile(customers, part) for name, part in PERCENTILES.items()},
        "top_10_customer_share_pct": share(_top(customers), revenue),
        "product_revenue": sold,
        "top_10_product_share_pct": share(_top(named), sold),
        "average_order_value": revenue / len(amounts) if amounts else None,
        "average_revenue_per_customer": revenue / len(customers) if customers else None,
        **{f"{name}_order_value": percentile(amounts, part) for name, part in PERCENTILES.items()},
    }


def _growth(years: dict[int, Fraction], year: int) -> Fraction | None:
    return share(years[year] - years[year - 1], years[year - 1])


def mtr_revenue_by_month(sources: SourceData) -> list[Row]:
    """The rows of mtr_revenue_by_month, by organization and month, without a gap."""
    orders: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for order in fct_orders(sources):
        if order["ordered_at"] >= sources.as_of:
            continue
        orders[order["organization_id"]][month_of(order["ordered_at"])].append(order)
    organizations = sources.by_key("organizations")
    products = grouped(mart_product_performance(sources), "organization_id", "month")
    last = month_of(sources.as_of - timedelta(microseconds=1))
    rows: list[Row] = []
    for tenant, by_month in orders.items():
        first = min(by_month)
        figures = {
            month: _month(by_month.get(month, []), products.get((tenant, month), [])) for month in months_between(first, last)
        }
        years = {month.year: Fraction(0) for month in figures}
        for month, row in figures.items():
            years[month.year] += row["order_revenue"]
        complete_years = {year for year in years if month_end(date(year, 12, 1)) <= sources.as_of and first <= date(year, 1, 1)}
        for month, row in figures.items():
            earlier = figures.get(shifted(month, -12))
            before = earlier["order_revenue"] if earlier else None
            is_complete = month_end(month) <= sources.as_of
            growth = (row["order_revenue"] - before) / before * 100 if before and is_complete else None
            rows.append(
                {
                    "organization_id": tenant,
                    "month": month,
                    "year": month.year,
                    "reporting_currency": organizations[tenant]["reporting_currency"],
                    "is_complete": is_complete,
                    "is_year_complete": month.year in complete_years,
                    **row,
                    "year_order_revenue": years[month.year],
                    "year_revenue_yoy_pct": _growth(years, month.year)
                    if {month.year, month.year - 1} <= complete_years
                    else None,
                    "previous_year_revenue": before,
                    "revenue_yoy_pct": growth,
                }
            )
    return rows
