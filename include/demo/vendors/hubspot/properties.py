"""Properties and associations that several of HubSpot's object types have, and values that HubSpot derives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from include.demo.vendors.common import Row
from include.demo.vendors.hubspot import words
from include.demo.vendors.hubspot.shape import Kind, Link, Property, object_id


def id_in(column: str) -> Callable[[Row], str | None]:
    """The HubSpot id of the object that a column names."""
    return lambda row: object_id(row.get(column))


def custom(
    name: str, source: str | Callable[[Row], Any], kind: str = "string", phrases: dict[str, str] | None = None
) -> Property:
    """A property that the account has added."""
    return Property(name, source, kind, phrases, custom=True)


def owner(column: str) -> Property:
    """The owner of an object."""
    return Property("hubspot_owner_id", id_in(column), "enumeration")


def closing(row: Row) -> Any:
    """The close date of a deal: HubSpot overwrites the expected date with the time at which the deal closes."""
    expected = row["expected_close_date"]
    return row["closed_at"] or (expected and datetime.combine(expected, time(), UTC))


def probability(percent: Decimal | None) -> str | None:
    """A probability as HubSpot writes it: the exact value of a binary fraction, as 0.1000000000000000055511151231257827…"""
    return None if percent is None else f"{Decimal(float(percent) / 100):f}"


def milliseconds(row: Row) -> int | None:
    """The duration of a call."""
    return None if row["duration_minutes"] is None else row["duration_minutes"] * 60_000


def happened(row: Row) -> Any:
    """`hs_timestamp` of an activity: when it was completed, else when it is due, else when it was entered."""
    return row["completed_at"] or row["due_at"] or row["created_at"]


def ends(row: Row) -> Any:
    """The end of a meeting; None if nobody wrote a duration."""
    return None if row["duration_minutes"] is None else happened(row) + timedelta(minutes=row["duration_minutes"])


def link(to: str, column: str, there: int, back: int) -> Link:
    """An association without a label."""
    return Link(to, column, ((there, None),), ((back, None),))


def activities(
    name: str,
    type_id: str,
    kind: str,
    subject: str,
    status: tuple[str, str, str, str],
    ids: tuple[int, int, int],
    *more: Property,
) -> Kind:
    """An activity type. `status` is its property, and its words for planned, completed, cancelled. `ids`: to company, contact, deal."""
    phrases = dict(zip(("planned", "completed", "cancelled"), status[1:], strict=True))
    own = [
        Property("hs_timestamp", happened, "datetime"),
        Property(subject, "subject"),
        Property(status[0], "status", "enumeration", phrases),
        owner("user_id"),
        custom("scheduled_for", "due_at", "datetime"),
        custom("outcome", "outcome", "enumeration", words.OUTCOMES),
    ]
    replaced = {prop.name for prop in more}
    links = (("companies", "account_id"), ("contacts", "contact_id"), ("deals", "deal_id"))
    return Kind(
        name,
        type_id,
        "activities",
        (*(prop for prop in own if prop.name not in replaced), *more),
        tuple(link(to, column, number, number - 1) for (to, column), number in zip(links, ids, strict=True)),
        where=lambda row: row["activity_type"] == kind,
    )
