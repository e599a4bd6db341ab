"""mart_top_root_causes: one row per organization, month, root cause, ticket category and product category with a ticket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from tests.recompute.compliance import merged
from tests.recompute.distribution import distribution
from tests.recompute.grouping import counted_known, grouped, known, without_status
from tests.recompute.money import mean
from tests.recompute.months import month_end
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN, share
from tests.recompute.ticket_analytics import mart_ticket_analytics

CHANNELS = ("email", "chat", "phone", "social", "web", "app", UNKNOWN)
NAMES = (
    *("root_cause_code", "root_cause_name", "root_cause_category"),
    *("category_name", "parent_category_name"),
)


def ranks(counts: dict[Hashable, int]) -> dict[Hashable, int]:
    """The rank of each name by count, highest first. Equal counts share a rank, and the next rank is skipped."""
    return {name: 1 + sum(other > count for other in counts.values()) for name, count in counts.items()}


def satisfaction(tickets: Sequence[Row], rate: str) -> Row:
    """The CSAT figures of tickets. `rate` is the column name of the satisfied share."""
    scored = [ticket for ticket in tickets if ticket["csat_tier"] is not None]
    satisfied = sum(ticket["csat_tier"] == "satisfied" for ticket in scored)
    return {
        "csat_response_count": len(scored),
        "satisfied_count": None if tickets and not scored else satisfied,
        rate: share(satisfied, len(scored)),
        "mean_csat_score": mean(known(scored, "csat_score")),
    }


def _channels(tickets: Sequence[Row]) -> Row:
    channels = [ticket["channel"] if ticket["channel"] in CHANNELS else UNKNOWN for ticket in tickets]
    nobody_knows = set(channels) == {UNKNOWN}
    figures: Row = {}
    for channel in CHANNELS:
        count = None if nobody_knows and channel != UNKNOWN else channels.count(channel)
        figures |= {f"{channel}_count": count, f"{channel}_pct": None if count is None else share(count, len(channels))}
    return figures


def _ranked(tickets: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], int]:
    """The rank of every known cause by ticket count, within groups of equal `columns`. The cause is the last part of a key."""
    known_causes = [ticket for ticket in tickets if ticket["root_cause_id"] != UNKNOWN]
    found: dict[tuple[Any, ...], int] = {}
    for place, own in grouped(known_causes, *columns).items():
        counts: dict[Hashable, int] = dict(Counter(ticket["root_cause_id"] for ticket in own))
        found |= {(*place, cause): rank for cause, rank in ranks(counts).items()}
    return found


def mart_top_root_causes(sources: SourceData) -> list[Row]:
    """The rows of mart_top_root_causes."""
    tickets = [{**ticket, "month": ticket["created_month"]} for ticket in mart_ticket_analytics(sources)]
    periods = grouped(tickets, "organization_id", "month")
    by_month = _ranked(tickets, "organization_id", "month")
    by_category = _ranked(tickets, "organization_id", "month", "category_id")
    rows: list[Row] = []
    for place, own in grouped(tickets, "organization_id", "month", "root_cause_id", "category_id", "product_category").items():
        tenant, month, cause, category, product_category = place
        related, still_open = counted_known(own, "is_release_related"), counted_known(own, "is_open")
        with_status, with_version = (sum(row[name] is not None for row in own) for name in ("is_open", "is_release_related"))
        period = len(periods[tenant, month])
        rows.append(
            {
                "organization_id": tenant,
                "month": month,
                "year": month.year,
                "quarter": (month.month - 1) // 3 + 1,
                "is_complete": month_end(month) <= sources.as_of,
                "root_cause_id": cause,
                "category_id": category,
                "product_category": product_category,
                **{name: own[0][name] for name in NAMES},
                "ticket_count": len(own),
                "period_ticket_count": period,
                "period_share_pct": share(len(own), period),
                "open_count": still_open,
                "open_pct": share(still_open or 0, with_status),
                "resolved_count": counted_known(own, "is_resolved"),
                "merged_ticket_count": merged(own),
                "unknown_status_ticket_count": without_status(own),
                **distribution(own, "resolution_hours"),
                **satisfaction(own, "satisfied_pct"),
                **_channels(own),
                "release_related_count": related,
                "release_related_pct": share(related or 0, with_version),
                "unknown_version_ticket_count": len(own) - with_version,
                "month_rank": by_month.get((tenant, month, cause)),
                "category_rank": by_category.get((tenant, month, category, cause)),
            }
        )
    return rows
