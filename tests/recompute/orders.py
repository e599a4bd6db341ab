"""fct_orders: one row per order, in the order currency and the reporting currency."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.grouping import total
from tests.recompute.money import Rates
from tests.recompute.sources import Row, SourceData, model, natural

NOT_REVENUE = {"cancelled", "refunded"}
RECORDED = (
    *("organization_id", "order_id", "order_number", "account_id", "contact_id", "status", "currency"),
    *("subtotal_amount", "discount_amount", "tax_amount", "shipping_amount", "total_amount"),
    *("ordered_at", "updated_at"),
)


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
        is_revenue = order["status"] not in NOT_REVENUE
        is_known = (tenant, order["account_id"]) in accounts
        rows.append(
            {
                **{name: order[name] for name in RECORDED},
                "shipped_at": shipped_at,
                "delivered_at": delivered_at,
                "order_key": natural(tenant, order["order_id"]),
                "account_key": natural(tenant, order["account_id"]) if is_known else None,
                "is_revenue": is_revenue,
                "is_fulfilled": order["status"] == "delivered",
                "reporting_currency": reporting,
                "net_amount": amounts["net_amount"],
                **{f"{name}_reporting": amount for name, amount in converted.items()},
                "revenue_amount": converted["net_amount"] if is_revenue else Fraction(0),
                "has_rate": converted["net_amount"] is not None,
                "ordered_date": order["ordered_at"].date(),
                "days_to_ship": _days(order["ordered_at"], shipped_at),
                "days_to_deliver": _days(order["ordered_at"], delivered_at),
            }
        )
    return rows
