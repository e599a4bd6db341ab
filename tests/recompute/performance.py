"""mtr_support_performance: one row per organization, month, dimension and value of the dimension."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from tests.recompute.compliance import SLAS, merged, sla_figures
from tests.recompute.grouping import counted_known, grouped
from tests.recompute.months import month_end, month_of, months_between
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN, share
from tests.recompute.ticket_analytics import mart_ticket_analytics
from tests.recompute.top_causes import satisfaction


def _values(ticket: Row) -> list[Row]:
    """Copies of a ticket, one for each dimension that it is counted under."""
    values = (
        ("total", "total", "total"),
        ("channel", ticket["channel"] or UNKNOWN, ticket["channel"] or UNKNOWN),
        ("category", ticket["category_id"], ticket["category_name"]),
    )
    columns = ("dimension", "dimension_value", "dimension_name")
    return [{**ticket, **dict(zip(columns, value, strict=True))} for value in values]


def _figures(tickets: Sequence[Row], in_month: int) -> Row:
    figures: Row = {}
    for sla in SLAS:
        figures |= sla_figures(sla, tickets)
    return {
        "ticket_count": len(tickets),
        "month_ticket_count": in_month,
        "ticket_share_pct": share(len(tickets), in_month),
        "resolved_count": counted_known(tickets, "is_resolved"),
        "merged_ticket_count": merged(tickets),
        **figures,
        **satisfaction(tickets, "csat_positive_pct"),
    }


def _is_year_complete(year: int, first: date, as_of: datetime) -> bool:
    """Whether a year has ended and the tickets cover all of it. `first` is the month of the organization's first ticket."""
    return datetime(year + 1, 1, 1, tzinfo=UTC) <= as_of and (year > first.year or first.month == 1)


def mtr_support_performance(sources: SourceData) -> list[Row]:
    """The rows of mtr_support_performance, without a gap from a value's first ticket to the month of the as-of time."""
    last = month_of(sources.as_of - timedelta(microseconds=1))
    seen = [ticket for ticket in mart_ticket_analytics(sources) if ticket["created_at"] < sources.as_of]
    first = {tenant: min(row["created_month"] for row in own) for (tenant,), own in grouped(seen, "organization_id").items()}
    by_month = grouped(seen, "organization_id", "created_month")
    placed = [row for ticket in seen for row in _values(ticket)]
    rows: list[Row] = []
    for place, own in grouped(placed, "organization_id", "dimension", "dimension_value").items():
        tenant, dimension, value = place
        created = grouped(own, "created_month")
        for month in months_between(min(row["created_month"] for row in own), last):
            rows.append(
                {
                    "organization_id": tenant,
                    "month": month,
                    "dimension": dimension,
                    "dimension_value": value,
                    "dimension_name": own[0]["dimension_name"],
                    "is_complete": month_end(month) <= sources.as_of,
                    "is_year_complete": _is_year_complete(month.year, first[tenant], sources.as_of),
                    **_figures(created.get((month,), []), len(by_month.get((tenant, month), []))),
                }
            )
    return rows
