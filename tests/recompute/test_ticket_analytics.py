"""Ticket dimensions, releases, root causes and support performance on hand-worked tickets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from tests.recompute.factory import (
    account,
    at,
    facility,
    organization,
    product,
    root_cause,
    ticket,
    ticket_category,
    usage_event,
    user,
)
from tests.recompute.releases import dim_releases, is_watched, release_version
from tests.recompute.sources import Row, SourceData
from tests.recompute.tickets import csat_tier, fct_tickets

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)
ELSEWHERE = {"organization_id": "other"}


def sources(*tickets: Row, **tables: list[Row]) -> SourceData:
    numbered = [{**row, "ticket_id": str(number)} for number, row in enumerate(tickets)]
    given: dict[str, Any] = {
        "organizations": [organization(), organization(organization_id="other")],
        "accounts": [account(plan_tier="growth", city="Ulm"), account(account_id="bare", region=None)],
        "facilities": [facility(city="Bonn")],
        "users": [user()],
        "products": [product(category="apps"), product(product_id="theirs", **ELSEWHERE)],
        "ticket_categories": [ticket_category(), ticket_category(category_id="low", name="Low", parent_name="G")],
        "root_causes": [root_cause(), root_cause(root_cause_id="s", severity="HIGH"), root_cause(root_cause_id="q", **ELSEWHERE)],
        "tickets": numbered,
        **tables,
    }
    return SourceData.of(AS_OF, **given)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_release_versions_are_normalized() -> None:
    versions = ("1.2", "v1.2", " V1.2 ", "1.2.1", "2.0-RC1", "", "v", None)
    assert [release_version(version) for version in versions] == ["1.2", "1.2", "1.2", "1.2.1", "2.0-rc1", None, None, None]


def test_only_a_watched_release_makes_a_ticket_release_related() -> None:
    assert [is_watched(release, date(2026, 6, 16)) for release in ("1.2", "1.2.1", None)] == [True, False, False]
    first, second = fct_tickets(sources(ticket("2026-09-01", app_version="v1.2"), ticket("2026-09-01", app_version="1.3")))
    assert values(first, "release_version", "is_release_related") == ("1.2", True)
    assert values(second, "release_version", "is_release_related") == ("1.3", False)


def test_resolution_speed_reopening_and_satisfaction() -> None:
    times = {"status": "resolved", "resolved_at": "2026-09-02T00:00"}
    fast = ticket("2026-09-01", reopened_count=1, csat_score=3, **times)
    normal = ticket("2026-08-31T23:59", **times)
    slow = ticket("2026-08-29T23:59", **times)
    open_again = ticket("2026-09-01", status="escalated", resolved_at="2026-09-02")
    rows = fct_tickets(sources(fast, normal, slow, open_again))
    assert [values(row, "resolution_speed", "is_reopened", "is_escalated", "satisfaction_level") for row in rows] == [
        ("fast", True, False, "neutral"),
        ("normal", False, False, None),
        ("slow", False, False, None),
        (None, False, True, None),
    ]
    assert [csat_tier(score) for score in (0, 1, 2, 3, 4, 5, 6)] == [
        None,
        *["dissatisfied"] * 2,
        "neutral",
        *["satisfied"] * 2,
        None,
    ]
    assert [row["resolution_hours"] for row in rows] == [24, Fraction(1441, 60), Fraction(4321, 60), None]


def test_a_release_starts_with_its_first_ticket_or_event() -> None:
    rows = dim_releases(
        sources(
            ticket("2026-09-03", app_version="V1.2"),
            ticket("2026-09-20", app_version="1.4", updated_at="2026-09-01"),
            usage_events=[
                usage_event("2026-09-02T10:00", app_version="1.2"),
                usage_event("2026-09-04T10:00", event_id="f", app_version="1.3"),
                usage_event("2026-09-05T10:00", event_id="g", **ELSEWHERE, app_version="1.2"),
            ],
        )
    )
    found = {(row["organization_id"], row["release_version"]): row for row in rows}
    assert found.keys() == {("t", "1.2"), ("t", "1.3"), ("other", "1.2")}
    watched, quiet = found["t", "1.2"], found["t", "1.3"]
    assert values(watched, "first_seen_date", "first_ticket_at", "last_seen_at") == (
        date(2026, 9, 2),
        at("2026-09-03"),
        at("2026-09-03"),
    )
    assert values(watched, "ticket_count", "is_watched", "watched_from") == (1, True, None)
    assert values(quiet, "ticket_count", "first_ticket_at", "is_watched", "watch_reason") == (0, None, False, None)
