"""fct_ticket_sla_reconciliation and mart_sla_reconciliation on hand-worked tickets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.recompute.factory import at, business_hours, organization, sla_policy, ticket
from tests.recompute.sla_reports import fct_ticket_sla_reconciliation, mart_sla_reconciliation
from tests.recompute.sources import Row, SourceData

AS_OF = at("2026-09-23T00:00")


def report(ticket_id: str, metric: str, **given: Any) -> Row:
    """A report of tenant `t`. The help desk's clock runs, and no target is breached."""
    moments = {name: at(value) for name, value in given.items() if name.endswith("_at")}
    optional = dict.fromkeys(("target_minutes", "breached_at", "fulfilled_at", "elapsed_minutes"))
    row = {
        "organization_id": "t",
        "ticket_id": ticket_id,
        "metric": metric,
        "breached": False,
        "updated_at": at("2026-09-10T00:00"),
    }
    return {**row, **optional, **given, **moments}


def done(identity: str, **given: Any) -> Row:
    """Created on a Tuesday at 16:00 in Berlin. Answered after 30 minutes, resolved after 18 hours, which are two business hours."""
    times = {"first_responded_at": "2026-09-01T14:30", "resolved_at": "2026-09-02T08:00"}
    return ticket("2026-09-01T14:00", ticket_id=identity, **{"status": "resolved", **times, **given})


def compared(tickets: list[Row], reports: list[Row], **tables: list[Row]) -> SourceData:
    given = {
        "organizations": [organization()],
        "business_hours": business_hours(),
        "sla_policies": [sla_policy("high", 60, 240, "business")],
    }
    return SourceData.of(AS_OF, tickets=tickets, ticket_sla_events=reports, **given, **tables)


def reasons(sources: SourceData) -> dict[tuple[str, str], tuple[str, bool | None, Any]]:
    rows = fct_ticket_sla_reconciliation(sources)
    return {(row["ticket_id"], row["metric"]): (row["reason"], row["is_agreed"], row["difference_minutes"]) for row in rows}


STOPPED = {"fulfilled_at": "2026-09-02T08:00"}


def test_the_first_condition_that_holds_is_the_reason() -> None:
    changes = [
        {
            "organization_id": "t",
            "change_id": "1",
            "ticket_id": "raised",
            "from_priority": "low",
            "to_priority": "high",
            "changed_at": at("2026-09-01T14:10"),
            "updated_at": at("2026-09-01T14:10"),
        }
    ]
    found = reasons(
        compared(
            [
                done("a"),
                done("raised"),
                done("other"),
                done("paused"),
                done("more"),
                done("twice", reopened_count=1),
                done("merged", status="merged"),
                ticket("2026-09-01T14:00", ticket_id="open"),
                done("silent", first_responded_at="2026-09-02T09:00"),
            ],
            [
                report("a", "reply_time", elapsed_minutes=Decimal("30.5"), fulfilled_at="2026-09-01T14:30"),
                report("a", "Time to resolution", elapsed_minutes=Decimal(1080), breached=True, **STOPPED),
                report("raised", "resolution", target_minutes=7200, elapsed_minutes=Decimal(120), **STOPPED),
                report("other", "resolution", target_minutes=300, elapsed_minutes=Decimal(120), **STOPPED),
                report("paused", "resolution", target_minutes=240, elapsed_minutes=Decimal(50), **STOPPED),
                report("more", "resolution", elapsed_minutes=Decimal(500), breached=None, **STOPPED),
                report("more", "first_response", elapsed_minutes=Decimal(500), breached=True, fulfilled_at="2026-09-01T14:30"),
                report("twice", "resolution", elapsed_minutes=Decimal(60), fulfilled_at="2026-09-01T15:00"),
                report("merged", "resolution"),
                report("open", "first_response"),
                report("silent", "first_response", fulfilled_at="2026-09-02T09:00"),
            ],
            ticket_priority_changes=changes,
        )
    )
    assert found["a", "first_response"] == ("same", True, Decimal("0.5"))
    assert found["a", "resolution"] == ("clock", False, 960)
    assert found["raised", "resolution"] == ("priority_changed", True, 0)
    assert found["other", "resolution"] == ("target", True, 0)
    assert found["paused", "resolution"] == ("paused", True, -70)
    assert found["more", "resolution"] == ("not_decided_there", None, 380)
    assert found["more", "first_response"] == ("unexplained", False, 470)
    assert found["twice", "resolution"] == ("reopened", True, -60)
    assert found["merged", "resolution"] == ("merged", None, None)
    assert found["open", "first_response"] == ("open_past_target", False, None)
    assert found["open", "resolution"] == ("not_reported", None, None)
    assert found["silent", "first_response"] == ("resolved_without_reply", False, None)


def test_an_organization_has_priorities_of_its_own() -> None:
    moment = at("2026-09-01T14:10")
    change = {"organization_id": "t", "change_id": "1", "ticket_id": "raised", "changed_at": moment, "updated_at": moment}
    tables = {
        "tickets": [done("raised", priority="p1"), done("same", priority="p1")],
        "sla_policies": [sla_policy("p1", 60, 240, "business"), sla_policy("p2", 120, 480, "business")],
        "ticket_priority_changes": [{**change, "from_priority": "p2", "to_priority": "p1"}],
        "ticket_sla_events": [report(name, "resolution", target_minutes=480, **STOPPED) for name in ("raised", "same")],
    }
    given = {"organizations": [organization()], "business_hours": business_hours()}
    found = reasons(SourceData.of(AS_OF, **given, **tables))
    assert found["raised", "resolution"][0] == "priority_changed"
    assert found["same", "resolution"][0] == "target"


def test_an_organization_without_reports_has_no_rows() -> None:
    ahead = report("a", "resolution", updated_at="2026-09-23T00:00")
    assert fct_ticket_sla_reconciliation(compared([done("a")], [ahead, report("a", "periodic_update_time")])) == []


def test_months_are_counted() -> None:
    found = mart_sla_reconciliation(
        compared([done("a"), done("b")], [report("a", "resolution", elapsed_minutes=Decimal(120), **STOPPED)])
    )
    rows = {row["metric"]: row for row in found}
    resolution, response = rows["resolution"], rows["first_response"]
    assert (resolution["created_month"], resolution["is_complete"]) == (date(2026, 9, 1), False)
    counts = ("ticket_count", "not_reported_count", "compared_count", "agreed_count", "same_count", "unexplained_count")
    assert [resolution[name] for name in counts] == [2, 1, 1, 1, 1, 0]
    assert (resolution["agreement_pct"], resolution["compliance_pct"], resolution["reported_compliance_pct"]) == (100, 100, 100)
    assert (response["not_reported_count"], response["agreement_pct"], response["unexplained_pct"]) == (2, None, None)
