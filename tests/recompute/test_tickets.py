"""fct_tickets and mart_ticket_sla_compliance on hand-worked tickets."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from tests.recompute.compliance import mart_ticket_sla_compliance
from tests.recompute.factory import at, business_hours, organization, sla_policy, ticket
from tests.recompute.sources import Row, SourceData
from tests.recompute.tickets import fct_tickets
from tests.recompute.top_causes import mart_top_root_causes

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
POLICY = sla_policy("high", 120, 480, "business")


def sources(*tickets: Row, **tables: list[Row]) -> SourceData:
    given: dict[str, Any] = {
        "organizations": [organization()],
        "business_hours": business_hours(),
        "sla_policies": [POLICY],
        "tickets": list(tickets),
        **tables,
    }
    return SourceData.of(AS_OF, **given)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_weekend_ticket_meets_its_sla_on_the_business_clock_and_breaches_it_on_the_calendar_clock() -> None:
    # Friday 16:30 local to Monday 10:00 local.
    late = ticket("2026-09-18T14:30", first_responded_at="2026-09-21T08:00")
    (row,) = fct_tickets(sources(late))
    assert values(row, "response_calendar_minutes", "response_business_minutes") == (3930, 90)
    assert values(row, "response_clock", "response_state", "is_response_met") == ("business", "met", True)
    (row,) = fct_tickets(sources(late, sla_policies=[sla_policy("high", 120, 480, "calendar")]))
    assert values(row, "response_clock", "response_state", "is_response_met") == ("calendar", "breached", False)


def test_daylight_saving_changes_the_calendar_minutes_between_the_same_local_times() -> None:
    # Friday 16:00 to Monday 10:00 local is 65 hours in spring and 67 in autumn, and always two open hours.
    spring = ticket("2026-03-27T15:00", first_responded_at="2026-03-30T08:00")
    autumn = ticket("2025-10-24T14:00", first_responded_at="2025-10-27T09:00", ticket_id="l")
    rows = fct_tickets(sources(spring, autumn))
    assert [row["response_calendar_minutes"] for row in rows] == [65 * 60, 67 * 60]
    assert [row["response_business_minutes"] for row in rows] == [120, 120]
    assert [row["response_state"] for row in rows] == ["met", "met"]


def test_an_open_ticket_is_pending_up_to_its_target_and_breached_after_it() -> None:
    # The last open instant before as_of is Wednesday 17:00 local, 15:00 UTC.
    rows = fct_tickets(sources(ticket("2026-09-30T13:00"), ticket("2026-09-30T12:59", ticket_id="l")))
    assert [values(row, "response_elapsed_minutes", "response_state") for row in rows] == [
        (120, "pending"),
        (121, "breached"),
    ]
    assert [values(row, "response_closed_at", "is_response_met") for row in rows] == [
        (None, None),
        (None, False),
    ]


def test_the_response_clock_of_a_ticket_without_a_reply_stops_at_resolution() -> None:
    done = ticket("2026-09-21T07:00", status="resolved", resolved_at="2026-09-21T08:30")
    (row,) = fct_tickets(sources(done))
    assert values(row, "response_closed_at", "response_state") == (at("2026-09-21T08:30"), "met")


def test_open_around_the_clock_without_a_reply() -> None:
    hours = [
        {**row, "opens_at": time(0), "closes_at": time(0), "weekday": day} for day in range(1, 8) for row in business_hours()[:1]
    ]
    sydney = {"organizations": [organization(timezone="Australia/Sydney")], "business_hours": hours}
    done = ticket("2024-04-06T10:00", status="closed", resolved_at="2024-04-07T10:00")
    (row,) = fct_tickets(sources(done, sla_policies=[sla_policy("high", 60, 240, "business")], **sydney))
    assert values(row, "response_business_minutes", "resolution_business_minutes") == (1440, 1440)
    assert values(row, "response_state", "resolution_state") == ("breached", "breached")


def test_an_unknown_business_clock_decides_nothing() -> None:
    (row,) = fct_tickets(
        sources(
            ticket("2026-09-21T07:00", first_responded_at="2026-09-21T07:30"),
            organizations=[organization(timezone="Mars/Olympus")],
        )
    )
    assert values(row, "response_calendar_minutes", "response_business_minutes", "response_clock") == (30, None, "business")
    assert values(row, "response_state", "is_response_met") == ("unknown", None)


def test_the_local_day_of_creation_decides_the_policy() -> None:
    # Berlin's 2026-09-21 begins at 22:00 UTC on the day before.
    policies = [POLICY, {**sla_policy("high", 5, 480, "business"), "valid_from": date(2026, 9, 21)}]
    rows = fct_tickets(sources(ticket("2026-09-20T21:59"), ticket("2026-09-20T22:00", ticket_id="l"), sla_policies=policies))
    assert [row["response_target_minutes"] for row in rows] == [120, 5]


def test_three_resolved_tickets_without_any_reply_show_that_replies_are_not_recorded() -> None:
    closed = [ticket("2026-09-21T07:00", status="solved", resolved_at="2026-09-21T08:30", ticket_id=name) for name in "abc"]
    merged = ticket("2026-09-21T07:00", status="merged", resolved_at="2026-09-21T07:01", ticket_id="m")
    waiting = ticket("2026-09-21T07:00", ticket_id="w")
    assert {row["response_state"] for row in fct_tickets(sources(*closed, waiting))} == {"unknown"}
    few = fct_tickets(sources(*closed[:2], merged, waiting))
    assert [row["response_state"] for row in few] == ["met", "met", "excluded", "breached"]
    replied = fct_tickets(sources(*closed, {**waiting, "first_responded_at": at("2026-09-21T07:30")}))
    assert [row["response_state"] for row in replied] == ["met", "met", "met", "met"]


def test_a_merged_ticket_is_resolved_and_in_no_sla() -> None:
    target = ticket("2026-09-21T07:00", first_responded_at="2026-09-21T07:30")
    merged = ticket(
        "2026-09-21T07:00",
        status="closed",
        resolved_at="2026-09-21T07:01",
        ticket_id="m",
        merged_into_ticket_id=target["ticket_id"],
    )
    itself = ticket("2026-09-21T07:00", ticket_id="i", merged_into_ticket_id="i")
    rows = fct_tickets(sources(target, merged, itself))
    assert [row["is_merged"] for row in rows] == [False, True, False]
    assert values(rows[1], "merged_into_ticket_id", "is_resolved", "resolution_hours") == ("k", True, None)
    assert values(rows[1], "response_state", "resolution_state", "response_business_minutes") == ("excluded", "excluded", None)
    (row,) = mart_ticket_sla_compliance(sources(target, merged, itself))
    assert values(row, "ticket_count", "merged_ticket_count", "response_met_count", "response_breached_count") == (3, 1, 1, 1)


def test_nobody_knows_whether_a_ticket_of_unknown_status_is_open() -> None:
    waiting = ticket("2026-09-21T07:00", status="triage", resolved_at="2026-09-21T08:30")
    answered = ticket("2026-09-21T07:00", status=None, ticket_id="r", first_responded_at="2026-09-21T07:30")
    merged = ticket("2026-09-21T07:00", status="triage", ticket_id="m", merged_into_ticket_id="k")
    rows = fct_tickets(sources(waiting, answered, merged))
    assert [values(row, "status", "is_open", "is_resolved", "resolved_at") for row in rows] == [
        ("unknown", None, None, None),
        ("unknown", None, None, None),
        ("unknown", False, True, None),
    ]
    # What is recorded is judged. Nobody knows if the rest still runs.
    assert [values(row, "response_state", "resolution_state") for row in rows] == [
        ("unknown", "unknown"),
        ("met", "unknown"),
        ("excluded", "excluded"),
    ]
    (row,) = mart_top_root_causes(sources(waiting, answered, merged, ticket("2026-09-21T07:00", ticket_id="o")))
    columns = ("ticket_count", "open_count", "resolved_count", "merged_ticket_count", "unknown_status_ticket_count")
    assert values(row, *columns) == (4, 1, 1, 1, 2)


def test_a_ticket_has_a_priority_of_its_organization() -> None:
    rows = fct_tickets(
        sources(
            ticket("2026-09-21T07:00", priority="P1"),
            ticket("2026-09-21T07:00", priority="P2", ticket_id="other"),
            sla_policies=[sla_policy("p1", 30, 480, "calendar")],
        )
    )
    assert [values(row, "priority", "response_target_minutes", "resolution_policy") for row in rows] == [
        ("p1", 30, "policy"),
        ("unknown", None, "none"),
    ]


def test_the_rate_over_resolved_tickets_leaves_out_open_breaches() -> None:
    met = ticket("2026-09-21T07:00", status="resolved", first_responded_at="2026-09-21T07:30", resolved_at="2026-09-21T08:00")
    overdue = ticket("2026-09-21T07:00", ticket_id="l")
    (row,) = mart_ticket_sla_compliance(sources(met, overdue))
    assert values(row, "response_compliance_pct", "resolved_response_compliance_pct") == (50, 100)
    assert values(row, "resolution_compliance_pct", "resolved_resolution_compliance_pct") == (50, 100)


def test_words_of_other_help_desks_are_known() -> None:
    rows = fct_tickets(
        sources(
            ticket("2026-09-21T07:00", priority="Urgent", status="Waiting on Third Party"),
            ticket("2026-09-21T07:00", priority="normal", status="hold", ticket_id="l"),
            ticket("2026-09-21T07:00", priority="p7", status="triage", ticket_id="m"),
        )
    )
    assert [values(row, "priority", "status", "response_policy") for row in rows] == [
        ("critical", "on_hold", "default"),
        ("medium", "on_hold", "default"),
        ("unknown", "unknown", "none"),
    ]


def test_an_unknown_resolution_time_gives_an_unknown_state() -> None:
    replied = ticket("2026-09-21T07:00", status="closed", first_responded_at="2026-09-21T07:30")
    unanswered = ticket("2026-09-21T07:00", status="closed", ticket_id="l")
    first, second = fct_tickets(sources(replied, unanswered))
    assert values(first, "response_state", "resolution_state") == ("met", "unknown")
    assert values(second, "response_state", "resolution_state") == ("unknown", "unknown")
    assert values(second, "response_elapsed_minutes", "resolution_elapsed_minutes") == (None, None)


def test_the_clock_of_a_reopened_ticket_runs_from_its_creation() -> None:
    again = ticket("2026-09-28T07:00", resolved_at="2026-09-28T09:00", reopened_count=1)
    (row,) = fct_tickets(sources(again))
    assert values(row, "is_resolved", "resolved_at", "resolution_state") == (False, None, "breached")
    assert row["resolution_elapsed_minutes"] == 3 * 480


def test_the_target_depends_on_the_priority_at_the_event() -> None:
    raised = ticket(
        "2026-09-21T07:00",
        priority="critical",
        first_responded_at="2026-09-21T08:30",
        resolved_at="2026-09-21T12:00",
        status="resolved",
    )
    change = {
        "change_id": "c",
        "organization_id": "t",
        "ticket_id": "k",
        "from_priority": "high",
        "to_priority": "critical",
        "changed_at": at("2026-09-21T10:00"),
        "updated_at": at("2026-09-21T10:00"),
    }
    (row,) = fct_tickets(sources(raised, ticket_priority_changes=[change]))
    assert values(row, "response_priority", "response_target_minutes", "response_state") == ("high", 120, "met")
    # There is no policy for critical. The default is four hours on the calendar clock, and the resolution took five.
    assert values(row, "resolution_priority", "resolution_policy", "resolution_clock") == (
        "critical",
        "default",
        "calendar",
    )
    assert values(row, "resolution_target_minutes", "resolution_state") == (240, "breached")


def test_an_unknown_clock_decides_nothing() -> None:
    replied = ticket("2026-09-21T07:00", first_responded_at="2026-09-21T09:30")
    columns = (
        "response_clock",
        "response_target_minutes",
        "response_elapsed_minutes",
        "response_calendar_minutes",
        "response_state",
    )
    for word in ("lunar", None):
        lunar = [sla_policy("high", 120, 480, word)]
        (row,) = fct_tickets(sources(replied, sla_policies=lunar))
        assert values(row, *columns) == ("unknown", None, None, 150, "unknown")
        assert row["response_policy"] == "policy"
        # Only the calendar clock can count.
        (row,) = fct_tickets(sources(replied, sla_policies=lunar, business_hours=[]))
        assert values(row, *columns) == ("calendar", 120, 150, 150, "breached")
    (row,) = fct_tickets(sources(replied, sla_policies=[sla_policy("high", 120, 480, "Calendar Hours")]))
    assert values(row, *columns) == ("calendar", 120, 150, 150, "breached")


def test_without_opening_hours_the_calendar_clock_applies() -> None:
    (row,) = fct_tickets(sources(ticket("2026-09-21T07:00", first_responded_at="2026-09-21T09:30"), business_hours=[]))
    assert values(row, "response_clock", "response_business_minutes", "response_state") == (
        "calendar",
        None,
        "breached",
    )


def test_compliance_counts_met_and_breached_but_not_pending() -> None:
    met = ticket("2026-09-21T07:00", first_responded_at="2026-09-21T08:00", ticket_id="1")
    breached = ticket("2026-09-21T07:00", first_responded_at="2026-09-21T10:00", ticket_id="2")
    pending = ticket("2026-09-30T14:00", ticket_id="3")
    (row,) = mart_ticket_sla_compliance(sources(met, breached, pending))
    assert values(row, "facility_id", "priority", "created_month") == ("unknown", "high", date(2026, 9, 1))
    assert values(row, "ticket_count", "response_met_count", "response_breached_count") == (3, 1, 1)
    assert values(row, "response_pending_count", "response_compliance_pct", "is_complete") == (1, 50, True)
    assert values(row, "mean_response_calendar_minutes", "p75_response_calendar_minutes") == (120, 150)
    (row,) = mart_ticket_sla_compliance(sources(pending))
    assert row["response_compliance_pct"] is None
