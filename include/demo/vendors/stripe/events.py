"""Stripe's events: what happened to subscriptions and invoices, each with the whole object as it was then.

Stripe has no other feed of changes, and keeps events for 30 days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.demo.vendors.common import Row, number_of, seconds
from include.demo.vendors.stripe.invoices import finalized_at, invoice, is_trial
from include.demo.vendors.stripe.objects import Object
from include.demo.vendors.stripe.subscriptions import Series, subscription


@dataclass(frozen=True)
class Change:
    """Something that happened to an object.

    Attributes:
        object: the object afterwards.
        before: the object before, or only those of its attributes that changed; None if the type says it all.
    """

    at: datetime
    type: str
    object: Object
    before: Object | None = None

    def event(self, version: str, older: Callable[[Object], Object]) -> Object:
        """The event, with the object in the shape of an API version, which `older` makes."""
        after = older(self.object)
        data: Object = {"object": after}
        if self.before is not None:
            whole = "object" in self.before
            data["previous_attributes"] = _difference(older(self.before), after) if whole else self.before
        id_ = self.object["id"]
        return {
            "id": f"evt_{number_of(f'{id_}/{self.type}/{seconds(self.at)}', 60):x}",
            "object": "event",
            "api_version": version,
            "created": seconds(self.at),
            "data": data,
            "livemode": self.object.get("livemode", True),
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": self.type,
        }


def _difference(before: Any, after: Object) -> Object:
    """The values before of the attributes that changed. Objects are compared by attribute, arrays as a whole."""
    result = {}
    for name, value in before.items():
        if value == after.get(name):
            continue
        both = isinstance(value, dict) and isinstance(after.get(name), dict)
        result[name] = _difference(value, after[name]) if both else value
    return result | dict.fromkeys(after.keys() - before.keys())


def subscription_changes(series: Series, since: datetime, now: datetime, prices: dict[str, Object]) -> list[Change]:
    """What happened to a subscription from `since` on: it began, changed or ended."""
    moments = {series.rows[-1]["updated_at"]}
    for row in series.rows:
        moments |= {row[name] for name in ("started_at", "trial_ends_at", "cancelled_at", "ended_at", "paused_at")}
    for held in series.invoices:
        moments |= {held[name] for name in ("issued_at", "due_at", "paid_at")}
    begun = series.rows[0]["started_at"]
    moments = {at for at in moments if at is not None and begun <= at < now}
    if max(moments) < since:
        return []
    before = max((at for at in moments if at < since), default=None)
    last = None if before is None else subscription(series, before, prices)
    result = []
    for at in sorted(at for at in moments if at >= since):
        after = subscription(series, at, prices)
        if last is None:
            result.append(Change(at, "customer.subscription.created", after))
        elif after["ended_at"] and not last["ended_at"]:
            result.append(Change(at, "customer.subscription.deleted", after))
        elif after != last:
            result.append(Change(at, "customer.subscription.updated", after, last))
        last = after
    return result


def invoice_changes(series: Series, held: Row, since: datetime, now: datetime, customers: dict[str, Row]) -> list[Change]:
    """What happened to an invoice from `since` on: it was created, finalized, and paid, voided or given up."""
    if held["updated_at"] < since:
        return []
    steps = [(held["issued_at"], "created"), (finalized_at(held), "finalized")]
    if held["status"] not in ("draft", "open"):
        word = {"void": "voided", "uncollectible": "marked_uncollectible"}.get(held["status"], "paid")
        steps.append((held["paid_at"] if word == "paid" else held["updated_at"], word))
    if is_trial(held):
        # All three happen in one second. The event of the payment is enough.
        steps = steps[-1:]
    return [Change(at, f"invoice.{word}", invoice(series, held, at, customers)) for at, word in steps if since <= at < now]
