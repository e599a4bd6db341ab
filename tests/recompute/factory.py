"""Hand-written source rows for the tests of the recomputation: every column, sensible by default."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from tests.recompute.world import Row

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
    """An active customer `a` of tenant `t`, of unknown size and revenue."""
    optional = (
        *(
            "parent_account_id",
            "merged_into_account_id",
            "domain",
            "employee_count",
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
    """An open ticket `k` of high priority, without a reply, of nobody in particular."""
    optional = (
        *("account_id", "contact_id", "facility_id", "product_id", "category_id", "root_cause_id"),
        *("assignee_user_id", "app_version", "first_responded_at", "resolved_at", "csat_score"),
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


def sla_policy(priority: str, response: int, resolution: int, clock: str, valid_from: date | None = None) -> Row:
    """A policy of tenant `t`, targets in minutes."""
    return {
        "organization_id": "t",
        "priority": priority,
        "first_response_minutes": response,
        "resolution_minutes": resolution,
        "clock": clock,
        "valid_from": valid_from or LONG_AGO.date(),
    }
