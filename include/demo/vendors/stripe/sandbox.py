"""The sandbox of a Stripe account, which test keys see: small objects of the kinds that the demo company lacks.

Its customers run on a test clock. It has currencies with no and with three decimals, metered, tiered and package prices, an item with a discount of its
own, every status of a subscription, an invoice with 12 lines of which some are prorations, credit notes, refunds and a partial payment.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from include.demo.vendors.stripe.book import Book
from include.demo.vendors.stripe.events import Change
from include.demo.vendors.stripe.invoices import one_off_invoice
from include.demo.vendors.stripe.objects import Object, moment, plan

CLOCK = "clock_sandbox"
LINES = 12
STATUSES = ("incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused")


def sandbox(account: Object, now: datetime) -> Book:
    """The objects in test mode."""
    book = Book(account, now)
    created = now - timedelta(days=20)
    begin, until = moment(created), moment(created + timedelta(days=30))
    customers = {currency: _customer(currency, created) for currency in ("usd", "jpy", "kwd")}
    for customer in customers.values():
        book.add("customers", customer)
        book.changes.append(Change(created, "customer.created", customer))
    book.add(
        "products",
        {"id": "prod_sandbox", "object": "product", "active": True, "name": "Sandbox", "type": "service", **_common(created)},
    )
    prices = _prices(book, created)
    _coupons(book, created, customers["usd"]["id"])
    for number, (name, price) in enumerate(zip(("licensed", "jpy", "kwd"), (prices[0], prices[3], prices[4]), strict=True)):
        customer = customers[price["currency"]]
        items = [_item(name, price, 3, begin, until)]
        if number == 0:
            items = [{**items[0], "discounts": ["di_item"]}]
            items += [_item("metered", prices[1], None, begin, until), _item("tiered", prices[2], 40, begin, until)]
        _subscription(book, f"sub_{name}", customer, items, "active", created, cancel_at_period_end=number == 0)
    for status in STATUSES:
        items = [_item(status, prices[0], 1, begin, until)]
        _subscription(book, f"sub_{status}", customers["usd"], items, status, created)
    _invoices(book, customers["usd"], created)
    book.sort()
    return book


def _common(created: datetime) -> Object:
    return {"created": moment(created), "livemode": False, "metadata": {}}


def _customer(currency: str, created: datetime) -> Object:
    values: Object = {"id": f"cus_{currency}", "object": "customer", "address": None, "balance": 0, "currency": currency}
    return values | {"email": None, "name": f"Test {currency}", "test_clock": CLOCK, **_common(created)}


def _prices(book: Book, created: datetime) -> list[Object]:
    """A licensed, a metered and a tiered price in dollars, one each in yen and in dinars, and one for ten units at a time."""
    result = []
    for name, currency, amount, usage, scheme in (
        ("licensed", "usd", 1000, "licensed", "per_unit"),
        ("metered", "usd", 5, "metered", "per_unit"),
        ("tiered", "usd", None, "licensed", "tiered"),
        ("jpy", "jpy", 5000, "licensed", "per_unit"),
        ("kwd", "kwd", 12340, "licensed", "per_unit"),
        ("package", "usd", 4000, "licensed", "per_unit"),
    ):
        recurring = {"interval": "month", "interval_count": 1, "meter": "mtr_calls" if usage == "metered" else None}
        recurring |= {"trial_period_days": None, "usage_type": usage}
        price: Object = {"id": f"price_{name}", "object": "price", "active": True, "billing_scheme": scheme, "currency": currency}
        price |= {
            "custom_unit_amount": None,
            "lookup_key": None,
            "nickname": None,
            "product": "prod_sandbox",
            "recurring": recurring,
        }
        price |= {
            "tax_behavior": "exclusive",
            "tiers_mode": "graduated" if scheme == "tiered" else None,
            "transform_quantity": {"divide_by": 10, "round": "up"} if name == "package" else None,
        }
        price |= {"type": "recurring", "unit_amount": amount, "unit_amount_decimal": None if amount is None else str(amount)}
        book.add("prices", price | _common(created))
        result.append(book.by_id[price["id"]])
    tier: Object = {"flat_amount": None, "flat_amount_decimal": None}
    book.extras["price_tiered", "tiers"] = [
        tier | {"unit_amount": 700, "unit_amount_decimal": "700", "up_to": 10},
        tier | {"unit_amount": 500, "unit_amount_decimal": "500", "up_to": None},
    ]
    return result


def _coupons(book: Book, created: datetime, customer: str) -> None:
    """A coupon with an amount off for three months, on one item of a subscription, and one that counts once."""
    values: Object = {"id": "three-off", "object": "coupon", "amount_off": 300, "currency": "usd", "duration": "repeating"}
    values |= {"duration_in_months": 3, "max_redemptions": None, "name": None, "percent_off": None, "redeem_by": None}
    values |= {"times_redeemed": 1, "valid": True, **_common(created)}
    book.add("coupons", values)
    once = {
        "id": "half-once",
        "amount_off": None,
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "percent_off": 50.0,
    }
    book.add("coupons", values | once)
    discount: Object = {"id": "di_item", "object": "discount", "checkout_session": None, "customer": customer, "invoice": None}
    discount |= {"end": moment(created + timedelta(days=91)), "invoice_item": None, "promotion_code": None}
    discount |= {"source": {"coupon": "three-off", "type": "coupon"}, "start": moment(created), "subscription": "sub_licensed"}
    book.by_id["di_item"] = discount | {"subscription_item": "si_licensed"}


def _item(name: str, price: Object, quantity: int | None, begin: int | None, until: int | None) -> Object:
    item: Object = {
        "id": f"si_{name}",
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": begin,
        "metadata": {},
    }
    item |= {"current_period_end": until, "current_period_start": begin, "discounts": [], "plan": plan(price), "price": price}
    # A metered item has no quantity at all.
    return item | ({} if quantity is None else {"quantity": quantity}) | {"tax_rates": []}


def _subscription(
    book: Book, id_: str, customer: Object, items: list[Object], status: str, created: datetime, **values: Any
) -> None:
    for item in items:
        item["subscription"] = id_
    ended = status in ("canceled", "incomplete_expired")
    made: Object = {
        "id": id_,
        "object": "subscription",
        "billing_cycle_anchor": moment(created),
        "billing_mode": {"type": "flexible"},
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": moment(book.now - timedelta(days=2)) if ended else None,
        "collection_method": "charge_automatically",
        "currency": customer["currency"],
        "customer": customer["id"],
        "days_until_due": None,
        "discounts": [],
        "ended_at": moment(book.now - timedelta(days=2)) if ended else None,
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "total_count": len(items),
            "url": f"/v1/subscription_items?subscription={id_}",
        },
        "latest_invoice": None,
        "pause_collection": None,
        "start_date": moment(created),
        "status": status,
        "test_clock": CLOCK,
        "trial_end": moment(book.now + timedelta(days=5)) if status == "trialing" else None,
        "trial_start": moment(created) if status == "trialing" else None,
        **_common(created),
        **values,
    }
    book.add("subscriptions", made)
    book.lists["subscription_items"] += items


def _invoices(book: Book, customer: Object, created: datetime) -> None:
    """A paid invoice with 12 lines, refunded in part, and an open one, credited in part, paid in part and in two payments."""
    paid = _invoice(book, customer, created, "paid", 12000)
    open_ = _invoice(book, customer, created + timedelta(days=1), "open", 3000)
    book.add_payment(paid)
    part = {
        **book.by_id[f"inpay_{paid['id'][3:]}"],
        "id": "inpay_part",
        "invoice": open_["id"],
        "amount_paid": 1000,
        "amount_requested": 2300,
    }
    book.add("invoice_payments", part)
    charge = book.by_id[f"ch_{paid['id'][3:]}"]
    charge["amount_refunded"] = 500
    refund: Object = {
        "object": "refund",
        "amount": 500,
        "charge": charge["id"],
        "currency": "usd",
        "reason": "requested_by_customer",
    }
    refund |= {"payment_intent": charge["payment_intent"], "created": moment(created + timedelta(days=3)), "metadata": {}}
    book.add("refunds", refund | {"id": "re_succeeded", "status": "succeeded"})
    book.add("refunds", refund | {"id": "re_pending", "status": "pending", "amount": 100})
    for id_, invoice, kind, status, amount in (
        ("cn_after_payment", paid, "post_payment", "issued", 500),
        ("cn_before_payment", open_, "pre_payment", "issued", 700),
        ("cn_void", open_, "pre_payment", "void", 900),
    ):
        line: Object = {
            "id": f"cnli_{id_}",
            "object": "credit_note_line_item",
            "amount": amount,
            "quantity": 1,
            "type": "custom_line_item",
        }
        book.add(
            "credit_notes",
            {
                "id": id_,
                "object": "credit_note",
                "amount": amount,
                "currency": "usd",
                "customer": customer["id"],
                "discount_amounts": [],
                "invoice": invoice["id"],
                "lines": {"object": "list", "data": [line], "has_more": False, "url": f"/v1/credit_notes/{id_}/lines"},
                "number": id_,
                "out_of_band_amount": 0,
                "post_payment_amount": amount if kind == "post_payment" else 0,
                "pre_payment_amount": amount if kind == "pre_payment" else 0,
                "reason": "duplicate",
                "refunds": [{"amount_refunded": 500, "refund": "re_succeeded"}] if kind == "post_payment" else [],
                "status": status,
                "subtotal": amount,
                "total": amount,
                "total_taxes": [],
                "type": kind,
                "voided_at": moment(created + timedelta(days=4)) if status == "void" else None,
                **_common(created + timedelta(days=3)),
            },
        )


def _invoice(book: Book, customer: Object, created: datetime, status: str, total: int) -> Object:
    """An invoice of 12 lines: every second one is a proration, and every second proration is a credit."""
    id_, at = f"in_{status}", moment(created)
    due = total - (700 if status == "open" else 0)
    amounts = dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total)
    lines = [_line(id_, number, total // 6 if number % 2 == 0 else (2 - number % 4) * 200, created) for number in range(LINES)]
    details = {"metadata": {}, "subscription": "sub_licensed"}
    made = one_off_invoice(
        customer,
        created,
        id=id_,
        billing_reason="subscription_cycle",
        collection_method="charge_automatically",
        status=status,
        amount_due=due,
        amount_paid=due if status == "paid" else 1000,
        amount_remaining=0 if status == "paid" else due - 1000,
        effective_at=at,
        number=f"TEST-{status}",
        parent={"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        post_payment_credit_notes_amount=500 if status == "paid" else 0,
        pre_payment_credit_notes_amount=700 if status == "open" else 0,
        lines={"object": "list", "data": lines, "has_more": False, "total_count": LINES, "url": f"/v1/invoices/{id_}/lines"},
        status_transitions={
            "finalized_at": at,
            "marked_uncollectible_at": None,
            "paid_at": at if status == "paid" else None,
            "voided_at": None,
        },
        **amounts,
    )
    book.add("invoices", made)
    return made


def _line(invoice: str, number: int, amount: int, created: datetime) -> Object:
    is_proration = number % 2 == 1
    proration: Object = {"proration": is_proration, "proration_details": {"credited_items": None}, "subscription": "sub_licensed"}
    kind = "invoice_item_details" if is_proration else "subscription_item_details"
    if is_proration:
        details = proration | {"invoice_item": f"ii_{number}"}
    else:
        details = proration | {"invoice_item": None, "subscription_item": "si_licensed"}
    parent = {"invoice_item_details": None, "subscription_item_details": None, kind: details, "type": kind}
    price_details = {"price": "price_licensed", "product": "prod_sandbox"}
    # A proration is for the rest of a period that has begun.
    start = created + timedelta(days=10 if is_proration else 0)
    return {
        "id": f"il_{invoice}_{number:02}",
        "object": "line_item",
        "amount": amount,
        "currency": "usd",
        "description": f"Line {number}",
        "discount_amounts": [],
        "discountable": not is_proration,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": parent,
        "period": {"end": moment(created + timedelta(days=30)), "start": moment(start)},
        "pretax_credit_amounts": [],
        "pricing": {"price_details": price_details, "type": "price_details", "unit_amount_decimal": str(amount)},
        "quantity": 1,
        "subscription": "sub_licensed",
        "subtotal": amount,
        "taxes": [],
    }
