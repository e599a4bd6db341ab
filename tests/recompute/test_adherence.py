"""mart_sla_adherence and mtr_weekly_ops on hand-worked tickets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.recompute.adherence import mart_sla_adherence
from tests.recompute.factory import account, business_hours, organization, sla_policy, subscription, ticket
from tests.recompute.sources import Row, SourceData
from tests.recompute.weekly import mtr_weekly_ops

AS_OF = datetime(2026, 9, 23, tzinfo=UTC)
ACCOUNTS = [
    account(plan_tier="enterprise"),
    account(account_id="child", employee_count=10, parent_account_id="a"),
    account(account_id="left"),
]
SUBSCRIPTIONS = [
    subscription("100", "2026-01-01", subscription_id="1"),
    subscription("20", "2026-01-01", subscription_id="2", currency="XXX"),
    subscription("50", "2026-01-01", "2026-09-10", subscription_id="3", account_id="left"),
]


def sources(*tickets: Row) -> SourceData:
    return SourceData.of(
        AS_OF,
        organizations=[organization()],
        accounts=ACCOUNTS,
        subscriptions=SUBSCRIPTIONS,
        business_hours=business_hours(),
        sla_policies=[sla_policy("high", 60, 120, "calendar")],
        tickets=list(tickets),
    )


def done(identity: str, created_at: str, responded_at: str, resolved_at: str, **given: Any) -> Row:
    times = {"first_responded_at": responded_at, "resolved_at": resolved_at}
    return ticket(created_at, ticket_id=identity, status="resolved", **times, **given)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_ticket_has_the_segment_of_its_own_account() -> None:
    rows = mart_sla_adherence(
        sources(
            done("1", "2026-08-31T22:00", "2026-08-31T22:30", "2026-09-01T01:00", account_id="a"),
            done("2", "2026-09-01T07:00", "2026-09-01T08:00", "2026-09-01T09:00", account_id="child"),
            done("3", "2026-09-07T07:00", "2026-09-07T09:00", "2026-09-07T12:00", account_id="child"),
            ticket("2026-09-07T07:00", ticket_id="4", account_id="gone"),
        )
    )
    found = {(row["segment"], row["created_month"]): row for row in rows}
    assert found.keys() == {
        ("enterprise", date(2026, 8, 1)),
        ("smb", date(2026, 9, 1)),
        ("unknown", date(2026, 9, 1)),
    }
    august, smb, unknown = (found[place] for place in sorted(found))
    # Created and resolved outside opening hours: 30 and 180 calendar minutes, 0 business minutes.
    assert values(august, "is_complete", "ticket_count", "response_met_count", "resolution_breached_count") == (True, 1, 1, 1)
    assert values(august, "mean_resolution_calendar_minutes", "mean_resolution_business_minutes") == (180, 0)
    # Responses after 60 and 120 minutes, resolutions after 120 and 300. The second of each is late.
    assert values(smb, "response_compliance_pct", "resolution_compliance_pct", "is_complete") == (50, 50, False)
    assert values(smb, "median_response_calendar_minutes", "p75_response_calendar_minutes") == (90, 105)
    assert smb["p95_resolution_business_minutes"] == 120 + 180 * 95 / 100
    assert values(unknown, "resolved_count", "response_breached_count", "p95_response_calendar_minutes") == (0, 1, None)


def test_weeks_begin_on_monday_and_have_no_gap() -> None:
    rows = mtr_weekly_ops(
        sources(
            done("1", "2026-08-30T23:59", "2026-08-31T00:29", "2026-08-31T01:29", csat_score=4),
            done("2", "2026-09-14T00:00", "2026-09-14T00:30", "2026-09-14T01:30", csat_score=3),
            done("3", "2026-09-20T10:00", "2026-09-20T10:10", "2026-09-20T10:20", csat_score=5),
        )
    )
    weeks = {row["week_start"]: row for row in rows}
    assert [values(row, "week_start", "iso_year", "iso_week", "ticket_count", "is_complete") for row in rows] == [
        (date(2026, 8, 24), 2026, 35, 1, True),
        (date(2026, 8, 31), 2026, 36, 0, True),
        (date(2026, 9, 7), 2026, 37, 0, True),
        (date(2026, 9, 14), 2026, 38, 2, True),
        (date(2026, 9, 21), 2026, 39, 0, False),
    ]
    nothing, week = weeks[date(2026, 9, 7)], weeks[date(2026, 9, 14)]
    assert values(week, "csat_response_count", "satisfied_count", "csat_positive_pct", "resolved_count") == (2, 1, 50, 2)
    assert values(week, "median_response_calendar_minutes", "median_resolution_calendar_minutes") == (20, 55)
    assert values(nothing, "csat_positive_pct", "median_response_calendar_minutes", "revenue_at_risk_amount") == (None, None, 0)


def test_a_week_shows_merged_tickets_and_unknown_statuses() -> None:
    tickets = [
        ticket("2026-09-15T09:00", ticket_id="1", status="merged"),
        ticket("2026-09-15T09:00", ticket_id="2", status="triage"),
        ticket("2026-09-15T09:00", ticket_id="3"),
        done("4", "2026-09-16T09:00", "2026-09-16T09:30", "2026-09-16T10:00"),
    ]
    first = mtr_weekly_ops(sources(*tickets))[0]
    columns = ("ticket_count", "resolved_count", "merged_ticket_count", "unknown_status_ticket_count", "sla_violator_count")
    assert values(first, *columns) == (4, 2, 1, 1, 1)


def test_revenue_at_risk_counts_a_customer_once_a_week() -> None:
    late = ("2026-09-14T09:00", "2026-09-14T11:00", "2026-09-14T12:00")
    (first, _) = mtr_weekly_ops(
        sources(
            done("1", *late, account_id="a"),
            # An open ticket that breached both SLAs counts once. It belongs to the same customer.
            ticket("2026-09-15T09:00", ticket_id="2", account_id="child"),
            # One ticket has no known account. Another belongs to a customer that left in the month.
            done("3", *late, account_id="gone"),
            done("4", *late, account_id="left"),
            done("5", "2026-09-16T09:00", "2026-09-16T09:30", "2026-09-16T10:00", account_id="a"),
        )
    )
    assert values(first, "ticket_count", "sla_violator_count", "violators_without_account") == (5, 4, 1)
    assert values(first, "violated_account_count", "revenue_at_risk_amount", "subscriptions_without_rate") == (2, 100, 1)
