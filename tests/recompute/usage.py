"""fct_usage: one row per account and UTC day with usage events. The event names the account."""

from __future__ import annotations

from collections.abc import Sequence

from tests.recompute.grouping import grouped
from tests.recompute.known_sums import counted_where
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import Tenants

CATEGORIES = ("core", "collaboration", "reporting", "integration", "administration")
OTHER = "other"


def is_login(event: Row) -> bool | None:
    """Whether an event is a login. None if it has no name and its category does not rule it out."""
    if (event["event_category"] or "core").lower() != "core":
        return False
    name: str | None = event["event_name"]
    return None if name is None else name.lower() == "login"


def category(event: Row) -> str:
    """The category of an event: one of the five known categories, or other."""
    name = (event["event_category"] or "").lower()
    return name if name in CATEGORIES else OTHER


def _day(events: Sequence[Row]) -> Row:
    moments, logins = [event["occurred_at"] for event in events], [event["occurred_at"] for event in events if is_login(event)]
    categories = [category(event) for event in events]
    is_known = any(event["event_category"] is not None for event in events)
    return {
        "event_count": len(events),
        "login_count": counted_where(events, is_login),
        "user_count": len({event["user_id"] for event in events} - {None}) or None,
        **{f"{name}_event_count": categories.count(name) if is_known else None for name in CATEGORIES},
        "other_event_count": categories.count(OTHER),
        "category_count": len(set(categories) - {OTHER}) if is_known else None,
        "first_event_at": min(moments),
        "last_event_at": max(moments),
        "last_login_at": max(logins, default=None),
    }


def fct_usage(sources: SourceData) -> list[Row]:
    """The rows of fct_usage, by account and day."""
    tenants = Tenants(sources)
    dated = [{**event, "usage_date": event["occurred_at"].date()} for event in sources["usage_events"]]
    return [
        {
            "organization_id": tenant,
            "account_id": account,
            "usage_date": day,
            "account_key": tenants.key("accounts", tenant, account),
            **_day(events),
        }
        for (tenant, account, day), events in grouped(dated, "organization_id", "account_id", "usage_date").items()
    ]
