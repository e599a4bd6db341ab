"""fct_usage on hand-worked events."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.recompute.factory import account, at, organization, usage_event
from tests.recompute.sources import Row, SourceData
from tests.recompute.usage import fct_usage


def usage(*events: Row) -> list[Row]:
    numbered = [{**event, "event_id": str(number)} for number, event in enumerate(events)]
    return fct_usage(
        SourceData.of(
            datetime(2026, 9, 15, tzinfo=UTC), organizations=[organization()], accounts=[account()], usage_events=numbered
        )
    )


def test_a_day_counts_events_users_and_categories() -> None:
    (row,) = usage(
        usage_event("2026-09-01T08:00:00"),
        usage_event("2026-09-01T07:00:00", user_id="v", event_name="search"),
        usage_event("2026-09-01T23:59:59", event_name="login", event_category="reporting"),
        usage_event("2026-09-01T10:00:00", event_category=" Integration ".strip()),
        usage_event("2026-09-01T11:00:00", event_category="gardening"),
    )
    counts = [row[f"{name}_event_count"] for name in ("core", "collaboration", "reporting", "integration", "administration")]
    assert (row["event_count"], row["login_count"], row["user_count"], counts) == (5, 1, 2, [2, 0, 1, 1, 0])
    assert (row["other_event_count"], row["category_count"]) == (1, 3)
    moments = (row["first_event_at"], row["last_event_at"], row["last_login_at"])
    assert moments == (at("2026-09-01T07:00:00"), at("2026-09-01T23:59:59"), at("2026-09-01T08:00:00"))


def test_days_are_utc_and_accounts_come_from_the_event() -> None:
    rows = usage(
        usage_event("2026-09-01T23:59:59"),
        usage_event("2026-09-02"),
        usage_event("2026-09-02", account_id="stranger"),
        usage_event("2026-09-15"),
    )
    assert [(row["usage_date"], row["account_id"], row["account_key"]) for row in rows] == [
        (date(2026, 9, 1), "a", "t|a"),
        (date(2026, 9, 2), "a", "t|a"),
        (date(2026, 9, 2), "stranger", None),
    ]
