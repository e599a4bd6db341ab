"""Stripe's invoices, their lines and payments: the rows of the demo company in the shapes of the newest version of the API.

Stripe has more invoices than the company: one of nothing for each trial. The `period_…` of an invoice is the period that has ended, as Stripe
has it; the period that is billed is on the line. `subtotal` is before the discount of the subscription, `total_excluding_tax` after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from include.demo.vendors.common import Row, in_minor_units, minor_units, number_of
from include.demo.vendors.stripe.objects import Object, decimal_text, discount_id, moment, price_id, stripe_id
from include.demo.vendors.stripe.subscriptions import Series

_FINALIZED_AFTER = timedelta(hours=1)
NO_TAX = {"enabled": False, "liability": None, "provider": None, "status": None}


@dataclass(frozen=True)
class Amounts:
    """The amounts of an invoice in whole minor units."""

    full: int
    discount: int
    tax: int
    total: int
    paid: int

    @classmethod
    def of(cls, invoice: Row, row: Row) -> Amounts:
        """The amounts of an invoice for a subscription's period."""
        currency = invoice["currency"]
        net, tax = minor_units(invoice["subtotal_amount"], currency), minor_units(invoice["tax_amount"], currency)
        full = 0 if is_trial(invoice) else minor_units(row["quantity"] * row["unit_amount"], currency)
        return cls(full, full - net, tax, net + tax, net + tax if invoice["status"] == "paid" else 0)


def is_trial(invoice: Row) -> bool:
    """Whether an invoice is Stripe's own one of nothing, for a trial."""
    return "trial" in invoice


def trial_invoice(row: Row) -> Row:
    """The invoice of nothing with which a trial begins."""
    nothing = dict.fromkeys(("subtotal_amount", "tax_amount", "total_amount", "amount_paid"), Decimal(0))
    return {
        "trial": True,
        "invoice_id": f"inv_{row['subscription_id'].rpartition('_')[2]}0",
        "account_id": row["account_id"],
        "subscription_id": row["subscription_id"],
        "status": "paid",
        "issued_at": row["started_at"],
        "due_at": row["started_at"],
        "paid_at": row["started_at"],
        "period_start": row["started_at"],
        "period_end": row["trial_ends_at"],
        "currency": row["currency"],
        "updated_at": row["started_at"],
        **nothing,
    }


def finalized_at(invoice: Row) -> datetime:
    """The time at which a draft becomes open: an hour after its creation, but a free invoice at once."""
    issued: datetime = invoice["issued_at"]
    return issued if is_trial(invoice) else issued + _FINALIZED_AFTER


def status_at(invoice: Row, at: datetime) -> str:
    """The status of an invoice at an instant."""
    if at < finalized_at(invoice):
        return "draft"
    ended = invoice["paid_at"] if invoice["status"] == "paid" else invoice["updated_at"]
    return str(invoice["status"]) if ended <= at else "open"


def invoice(series: Series, held: Row, at: datetime, customers: dict[str, Row]) -> Object:
    """An invoice as it was at an instant, at or after its creation."""
    row = next(row for row in series.rows if row["subscription_id"] == held["subscription_id"])
    amounts, status = Amounts.of(held, row), status_at(held, at)
    paid = amounts.paid if status == "paid" else 0
    position = series.positions[held["invoice_id"]]
    previous = series.invoices[position - 1] if position else None
    id_, currency = stripe_id("in", held["invoice_id"]), held["currency"].lower()
    ended = held["paid_at"] if status == "paid" else held["updated_at"]
    reduced = discount_id(row)
    reductions = [{"amount": amounts.discount, "discount": reduced}] if reduced and amounts.discount else []
    customer = customers[held["account_id"]]
    return {
        "id": id_,
        "object": "invoice",
        "account_country": "US",
        "account_name": None,
        "amount_due": amounts.total,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": amounts.total - paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": status == "paid",
        "auto_advance": status in ("draft", "open"),
        "automatic_tax": NO_TAX,
        "automatically_finalizes_at": moment(finalized_at(held)) if status == "draft" else None,
        "billing_reason": _reason(series, row, held),
        "collection_method": "send_invoice",
        "created": moment(held["issued_at"]),
        "currency": currency,
        "custom_fields": None,
        "customer": stripe_id("cus", held["account_id"]),
        "customer_address": None,
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [reduced] if reduced else [],
        "due_date": moment(held["due_at"]),
        "effective_at": None if status == "draft" else moment(held["issued_at"]),
        "ending_balance": None if status == "draft" else 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {
            "object": "list",
            "data": [_line(series, row, held, amounts)],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/invoices/{id_}/lines",
        },
        "livemode": True,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None if status == "draft" else f"{customer['invoice_prefix']}-{held['invoice_id'][-6:].upper()}",
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": series.id},
            "type": "subscription_details",
        },
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": moment(previous["period_end"] if previous else held["issued_at"]),
        "period_start": moment(previous["period_start"] if previous else held["issued_at"]),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": status,
        "status_transitions": {
            "finalized_at": None if status == "draft" else moment(finalized_at(held)),
            "marked_uncollectible_at": moment(ended) if status == "uncollectible" else None,
            "paid_at": moment(ended) if status == "paid" else None,
            "voided_at": moment(ended) if status == "void" else None,
        },
        "subtotal": amounts.full,
        "subtotal_excluding_tax": amounts.full,
        "test_clock": None,
        "total": amounts.total,
        "total_discount_amounts": reductions,
        "total_excluding_tax": amounts.total - amounts.tax,
        "total_pretax_credit_amounts": [],
        "total_taxes": _taxes(amounts),
        "webhooks_delivered_at": moment(held["issued_at"]),
    }


def _reason(series: Series, row: Row, held: Row) -> str:
    """Why an invoice was made. The first one after a change of the terms comes from the update of the subscription."""
    if held is series.invoices[0]:
        return "subscription_create"
    changed = row is not series.rows[0] and held["issued_at"] == row["started_at"]
    return "subscription_update" if changed else "subscription_cycle"


def _taxes(amounts: Amounts) -> list[Object]:
    if not amounts.tax:
        return []
    return [
        {
            "amount": amounts.tax,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": "txr_standard"},
            "taxability_reason": "standard_rated",
            "taxable_amount": amounts.total - amounts.tax,
            "type": "tax_rate_details",
        }
    ]


def _line(series: Series, row: Row, held: Row, amounts: Amounts) -> Object:
    reduced = discount_id(row)
    unit = Decimal(0) if is_trial(held) else in_minor_units(row["unit_amount"], held["currency"])
    return {
        "id": stripe_id("il", held["invoice_id"]),
        "object": "line_item",
        "amount": amounts.full,
        "currency": held["currency"].lower(),
        "description": f"{'Trial period' if is_trial(held) else 'Subscription'} × {row['quantity']}",
        "discount_amounts": [{"amount": amounts.discount, "discount": reduced}] if reduced and amounts.discount else [],
        "discountable": True,
        "discounts": [],
        "invoice": stripe_id("in", held["invoice_id"]),
        "livemode": True,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": series.id,
                "subscription_item": series.item_id,
            },
            "type": "subscription_item_details",
        },
        "period": {"end": moment(held["period_end"]), "start": moment(held["period_start"])},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price_id(row), "product": stripe_id("prod", row["product_id"])},
            "type": "price_details",
            "unit_amount_decimal": decimal_text(unit),
        },
        "quantity": row["quantity"],
        "subscription": series.id,
        "subtotal": amounts.full,
        "taxes": _taxes(amounts),
    }


def one_off_invoice(customer: Object, created: datetime, **values: Any) -> Object:
    """An invoice without a subscription: a draft without lines, unless `values` say otherwise."""
    id_ = f"in_{number_of(customer['id']):x}"
    zeros = (
        "amount_due amount_overpaid amount_paid amount_remaining amount_shipping attempt_count subtotal subtotal_excluding_tax"
    )
    zeros += " total total_excluding_tax post_payment_credit_notes_amount pre_payment_credit_notes_amount starting_balance"
    return {
        "id": id_,
        "object": "invoice",
        "attempted": False,
        "auto_advance": False,
        "billing_reason": "manual",
        "collection_method": "send_invoice",
        "created": moment(created),
        "currency": customer["currency"],
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "lines": {"object": "list", "data": [], "has_more": False, "total_count": 0, "url": f"/v1/invoices/{id_}/lines"},
        "livemode": customer["livemode"],
        "metadata": {},
        "number": None,
        "parent": None,
        "period_end": moment(created),
        "period_start": moment(created),
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        **dict.fromkeys(zeros.split(), 0),
        **values,
    }
