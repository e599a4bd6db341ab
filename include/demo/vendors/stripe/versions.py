"""Older versions of Stripe's API: objects of the newest version in the shapes from before a breaking change.

Sources: docs.stripe.com/changelog/basil/2025-03-31 and clover/2025-09-30.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from include.demo.vendors.stripe.objects import Object, plan

NEWEST = "2026-10-28.endive"
#: Periods moved to the items, parents and payments came, and proration, price and charge moved.
_BASIL = "2025-03-31"
#: A discount names its coupon in `source`.
_CLOVER = "2025-09-30"
_VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]+)?")

Find = Callable[[str], Object | None]


def is_version(text: str) -> bool:
    """Whether a text is a version that this server knows: the day, and since 2024-09-30 the name of the release."""
    return _VERSION.fullmatch(text) is not None and "2022-11-15" <= text <= NEWEST


def in_version(value: Any, version: str, find: Find) -> Any:
    """A value of the newest version in the shape of another version. `find` gives an object for an id."""
    if isinstance(value, list):
        return [in_version(each, version, find) for each in value]
    if not isinstance(value, dict):
        return value
    shaped = {name: in_version(each, version, find) for name, each in value.items()}
    kind = shaped.get("object")
    if version < _CLOVER and kind == "discount":
        coupon = shaped.pop("source")["coupon"]
        shaped["coupon"] = in_version(find(coupon) or {"id": coupon}, version, find) if isinstance(coupon, str) else coupon
    if version < _BASIL and kind in _BEFORE_BASIL and not shaped.get("deleted"):
        _BEFORE_BASIL[kind](shaped, value, find)
        if "discounts" in shaped and kind in ("subscription", "invoice"):
            reduced = [find(each) if isinstance(each, str) else each for each in shaped["discounts"]]
            shaped["discount"] = in_version(reduced[0], version, find) if reduced else None
    return shaped


def _subscription(shaped: Object, newest: Object, find: Find) -> None:
    items = newest["items"]["data"]
    shaped["current_period_start"] = items[0]["current_period_start"]
    shaped["current_period_end"] = items[0]["current_period_end"]
    if len(items) == 1:
        shaped["plan"], shaped["quantity"] = items[0]["plan"], items[0]["quantity"]
    del shaped["billing_mode"]


def _item(shaped: Object, newest: Object, find: Find) -> None:
    del shaped["current_period_start"], shaped["current_period_end"]


def _invoice(shaped: Object, newest: Object, find: Find) -> None:
    details = (shaped.pop("parent") or {}).get("subscription_details")
    shaped["subscription"] = details["subscription"] if details else None
    shaped["subscription_details"] = {"metadata": details["metadata"] if details else None}
    shaped["quote"] = None
    charge = find(f"ch_{newest['id'].removeprefix('in_')}")
    shaped["charge"] = charge["id"] if charge else None
    shaped["payment_intent"] = charge["payment_intent"] if charge else None
    shaped["paid"] = newest["status"] == "paid"
    shaped["total_tax_amounts"] = _taxes(shaped.pop("total_taxes"))
    shaped["tax"] = sum(tax["amount"] for tax in newest["total_taxes"]) or None
    shaped.pop("amount_overpaid")


def _line(shaped: Object, newest: Object, find: Find) -> None:
    parent, pricing = shaped.pop("parent"), shaped.pop("pricing")
    details = parent[parent["type"]]
    price = find(pricing["price_details"]["price"])
    quantity = newest["quantity"] or 1
    shaped |= {
        "invoice_item": details["invoice_item"],
        "plan": plan(price) if price else None,
        "price": price,
        "proration": details["proration"],
        "proration_details": details["proration_details"],
        "subscription": details["subscription"],
        "tax_amounts": _taxes(shaped.pop("taxes")),
        "tax_rates": [],
        "type": "subscription" if parent["type"] == "subscription_item_details" else "invoiceitem",
        "unit_amount_excluding_tax": str(newest["amount"] // quantity),
    }
    if "subscription_item" in details:
        shaped["subscription_item"] = details["subscription_item"]


def _credit_note(shaped: Object, newest: Object, find: Find) -> None:
    refunds = shaped.pop("refunds")
    shaped["refund"] = refunds[0]["refund"] if refunds else None


def _charge(shaped: Object, newest: Object, find: Find) -> None:
    shaped["invoice"] = f"in_{newest['id'].partition('_')[2]}"


def _taxes(taxes: list[Object]) -> list[Object]:
    return [
        {
            "amount": tax["amount"],
            "inclusive": tax["tax_behavior"] == "inclusive",
            "tax_rate": tax["tax_rate_details"]["tax_rate"],
            "taxability_reason": tax["taxability_reason"],
            "taxable_amount": tax["taxable_amount"],
        }
        for tax in taxes
    ]


_BEFORE_BASIL: dict[Any, Callable[[Object, Object, Find], None]] = {
    "charge": _charge,
    "credit_note": _credit_note,
    "invoice": _invoice,
    "line_item": _line,
    "payment_intent": _charge,
    "subscription": _subscription,
    "subscription_item": _item,
}
