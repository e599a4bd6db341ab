"""fct_ticket_sla_reconciliation and mart_sla_reconciliation on hand-worked tickets."""

from __future__ import annotations

from typing import Any

from tests.recompute.factory import at, business_hours, organization, sla_policy, ticket
from tests.recompute.sla_reports import fct_ticket_sla_reconciliation
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
