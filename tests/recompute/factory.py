"""Source rows for the tests of the recomputation. Every column has a default value."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.recompute.sources import Row

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """An instant in UTC from ISO 8601 without an offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def organization(**given: Any) -> Row:
    """A tenant `t` in Berlin that reports in EUR."""
    return {
        "organization_id": "t",
        "name": "T",
        "timezone": "Europe/Berlin",
        "reporting_currency": "EUR",
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        **given,
    }


def account(**given: Any) -> Row:
    """An active customer `a` of tenant `t`, of ten employees and unknown revenue."""
    optional = (
        *(
            "parent_account_id",
            "merged_into_account_id",
            "domain",
            "annual_revenue",
            "plan_tier",
        ),
        *("city", "owner_user_id", "signup_date"),
    )
    return {
        **dict.fromkeys(optional),
        "account_id": "a",
        "organization_id": "t",
        "name": "A",
        "industry": "software",
        "employee_count": 10,
        "currency": "EUR",
        "account_type": "customer",
        "status": "active",
        "region": "EMEA",
        "country": "DE",
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        **given,
    }


def order(order_id: str, ordered_at: str, total: str, **given: Any) -> Row:
    """A delivered order of account `a` in EUR."""
    return {
        "order_id": order_id,
        "organization_id": "t",
        "account_id": "a",
        "contact_id": None,
        "order_number": f"SO-{order_id}",
        "status": "delivered",
        "currency": "EUR",
        "subtotal_amount": Decimal(total),
        "discount_amount": Decimal(0),
        "tax_amount": Decimal(0),
        "shipping_amount": Decimal(0),
        "total_amount": Decimal(total),
        "ordered_at": at(ordered_at),
        "shipped_at": None,
        "delivered_at": None,
        "updated_at": at(ordered_at),
        **given,
    }


def ticket(created_at: str, **given: Any) -> Row:
    """An open ticket `k` of high priority, without a reply, an account or an assignee."""
    optional = (
        *("account_id", "contact_id", "facility_id", "product_id", "category_id", "root_cause_id"),
        *("assignee_user_id", "app_version", "first_responded_at", "resolved_at", "csat_score", "merged_into_ticket_id"),
    )
    moments = {name: at(value) for name, value in given.items() if name.endswith("_at")}
    return {
        **dict.fromkeys(optional),
        "ticket_id": "k",
        "organization_id": "t",
        "channel": "email",
        "priority": "high",
        "status": "open",
        "subject": "Help",
        "created_at": at(created_at),
        "reopened_count": 0,
        "updated_at": at(created_at),
        **given,
        **moments,
    }


def business_hours() -> list[Row]:
    """Monday to Friday, nine to five, in tenant `t`."""
    return [
        {
            "organization_id": "t",
            "weekday": weekday,
            "opens_at": time(9),
            "closes_at": time(17),
            "valid_from": LONG_AGO.date(),
        }
        for weekday in range(1, 6)
    ]


def sla_policy(priority: str, response: int, resolution: int, clock: str | None, valid_from: date | None = None) -> Row:
    """A policy of tenant `t`, targets in minutes."""
    return {
        "organization_id": "t",
        "priority": priority,
        "first_response_minutes": response,
        "resolution_minutes": resolution,
        "clock": clock,
        "valid_from": valid_from or LONG_AGO.date(),
    }


def _row(defaults: Row, given: Row) -> Row:
    """The defaults, overridden by `given`. A text in a timestamp column is parsed as an instant."""
    named = {"current_period_end", *(name for name in given if name.endswith("_at"))}
    moments = {name: at(value) for name, value in given.items() if name in named and isinstance(value, str)}
    return {**defaults, **given, **moments}


def facility(**given: Any) -> Row:
    """The facility `f` of tenant `t`."""
    names = {"facility_id": "f", "organization_id": "t", "name": "F", "city": None, "region": None}
    return _row({**names, "created_at": LONG_AGO, "updated_at": LONG_AGO}, given)


def user(**given: Any) -> Row:
    """The sales representative `u` at facility `f`."""
    names = {"user_id": "u", "organization_id": "t", "facility_id": "f", "full_name": "U", "email": None, "role": "sales_rep"}
    return _row({**names, "is_active": True, "created_at": LONG_AGO, "updated_at": LONG_AGO}, given)


def lead(stage: str, created_at: str, amount: str = "100", **given: Any) -> Row:
    """A lead `l` in EUR of representative `u` at facility `f`, without an account."""
    optional = ("account_id", "sql_at", "opportunity_at", "closed_at")
    names = {"lead_id": "l", "organization_id": "t", "facility_id": "f", "rep_user_id": "u", "source_channel": "web"}
    terms = {"stage": stage, "amount": Decimal(amount), "currency": "EUR"}
    times = {"created_at": at(created_at), "updated_at": at(created_at)}
    return _row({**dict.fromkeys(optional), **names, **terms, **times}, given)


def deal(stage: str, created_at: str, amount: str = "100", **given: Any) -> Row:
    """A deal `d` in EUR with account `a`, with a win probability of 50 %, owned by user `u` at facility `f`."""
    optional = ("contact_id", "lead_id", "expected_close_date", "closed_at", "lost_reason")
    names = {"deal_id": "d", "organization_id": "t", "account_id": "a", "facility_id": "f", "owner_user_id": "u", "name": "D"}
    terms = {"stage": stage, "amount": Decimal(amount), "currency": "EUR", "probability_pct": Decimal(50)}
    times = {"created_at": at(created_at), "updated_at": at(created_at)}
    return _row({**dict.fromkeys(optional), **names, **terms, **times}, given)


def product(**given: Any) -> Row:
    """The product `p` with a price of 10 EUR and a cost of 4."""
    names = {"product_id": "p", "organization_id": "t", "sku": "P-1", "name": "P", "category": "c", "product_type": "physical"}
    terms = {"unit_price": Decimal(10), "unit_cost": Decimal(4), "currency": "EUR", "stock_quantity": 9, "reorder_level": 3}
    return _row({**names, **terms, "is_active": True, "created_at": LONG_AGO, "updated_at": LONG_AGO}, given)


def order_item(order_id: str, line: str, **given: Any) -> Row:
    """A line of an order: one of product `p`."""
    names = {"order_item_id": f"i{order_id}", "organization_id": "t", "order_id": order_id, "product_id": "p"}
    terms = {"quantity": 1, "unit_price": Decimal(line), "discount_amount": Decimal(0), "line_amount": Decimal(line)}
    return _row({**names, **terms, "updated_at": LONG_AGO}, given)


def invoice(status: str, issued_at: str, total: str = "119", **given: Any) -> Row:
    """An invoice `n` to account `a` in EUR, due 14 days later and not paid."""
    names = {"invoice_id": "n", "organization_id": "t", "account_id": "a", "subscription_id": None, "status": status}
    tax = Decimal(total) * 19 / 119
    terms = {
        "subtotal_amount": Decimal(total) - tax,
        "tax_amount": tax,
        "total_amount": Decimal(total),
        "amount_paid": Decimal(0),
    }
    issued = at(issued_at)
    times = {"issued_at": issued, "due_at": issued + timedelta(days=14), "paid_at": None, "updated_at": issued}
    return _row({**names, **terms, **times, "currency": "EUR", "period_start": issued, "period_end": issued}, given)


def activity(status: str, created_at: str, **given: Any) -> Row:
    """A call `v` of user `u` with account `a`."""
    optional = ("contact_id", "deal_id", "outcome", "due_at", "completed_at", "duration_minutes")
    names = {"activity_id": "v", "organization_id": "t", "account_id": "a", "user_id": "u", "activity_type": "call"}
    state = {"subject": "Call", "status": status, "created_at": at(created_at), "updated_at": at(created_at)}
    return _row({**dict.fromkeys(optional), **names, **state}, given)


def subscription(amount: str, started_at: str, ended_at: str | None = None, **given: Any) -> Row:
    """A monthly subscription `s` of account `a` to a product `unlisted`, in EUR, active, without a discount."""
    optional = (
        "replaces_subscription_id",
        "trial_ends_at",
        "current_period_end",
        "paused_at",
        "cancelled_at",
        "ended_at",
    )
    names = {"subscription_id": "s", "organization_id": "t", "account_id": "a", "plan_tier": "growth", "status": "active"}
    terms = {"billing_interval": "month", "interval_count": 1, "quantity": 1, "unit_amount": Decimal(amount)}
    terms = {
        **terms,
        "product_id": "unlisted",
        "discount_pct": Decimal(0),
        "currency": "EUR",
        "started_at": at(started_at),
        "updated_at": LONG_AGO,
    }
    ended = {"ended_at": ended_at} if ended_at else {}
    return _row({**dict.fromkeys(optional), **names, **terms}, {**ended, **given})


def usage_event(occurred_at: str, **given: Any) -> Row:
    """A login `e` of person `u` at account `a`."""
    names = {"event_id": "e", "organization_id": "t", "account_id": "a", "user_id": "u"}
    kind = {"event_name": "login", "event_category": "core", "app_version": None, "properties": None}
    return _row({**names, **kind, "occurred_at": at(occurred_at)}, given)


def ticket_category(**given: Any) -> Row:
    """The ticket category `g`, without a parent."""
    return _row({"category_id": "g", "organization_id": "t", "name": "G", "parent_name": None, "updated_at": LONG_AGO}, given)


def root_cause(**given: Any) -> Row:
    """The root cause `r`, of medium severity."""
    names = {"root_cause_id": "r", "organization_id": "t", "code": "R-1", "name": "R", "category": "software"}
    return _row({**names, "severity": "medium", "updated_at": LONG_AGO}, given)
