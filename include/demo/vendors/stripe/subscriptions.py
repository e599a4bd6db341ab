"""Stripe's subscriptions: the rows of the demo company in the shape of the newest version of the API.

A series of subscriptions of the company, each replacing the one before, is one subscription of Stripe whose item changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from include.demo.vendors.common import Row
from include.demo.vendors.stripe.objects import Object, discount_id, moment, plan, price_id, stripe_id

_STATUSES = {"cancelled": "canceled", "paused": "active"}


@dataclass(frozen=True)
class Series:
    """The subscriptions of one account for one product, of which each replaces the one before, and their invoices, oldest first."""

    rows: list[Row]
    invoices: list[Row] = field(default_factory=list)

    @cached_property
    def id(self) -> str:
        """The id of the subscription at Stripe."""
        return stripe_id("sub", self.rows[0]["subscription_id"])

    @cached_property
    def item_id(self) -> str:
        """The id of the subscription's only item."""
        return stripe_id("si", self.rows[0]["subscription_id"])

    def row_at(self, at: datetime) -> Row:
        """The row whose terms are in force at an instant, or were the last."""
        return next(row for row in reversed(self.rows) if row["started_at"] <= at)

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of each invoice, by invoice_id."""
        return {invoice["invoice_id"]: position for position, invoice in enumerate(self.invoices)}

    def invoices_at(self, at: datetime) -> list[Row]:
        """The invoices that are issued by an instant."""
        return [invoice for invoice in self.invoices if invoice["issued_at"] <= at]


def subscription(series: Series, at: datetime, prices: dict[str, Object]) -> Object:
    """A subscription as it was at an instant, at or after its start."""
    row, first = series.row_at(at), series.rows[0]
    is_last = row is series.rows[-1]
    ended = row["ended_at"] if is_last and row["ended_at"] is not None and row["ended_at"] <= at else None
    cancelled = row["cancelled_at"] if is_last and row["cancelled_at"] is not None and row["cancelled_at"] <= at else None
    invoices = series.invoices_at(at)
    own = [invoice for invoice in invoices if invoice["subscription_id"] == row["subscription_id"]]
    begin = own[-1]["period_start"] if own else row["started_at"]
    until = own[-1]["period_end"] if own else row["current_period_end"]
    paused = row["status"] == "paused" and row["paused_at"] is not None and row["paused_at"] <= at
    price = prices[price_id(row)]
    reduced = discount_id(row)
    return {
        "id": series.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": moment(row["trial_ends_at"] or row["started_at"]),
        "billing_mode": {"type": "classic"},
        "billing_thresholds": None,
        "cancel_at": moment(until) if cancelled and not ended else None,
        "cancel_at_period_end": cancelled is not None and ended is None,
        "canceled_at": moment(cancelled),
        "cancellation_details": {
            "comment": None,
            "feedback": None,
            "reason": "cancellation_requested" if cancelled else None,
        },
        "collection_method": "send_invoice",
        "created": moment(first["started_at"]),
        "currency": row["currency"].lower(),
        "customer": stripe_id("cus", row["account_id"]),
        "days_until_due": (own[-1]["due_at"] - own[-1]["issued_at"]).days if own else 14,
        "default_payment_method": None,
        "description": None,
        "discounts": [reduced] if reduced else [],
        "ended_at": moment(ended),
        "items": {
            "object": "list",
            "data": [
                {
                    "id": series.item_id,
                    "object": "subscription_item",
                    "billing_thresholds": None,
                    "created": moment(first["started_at"]),
                    "current_period_end": moment(until),
                    "current_period_start": moment(begin),
                    "discounts": [],
                    "metadata": {},
                    "plan": plan(price),
                    "price": price,
                    "quantity": row["quantity"],
                    "subscription": series.id,
                    "tax_rates": [],
                }
            ],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/subscription_items?subscription={series.id}",
        },
        "latest_invoice": stripe_id("in", invoices[-1]["invoice_id"]) if invoices else None,
        "livemode": True,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "pause_collection": {"behavior": "void", "resumes_at": None} if paused else None,
        "pending_update": None,
        "schedule": None,
        "start_date": moment(first["started_at"]),
        "status": "canceled" if ended else _status(row, invoices, at),
        "test_clock": None,
        "trial_end": moment(first["trial_ends_at"]),
        "trial_start": moment(first["started_at"]) if first["trial_ends_at"] else None,
    }


def _status(row: Row, invoices: list[Row], at: datetime) -> str:
    """The status of a subscription that has not ended. A late invoice makes it past due until it is paid."""
    if row["trial_ends_at"] is not None and at < row["trial_ends_at"]:
        return "trialing"
    if at >= row["updated_at"]:
        return _STATUSES.get(row["status"], str(row["status"]))
    late = any(
        invoice["due_at"] <= at and (invoice["paid_at"] > at if invoice["paid_at"] else row["status"] == "past_due")
        for invoice in invoices
        if invoice["status"] in ("paid", "open") and (invoice["paid_at"] is None or invoice["paid_at"] > invoice["due_at"])
    )
    return "past_due" if late else "active"
