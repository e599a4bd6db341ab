"""mart_ticket_sla_compliance: one row per organization, facility, priority and month of ticket creation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from tests.recompute.distribution import distribution
from tests.recompute.grouping import counted_known
from tests.recompute.months import month_end, month_of
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import share
from tests.recompute.tickets import fct_tickets

SLAS = ("response", "resolution")
STATES = ("met", "breached", "pending", "unknown")
CLOCKS = ("calendar", "business")


def sla_counts(name: str, tickets: Sequence[Row]) -> Row:
    """The tickets of one SLA (`response` or `resolution`) counted by state, and the compliance rate of all and of the resolved ones."""
    counts = {state: sum(ticket[f"{name}_state"] == state for ticket in tickets) for state in STATES}
    judged = [ticket[f"is_{name}_met"] for ticket in tickets if ticket["is_resolved"] and ticket[f"is_{name}_met"] is not None]
    all_unknown = bool(tickets) and counts["unknown"] == len(tickets)
    return {
        f"resolved_{name}_compliance_pct": share(sum(judged), len(judged)),
        **{f"{name}_{state}_count": None if all_unknown and state != "unknown" else count for state, count in counts.items()},
        f"{name}_compliance_pct": share(counts["met"], counts["met"] + counts["breached"]),
    }


def merged(tickets: Sequence[Row]) -> int | None:
    """The number of merged tickets. None if there are tickets, and none has a known status or names another one."""
    return counted_known(
        [{"is_merged": None if row["is_resolved"] is None else row["is_merged"]} for row in tickets], "is_merged"
    )


def sla_figures(name: str, tickets: Sequence[Row]) -> Row:
    """The counts of one SLA, and the distribution of its minutes on both clocks."""
    columns = sla_counts(name, tickets)
    for clock in CLOCKS:
        columns |= distribution(tickets, f"{name}_{clock}_minutes")
    return columns


def mart_ticket_sla_compliance(sources: SourceData) -> list[Row]:
    """The rows of mart_ticket_sla_compliance, by organization, facility, priority and month."""
    names = {identity: row["name"] or "Unknown" for identity, row in sources.by_tenant("facilities").items()}
    groups: dict[tuple[str, str, str, date], list[Row]] = defaultdict(list)
    for ticket in fct_tickets(sources):
        month = month_of(ticket["created_at"])
        groups[ticket["organization_id"], ticket["facility_id"], ticket["priority"], month].append(ticket)
    rows: list[Row] = []
    for (tenant, facility, priority, month), tickets in groups.items():
        rows.append(
            {
                "organization_id": tenant,
                "facility_id": facility,
                "facility_name": names.get((tenant, facility), "Unknown"),
                "priority": priority,
                "created_month": month,
                "is_complete": month_end(month) <= sources.as_of,
                "ticket_count": len(tickets),
                "resolved_count": counted_known(tickets, "is_resolved"),
                "merged_ticket_count": merged(tickets),
                **sla_figures("response", tickets),
                **sla_figures("resolution", tickets),
            }
        )
    return rows
