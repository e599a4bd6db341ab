"""Stripe's payments of invoices."""

from __future__ import annotations

from typing import Any

from include.demo.vendors.stripe.objects import Object


def payment(invoice: Object) -> tuple[Object, Object, Object]:
    """The payment of a paid invoice: the invoice payment, the payment intent and the charge. Ids end like the invoice's."""
    digits, at = invoice["id"].removeprefix("in_"), invoice["status_transitions"]["paid_at"]
    intent, charge = f"pi_{digits}", f"ch_{digits}"
    common: dict[str, Any] = {"created": at, "currency": invoice["currency"], "livemode": invoice["livemode"]}
    return (
        {
            "id": f"inpay_{digits}",
            "object": "invoice_payment",
            "amount_paid": invoice["amount_paid"],
            "amount_requested": invoice["amount_due"],
            "invoice": invoice["id"],
            "is_default": True,
            "payment": {"payment_intent": intent, "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": at},
            **common,
        },
        {
            "id": intent,
            "object": "payment_intent",
            "amount": invoice["amount_paid"],
            "amount_received": invoice["amount_paid"],
            "customer": invoice["customer"],
            "latest_charge": charge,
            "metadata": {},
            "status": "succeeded",
            **common,
        },
        {
            "id": charge,
            "object": "charge",
            "amount": invoice["amount_paid"],
            "amount_captured": invoice["amount_paid"],
            "amount_refunded": 0,
            "captured": True,
            "customer": invoice["customer"],
            "disputed": False,
            "failure_code": None,
            "metadata": {},
            "paid": True,
            "payment_intent": intent,
            "refunded": False,
            "status": "succeeded",
            **common,
        },
    )
