"""mart_sla_adherence: one row per organization, priority, segment and month of ticket creation."""

from __future__ import annotations

from tests.recompute.compliance import SLAS, merged, sla_figures
from tests.recompute.grouping import counted_known, grouped
from tests.recompute.months import month_end, month_of
from tests.recompute.segments import segments
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN
from tests.recompute.tickets import fct_tickets


def mart_sla_adherence(sources: SourceData) -> list[Row]:
    """The rows of mart_sla_adherence. The segment comes from the top account of the ticket's account."""
    by_account = segments(sources)
    placed = [
        {
            **ticket,
            "segment": by_account.get((ticket["organization_id"], ticket["account_id"]), UNKNOWN),
            "created_month": month_of(ticket["created_at"]),
        }
        for ticket in fct_tickets(sources)
    ]
    rows: list[Row] = []
    for place, tickets in grouped(placed, "organization_id", "priority", "segment", "created_month").items():
        tenant, priority, name, month = place
        figures: Row = {}
        for sla in SLAS:
            figures |= sla_figures(sla, tickets)
        rows.append(
            {
                "organization_id": tenant,
                "priority": priority,
                "segment": name,
                "created_month": month,
                "is_complete": month_end(month) <= sources.as_of,
                "ticket_count": len(tickets),
                "resolved_count": counted_known(tickets, "is_resolved"),
                "merged_ticket_count": merged(tickets),
                **figures,
            }
        )
    return rows
