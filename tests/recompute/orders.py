"""fct_orders: one row per order, in the order currency and the reporting currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.grouping import counted_known, total
from tests.recompute.known_sums import distinct_of, is_counted, ratio, sum_of
from tests.recompute.money import Rates
from tests.recompute.sources import Row, SourceData, model, natural

NOT_REVENUE = {"cancelled", "refunded"}
RECORDED = (
    *("organization_id", "order_id", "order_number", "account_id", "contact_id", "status", "currency"),
    *("subtotal_amount", "discount_amount", "tax_amount", "shipping_amount", "total_amount"),
    *("ordered_at", "updated_at"),
)


def counts_as_revenue(order: Row) -> bool | None:
    """Whether an order is neither cancelled nor refunded; None without a status."""
    return None if order["status"] is None else order["status"] not in NOT_REVENUE


def net(order: Row) -> Decimal | None:
    """The amount of an order after discount, without tax and shipping, in its own currency."""
    subtotal: Decimal | None = order["subtotal_amount"]
    return None if subtotal is None else subtotal - (order["discount_amount"] or 0)


def charges(orders: list[Row]) -> Row:
    """The amounts charged for orders beside their revenue, in the reporting currency, and the number of orders that lack one of them."""
    names = ("tax_amount_reporting", "shipping_amount_reporting", "total_amount_reporting")
    return {
        "orders_without_charges": sum(any(order[name] is None for name in names) for order in orders),
        "order_tax_amount": total(orders, "tax_amount_reporting"),
        "order_shipping_amount": total(orders, "shipping_amount_reporting"),
        "order_charged_amount": total(orders, "total_amount_reporting"),
    }


def order_figures(orders: Sequence[Row]) -> Row:
    """The figures of orders. An order without a status is in none of them, and counted."""
    rows = [_measured(order) for order in orders]
    revenue, count = sum_of(rows, "is_revenue", "revenue_amount"), counted_known(rows, "is_counted")
    customers = distinct_of(rows, "is_counted", "account_id")
    return {
        "order_count": count,
        "order_revenue": revenue,
        "order_tax_amount": sum_of(rows, "is_revenue", "tax"),
        "order_shipping_amount": sum_of(rows, "is_revenue", "shipping"),
        "order_charged_amount": sum_of(rows, "is_revenue", "total"),
        "orders_without_charges": charges([row for row in rows if row["is_counted"]])["orders_without_charges"],
        "orders_without_rate": sum(bool(row["is_revenue"]) and not row["has_rate"] for row in rows),
        "orders_without_status": sum(row["is_revenue"] is None for row in rows),
        "customer_count": customers,
        "average_order_value": ratio(revenue, count),
        "average_revenue_per_customer": ratio(revenue, customers),
    }


def excluded_orders(orders: Sequence[Row]) -> int | None:
    """The number of orders that are cancelled or refunded; None if there are orders and none has a status."""
    return counted_known([_measured(order) for order in orders], "is_excluded")


def _measured(order: Row) -> Row:
    """An order with the charges that count beside its revenue: None without the revenue."""
    charged = {name: order[f"{name}_amount_reporting"] if order["has_rate"] else None for name in ("tax", "shipping", "total")}
    is_revenue = order["is_revenue"]
    is_excluded = None if is_revenue is None else not is_revenue
    return {**order, **charged, "is_counted": is_counted(order), "is_excluded": is_excluded}


def _days(start: datetime, end: datetime | None) -> Fraction | None:
    return None if end is None else Fraction((end - start) // timedelta(microseconds=1), 86_400_000_000)


@model
def fct_orders(sources: SourceData) -> list[Row]:
    """The rows of fct_orders, by order_id."""
    organizations, accounts = sources.by_key("organizations"), sources.by_tenant("accounts")
    rates = Rates(sources)
    rows: list[Row] = []
    for order in sources["orders"]:
        shipped_at, delivered_at = (
            moment if moment is not None and moment < sources.as_of else None
            for moment in (order["shipped_at"], order["delivered_at"])
        )
        tenant = order["organization_id"]
        reporting = organizations[tenant]["reporting_currency"]
        amounts = {"net_amount": net(order), **{name: order[name] for name in ("tax_amount", "shipping_amount", "total_amount")}}
        day = order["ordered_at"].date()
        converted = {name: rates.convert(amount, order["currency"], reporting, day) for name, amount in amounts.items()}
        is_revenue = counts_as_revenue(order)
        is_known = (tenant, order["account_id"]) in accounts
        rows.append(
            {
                **{name: order[name] for name in RECORDED},
                "shipped_at": shipped_at,
                "delivered_at": delivered_at,
                "order_key": natural(tenant, order["order_id"]),
                "account_key": natural(tenant, order["account_id"]) if is_known else None,
                "is_revenue": is_revenue,
                "is_fulfilled": None if order["status"] is None else order["status"] == "delivered",
                "reporting_currency": reporting,
                "net_amount": amounts["net_amount"],
                **{f"{name}_reporting": amount for name, amount in converted.items()},
                "revenue_amount": Fraction(0) if is_revenue is False else converted["net_amount"] if is_revenue else None,
                "has_rate": converted["net_amount"] is not None,
                "ordered_date": order["ordered_at"].date(),
                "days_to_ship": _days(order["ordered_at"], shipped_at),
                "days_to_deliver": _days(order["ordered_at"], delivered_at),
            }
        )
    return rows
