"""mart_ticket_sla_compliance: one row per organization, facility, priority and month of ticket creation."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.recompute.money import mean, percentile
from tests.recompute.months import month_end, month_of
from tests.recompute.tickets import fct_tickets
from tests.recompute.world import Row, World

PROMISES = ("response", "resolution")
STATES = ("met", "breached", "pending", "unknown")
STATISTICS = {"median": Fraction(1, 2), "p75": Fraction(3, 4), "p95": Fraction(95, 100)}


def _promise(name: str, tickets: list[Row]) -> Row:
    counts = {state: sum(ticket[f"{name}_state"] == state for ticket in tickets) for state in STATES}
    judged = counts["met"] + counts["breached"]
    columns: Row = {f"{name}_{state}_count": count for state, count in counts.items()}
    columns[f"{name}_compliance_pct"] = Fraction(100 * counts["met"], judged) if judged else None
    for clock in ("calendar", "business"):
        measure = f"{name}_{clock}_minutes"
        known = [ticket[measure] for ticket in tickets if ticket[measure] is not None]
        columns[f"mean_{measure}"] = mean(known)
        for statistic, share in STATISTICS.items():
            columns[f"{statistic}_{measure}"] = percentile(known, share)
    return columns


def mart_ticket_sla_compliance(world: World) -> list[Row]:
    """The rows of mart_ticket_sla_compliance, by organization, facility, priority and month."""
    names = {identity: row["name"] for identity, row in world.by_key("facilities").items()}
    groups: dict[tuple[str, str, str, date], list[Row]] = defaultdict(list)
    for ticket in fct_tickets(world):
        month = month_of(ticket["created_at"])
        groups[ticket["organization_id"], ticket["facility_id"], ticket["priority"], month].append(ticket)
    rows: list[Row] = []
    for (tenant, facility, priority, month), tickets in groups.items():
        rows.append(
            {
                "organization_id": tenant,
                "facility_id": facility,
                "facility_name": names.get(facility, "Unknown"),
                "priority": priority,
                "created_month": month,
                "is_complete": month_end(month) <= world.as_of,
                "ticket_count": len(tickets),
                "resolved_count": sum(ticket["is_resolved"] for ticket in tickets),
                **_promise("response", tickets),
                **_promise("resolution", tickets),
            }
        )
    return rows
