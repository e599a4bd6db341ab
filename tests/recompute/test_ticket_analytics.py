"""Ticket dimensions, releases, root causes and support performance on hand-worked tickets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from tests.recompute.causes import dim_root_causes, dim_ticket_categories
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
from tests.recompute.performance import mtr_support_performance
from tests.recompute.releases import dim_releases, is_watched, release_version
from tests.recompute.sources import Row, SourceData
from tests.recompute.ticket_analytics import mart_ticket_analytics
from tests.recompute.tickets import csat_tier, fct_tickets
from tests.recompute.top_causes import mart_top_root_causes, ranks

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


def test_every_organization_has_an_unknown_cause_and_category() -> None:
    causes = {values(row, "organization_id", "root_cause_id"): row for row in dim_root_causes(sources())}
    assert causes.keys() == {("t", "r"), ("t", "s"), ("other", "q"), ("t", "unknown"), ("other", "unknown")}
    assert values(causes["t", "s"], "root_cause_severity", "is_unknown") == ("high", False)
    assert values(causes["t", "unknown"], "root_cause_code", "root_cause_severity", "updated_at") == ("unknown", "unknown", None)
    top, low, unknown, _ = dim_ticket_categories(sources())
    assert [values(row, "parent_category_name", "top_category_name") for row in (top, low, unknown)] == [
        (None, "G"),
        ("G", "G"),
        (None, "unknown"),
    ]


def test_a_ticket_is_joined_with_every_dimension() -> None:
    points = {"account_id": "a", "facility_id": "f", "product_id": "p", "category_id": "low", "root_cause_id": "r"}
    (row,) = mart_ticket_analytics(sources(ticket("2026-05-31T23:59", assignee_user_id="u", **points)))
    assert values(row, "account_name", "segment", "plan_tier", "region", "city") == ("A", "mid_market", "growth", "EMEA", "Ulm")
    assert values(row, "facility_name", "facility_city", "product_name", "product_category") == ("F", "Bonn", "P", "apps")
    assert values(row, "category_name", "top_category_name", "category_key") == ("Low", "G", "t|low")
    assert values(row, "root_cause_code", "root_cause_category", "root_cause_severity") == ("R-1", "software", "medium")
    assert values(row, "assignee_user_id", "assignee_name", "lifecycle_stage") == ("u", "U", "prospect")
    assert values(row, "created_month", "created_quarter", "created_year") == (date(2026, 5, 1), date(2026, 4, 1), 2026)
    assert values(row, "created_weekday", "created_day_name", "is_complete") == (7, "Sunday", True)


def test_missing_dimensions_of_a_ticket_are_unknown() -> None:
    elsewhere = {"account_id": "gone", "facility_id": "gone", "product_id": "theirs", "root_cause_id": "q"}
    first, second = mart_ticket_analytics(sources(ticket("2026-09-14", **elsewhere), ticket("2026-09-14", account_id="bare")))
    assert values(first, "account_key", "segment", "plan_tier", "region", "industry") == (
        None,
        "unknown",
        "unknown",
        "unknown",
        None,
    )
    assert values(first, "facility_name", "product_id", "product_key", "product_name") == ("Unknown", "theirs", None, "unknown")
    assert values(first, "category_key", "root_cause_id", "root_cause_key") == ("t|unknown", "unknown", "t|unknown")
    assert values(first, "assignee_user_id", "assignee_name", "is_complete") == ("unknown", "unknown", False)
    assert values(second, "segment", "plan_tier", "region", "product_id") == ("smb", "none", "unknown", "unknown")


def test_equal_counts_share_a_rank() -> None:
    assert ranks({"a": 3, "b": 5, "c": 3, "d": 1}) == {"a": 2, "b": 1, "c": 2, "d": 4}


def test_causes_are_ranked_by_all_their_tickets() -> None:
    def about(cause: str | None, category: str | None = "g", product_id: str | None = None, **given: Any) -> Row:
        return ticket("2026-08-03", root_cause_id=cause, category_id=category, product_id=product_id, **given)

    rows = mart_top_root_causes(
        sources(
            about("r", status="resolved", resolved_at="2026-08-03T10:00", csat_score=5, app_version="1.2"),
            about("r", status="resolved", resolved_at="2026-08-03T20:00", csat_score=2, channel="fax"),
            about("r", "low", channel="app"),
            about("s", product_id="p"),
            about("s"),
            *[about(None)] * 3,
        )
    )
    found = {values(row, "root_cause_id", "category_id", "product_category"): row for row in rows}
    assert len(found) == 5
    main, low, apps, unknown = (
        found[place]
        for place in (
            ("r", "g", "unknown"),
            ("r", "low", "unknown"),
            ("s", "g", "apps"),
            ("unknown", "g", "unknown"),
        )
    )
    assert values(main, "month", "year", "quarter", "is_complete", "ticket_count") == (date(2026, 8, 1), 2026, 3, True, 2)
    assert values(main, "period_ticket_count", "period_share_pct", "open_pct", "release_related_pct") == (8, 25, 0, 50)
    assert values(main, "mean_resolution_hours", "median_resolution_hours", "p75_resolution_hours") == (15, 15, 17.5)
    assert values(main, "csat_response_count", "satisfied_pct", "mean_csat_score") == (2, 50, 3.5)
    assert values(main, "email_pct", "unknown_count", "app_count") == (50, 1, 0)
    assert values(low, "open_pct", "satisfied_pct", "p95_resolution_hours", "parent_category_name") == (100, None, None, "G")
    # In the month r has three tickets and s has two. In category g both have two. Tickets without a cause have no rank.
    assert [values(row, "month_rank", "category_rank") for row in (main, low, apps, unknown)] == [
        (1, 1),
        (1, 1),
        (2, 1),
        (None, None),
    ]


def test_performance_has_no_gap_between_months() -> None:
    rows = mtr_support_performance(
        sources(
            ticket("2024-12-31T23:59", channel="chat", category_id="low"),
            ticket("2026-08-31", first_responded_at="2026-08-31T01:00", csat_score=4),
            ticket("2026-08-31", first_responded_at="2026-08-31T05:00"),
            ticket("2026-09-16", updated_at="2026-09-01"),
        )
    )
    found = {values(row, "dimension", "dimension_value", "month"): row for row in rows}
    spans = [
        sum(place[:2] == (dimension, value) for place in found) for dimension, value in (("total", "total"), ("channel", "chat"))
    ]
    assert spans == [22, 22]
    names = {(place[1], row["dimension_name"]) for place, row in found.items() if place[0] == "category"}
    assert names == {("low", "Low"), ("unknown", "unknown")}
    email = found["channel", "email", date(2026, 8, 1)]
    assert values(email, "ticket_count", "ticket_share_pct", "response_compliance_pct", "csat_positive_pct") == (2, 100, 50, 100)
    assert values(email, "mean_response_calendar_minutes", "p75_response_calendar_minutes") == (180, 240)
    chat = found["channel", "chat", date(2026, 8, 1)]
    assert values(chat, "ticket_count", "month_ticket_count", "ticket_share_pct", "response_compliance_pct") == (0, 2, 0, None)
    quiet = found["total", "total", date(2025, 3, 1)]
    assert values(quiet, "month_ticket_count", "ticket_share_pct", "is_complete", "is_year_complete") == (0, None, True, True)
    # The first ticket came in December 2024, and 2026 has not ended.
    assert [found["total", "total", month]["is_year_complete"] for month in (date(2024, 12, 1), date(2026, 8, 1))] == [
        False,
        False,
    ]
