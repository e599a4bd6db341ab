"""mtr_revenue_by_month: one row per organization and month, from the month of the first order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

from tests.recompute.grouping import grouped, known, total
from tests.recompute.known_sums import difference, percent, total_known
from tests.recompute.money import percentile
from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.orders import excluded_orders, fct_orders, order_figures
from tests.recompute.products import mart_product_performance
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN

PERCENTILES = {"median": Fraction(1, 2), "p75": Fraction(3, 4), "p95": Fraction(95, 100)}
# The concentration of revenue is measured on this many top customers and products.
TOP = 10


def _top(amounts: Sequence[Fraction]) -> Fraction | None:
    return sum(sorted(amounts, reverse=True)[:TOP], Fraction(0)) if amounts else None


def _month(orders: list[Row], products: list[Row]) -> Row:
    bought = [order for order in orders if order["is_revenue"] and order["has_rate"]]
    amounts = [order["revenue_amount"] for order in bought]
    customers = [total(own, "revenue_amount") for (account,), own in grouped(bought, "account_id").items() if account is not None]
    named = known((product for product in products if product["product_id"] != UNKNOWN), "revenue_amount")
    figures, sold = order_figures(orders), total_known(products, "revenue_amount")
    return {
        **figures,
        "excluded_order_count": excluded_orders(orders),
        **{f"{name}_revenue_per_customer": percentile(customers, part) for name, part in PERCENTILES.items()},
        "top_10_customer_share_pct": percent(_top(customers), figures["order_revenue"]),
        "product_revenue": sold,
        "top_10_product_share_pct": percent(_top(named), sold),
        **{f"{name}_order_value": percentile(amounts, part) for name, part in PERCENTILES.items()},
    }


def _growth(years: dict[int, Fraction | None], year: int) -> Fraction | None:
    return percent(difference(years[year], years[year - 1]), years[year - 1])


def mtr_revenue_by_month(sources: SourceData) -> list[Row]:
    """The rows of mtr_revenue_by_month, by organization and month, without a gap."""
    orders: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for order in fct_orders(sources):
        if order["ordered_at"] >= sources.as_of:
            continue
        orders[order["organization_id"]][month_of(order["ordered_at"])].append(order)
    organizations = sources.by_key("organizations")
    products = grouped(mart_product_performance(sources), "organization_id", "month")
    lined = {tenant for tenant, _ in products}
    last = month_of(sources.as_of - timedelta(microseconds=1))
    rows: list[Row] = []
    for tenant, by_month in orders.items():
        first = min(by_month)
        figures = {
            month: _month(by_month.get(month, []), products.get((tenant, month), [])) for month in months_between(first, last)
        }
        bought = grouped(({**row, "year": month.year} for month, row in figures.items() if month in by_month), "year")
        years = {month.year: total_known(bought.get((month.year,), []), "order_revenue") for month in figures}
        if tenant not in lined:
            figures = {month: {**row, "product_revenue": None} for month, row in figures.items()}
        complete_years = {year for year in years if month_end(date(year, 12, 1)) <= sources.as_of and first <= date(year, 1, 1)}
        for month, row in figures.items():
            earlier = figures.get(shifted(month, -12))
            before = earlier["order_revenue"] if earlier else None
            is_complete = month_end(month) <= sources.as_of
            growth = percent(difference(row["order_revenue"], before), before) if is_complete else None
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
