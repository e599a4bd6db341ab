"""mtr_customer_segment_summary: recurring revenue and orders by customer segment and month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from tests.recompute.accounts import dim_accounts
from tests.recompute.grouping import grouped, total
from tests.recompute.known_sums import total_known
from tests.recompute.money import percentile
from tests.recompute.months import month_end, month_of, months_between
from tests.recompute.mrr import SubscriptionRecords, fct_revenue
from tests.recompute.orders import charges, fct_orders
from tests.recompute.recorded import recorded
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN, share

Segments = Mapping[tuple[str, str], str]
PERCENTILES = {"median": Fraction(1, 2), "p75": Fraction(3, 4), "p95": Fraction(95, 100)}


def spread(name: str, values: Sequence[Fraction]) -> Row:
    """The mean of the values and their percentiles, as columns; NULL if there are no values."""
    figures: Row = {f"{part}_{name}": percentile(values, cut) for part, cut in PERCENTILES.items()}
    return {f"average_{name}": sum(values, Fraction(0)) / len(values) if values else None, **figures}


def segments(sources: SourceData) -> Segments:
    """The segment of each account's top account, by organization and account_id."""
    accounts = {(row["organization_id"], row["account_id"]): row for row in dim_accounts(sources)}
    return {(tenant, account): accounts[tenant, row["top_account_id"]]["segment"] for (tenant, account), row in accounts.items()}


def _subscribed(rows: list[Row]) -> Row:
    movements = [row["movement"] for row in rows]
    paying = [row for row in rows if row["subscription_count"]]
    known = [row["mrr_amount"] for row in paying if row["subscriptions_without_rate"] < row["subscription_count"]]
    amount = total(rows, "mrr_amount")
    return {
        "paying_customer_count": len(paying),
        "customers_without_rate": len(paying) - len(known),
        "new_customer_count": movements.count("new"),
        "returned_customer_count": movements.count("reactivation"),
        "churned_customer_count": movements.count("churn"),
        "mrr_amount": amount,
        "arr_amount": 12 * amount,
        "subscriptions_without_rate": sum(row["subscriptions_without_rate"] for row in rows),
        **spread("mrr_per_customer", known),
    }


def _ordered(orders: list[Row]) -> Row:
    counting = [order for order in orders if order["is_revenue"]]
    bought = [order for order in counting if order["has_rate"]]
    customers = [total(own, "revenue_amount") for own in grouped(bought, "account_id").values()]
    counts = {
        "ordering_customer_count": len(customers),
        "orders_without_charges": charges(bought)["orders_without_charges"],
        "order_count": len(bought),
        "orders_without_rate": len(counting) - len(bought),
    }
    is_known = not orders or any(order["is_revenue"] is not None for order in orders)
    amounts = {
        "order_revenue": "revenue_amount",
        "order_tax_amount": "tax_amount_reporting",
        "order_shipping_amount": "shipping_amount_reporting",
        "order_charged_amount": "total_amount_reporting",
    }
    return {
        **(counts if is_known else dict.fromkeys(counts)),
        **{
            name: total_known(bought, column) if bought or (not counting and is_known) else None
            for name, column in amounts.items()
        },
        **spread("order_value", [order["revenue_amount"] for order in bought]),
        **spread("revenue_per_customer", customers),
    }


def mtr_customer_segment_summary(sources: SourceData) -> list[Row]:
    """The rows of mtr_customer_segment_summary, by segment and month, without a gap."""
    records = SubscriptionRecords(sources)
    by_account = segments(sources)
    subscribed = _placed(by_account, fct_revenue(sources))
    ordered = _placed(
        by_account,
        ({**row, "month": month_of(row["ordered_at"])} for row in fct_orders(sources) if row["ordered_at"] < sources.as_of),
    )
    rows: list[Row] = []
    for (tenant,), places in grouped(_names({**subscribed, **ordered}), "organization_id").items():
        names: set[str] = {place["segment"] for place in places}
        kinds = recorded(sources)[tenant]
        for month in months_between(min(place["month"] for place in places), records.last):
            figures = {
                name: {
                    **_connected(kinds["has_subscriptions"], _subscribed(subscribed.get((tenant, name, month), []))),
                    **_connected(kinds["has_orders"], _ordered(ordered.get((tenant, name, month), []))),
                }
                for name in names
            }
            totals = {name: total(figures.values(), name) for name in ("mrr_amount", "order_revenue")}
            rows += [
                {
                    "organization_id": tenant,
                    "segment": name,
                    "month": month,
                    "is_complete": month_end(month) <= sources.as_of,
                    "reporting_currency": records.tenants.reporting_currency(tenant),
                    **row,
                    "mrr_share_pct": _share(row["mrr_amount"], totals["mrr_amount"]),
                    "order_revenue_share_pct": _share(row["order_revenue"], totals["order_revenue"]),
                }
                for name, row in figures.items()
            ]
    return rows


def _connected(is_connected: bool, figures: Row) -> Row:
    """The figures about rows of a system; NULL if the organization has no such rows at all."""
    return figures if is_connected else dict.fromkeys(figures)


def _placed(by_account: Segments, rows: Iterable[Row]) -> dict[tuple[str, str, date], list[Row]]:
    placed = ({**row, "segment": by_account.get((row["organization_id"], row["account_id"]), UNKNOWN)} for row in rows)
    return grouped(placed, "organization_id", "segment", "month")


def _names(places: dict[tuple[str, str, date], list[Row]]) -> list[Row]:
    return [dict(zip(("organization_id", "segment", "month"), place, strict=True)) for place in places]


def _share(part: Fraction | None, whole: Fraction) -> Fraction | None:
    return None if part is None else share(part, whole)
