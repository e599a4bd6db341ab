"""Stripe's catalogue and customers: the rows of the demo company in the shapes of the newest version of the API."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from include.demo.vendors.common import Row, in_minor_units, number_of, seconds

Object = dict[str, Any]

#: Stripe has no quarters.
_INTERVALS = {"week": ("week", 1), "month": ("month", 1), "quarter": ("month", 3), "year": ("year", 1)}
_COUNTRIES = {
    "Canada": "CA",
    "France": "FR",
    "Germany": "DE",
    "Ireland": "IE",
    "Japan": "JP",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "United Kingdom": "GB",
    "United States": "US",
}


def moment(at: datetime | None) -> int | None:
    """An instant in Stripe's words: whole seconds since 1970."""
    return None if at is None else seconds(at)


def stripe_id(prefix: str, key: str) -> str:
    """Stripe's id of a row: the digits of the row's own key behind Stripe's prefix."""
    return f"{prefix}_{key.rpartition('_')[2].replace('-', '')}"


def product(row: Row) -> Object:
    """A product of the company, sold by subscription."""
    return {
        "id": stripe_id("prod", row["product_id"]),
        "object": "product",
        "active": row["is_active"],
        "attributes": [],
        "created": moment(row["created_at"]),
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": True,
        "marketing_features": [],
        "metadata": {"sku": row["sku"]},
        "name": row["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": "seat",
        "updated": moment(row["updated_at"]),
        "url": None,
    }


def price_id(row: Row) -> str:
    """The id of the price that a subscription of the company has."""
    terms = (row[name] for name in ("product_id", "plan_tier", "billing_interval", "interval_count", "currency", "unit_amount"))
    return f"price_{number_of('/'.join(map(str, terms))):x}"


def price(row: Row, created: datetime) -> Object:
    """The price of a subscription. A price that is no whole number of minor units has no `unit_amount`."""
    exact = in_minor_units(row["unit_amount"], row["currency"])
    interval, times = _INTERVALS[row["billing_interval"]]
    return {
        "id": price_id(row),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": moment(created),
        "currency": row["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": True,
        "lookup_key": None,
        "metadata": {"plan_tier": row["plan_tier"]},
        "nickname": row["plan_tier"].title(),
        "product": stripe_id("prod", row["product_id"]),
        "recurring": {
            "interval": interval,
            "interval_count": row["interval_count"] * times,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "exclusive",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": int(exact) if exact == int(exact) else None,
        "unit_amount_decimal": decimal_text(exact),
    }


def decimal_text(value: Decimal) -> str:
    """A decimal as Stripe writes it: 1384.6, without zeros at the end."""
    return f"{value.normalize():f}"


def plan(price: Object) -> Object:
    """The plan, Stripe's older object for a recurring price."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": price["livemode"],
        "metadata": {},
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }


def coupon_id(row: Row) -> str:
    """The id of the coupon behind the discount of a subscription. Coupons have ids that people choose."""
    return f"minus-{decimal_text(row['discount_pct'])}"


def coupon(row: Row, created: datetime) -> Object:
    """The coupon behind the discount of a subscription."""
    percent = float(row["discount_pct"])
    return {
        "id": coupon_id(row),
        "object": "coupon",
        "amount_off": None,
        "created": moment(created),
        "currency": None,
        "duration": "forever",
        "duration_in_months": None,
        "livemode": True,
        "max_redemptions": None,
        "metadata": {},
        "name": f"{percent:g} % off",
        "percent_off": percent,
        "redeem_by": None,
        "times_redeemed": 1,
        "valid": True,
    }


def discount_id(row: Row) -> str | None:
    """The id of the discount of a subscription; None without a discount."""
    return stripe_id("di", row["subscription_id"]) if row["discount_pct"] else None


def discount(row: Row, subscription: str) -> Object:
    """The discount of a subscription."""
    return {
        "id": discount_id(row),
        "object": "discount",
        "checkout_session": None,
        "customer": stripe_id("cus", row["account_id"]),
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": coupon_id(row), "type": "coupon"},
        "start": moment(row["started_at"]),
        "subscription": subscription,
        "subscription_item": None,
    }


def customer(row: Row, email: str | None) -> Object:
    """An account of the company that is billed."""
    return {
        "id": stripe_id("cus", row["account_id"]),
        "object": "customer",
        "address": {
            "city": row["city"],
            "country": _COUNTRIES.get(row["country"], row["country"]),
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "balance": 0,
        "created": moment(row["created_at"]),
        "currency": row["currency"].lower(),
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": email,
        "invoice_prefix": f"{number_of(row['account_id'], 32):X}",
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
        "livemode": True,
        "metadata": {"crm_account_id": row["account_id"], "crm_synced_at": f"{row['updated_at']:%Y-%m-%dT%H:%M:%SZ}"},
        "name": row["name"],
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
