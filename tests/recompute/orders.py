"""fct_orders: one row per order, in the order currency and the reporting currency."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from tests.recompute.money import Rates
from tests.recompute.sources import Row, SourceData, natural

NOT_REVENUE = {"cancelled", "refunded"}
RECORDED = (
    *("organization_id", "order_id", "order_number", "account_id", "contact_id", "status", "currency"),
    *("subtotal_amount", "discount_amount", "tax_amount", "shipping_amount", "total_amount"),
    *("ordered_at", "updated_at"),
)


def _days(start: datetime, end: datetime | None) -> Fraction | None:
    return None if end is None else Fraction((end - start) // timedelta(microseconds=1), 86_400_000_000)


def fct_orders(sources: SourceData) -> list[Row]:
    """The rows of fct_orders, by order_id."""
    organizations, accounts = sources.by_key("organizations"), sources.by_key("accounts")
    rates = Rates(sources)
    rows: list[Row] = []
    for order in sources["orders"]:
        shipped_at, delivered_at = (
            moment if moment is not None and moment < sources.as_of else None
            for moment in (order["shipped_at"], order["delivered_at"])
        )
        tenant = order["organization_id"]
        reporting = organizations[tenant]["reporting_currency"]
        converted = rates.convert(order["total_amount"], order["currency"], reporting, order["ordered_at"].date())
        is_revenue = order["status"] not in NOT_REVENUE
        account = accounts.get(order["account_id"])
        is_known = account is not None and account["organization_id"] == tenant
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
                "total_amount_reporting": converted,
                "revenue_amount": converted if is_revenue else Fraction(0),
                "has_rate": converted is not None,
                "ordered_date": order["ordered_at"].date(),
                "days_to_ship": _days(order["ordered_at"], shipped_at),
                "days_to_deliver": _days(order["ordered_at"], delivered_at),
            }
        )
    return rows
