"""mart_customer_health_scores: the health score of each paying customer, from every run up to the as-of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from fractions import Fraction
from pathlib import Path

from tests.recompute import scores
from tests.recompute.grouping import grouped, known
from tests.recompute.money import mean
from tests.recompute.mrr import INSTANT
from tests.recompute.signals import Signals, signals
from tests.recompute.sources import Row, SourceData, earlier_runs
from tests.recompute.tenants import UNKNOWN, share

TICKET_DAYS = 90
ATTRIBUTES = (
    *("organization_id", "account_id", "account_key", "account_name", "segment", "plan_tier", "region", "owner_user_id"),
    *("owner_name", "reporting_currency"),
)


def _support(found: Signals) -> tuple[Row, Fraction | None]:
    created = found.recent_tickets(TICKET_DAYS)
    answers = known((ticket for ticket in created if ticket["csat_tier"] is not None), "csat_score")
    late, still_open, has_tickets = found.breached_ticket_count(TICKET_DAYS), found.open_ticket_count, found.kinds["has_tickets"]
    figures = {
        "open_ticket_count": still_open,
        "ticket_count": len(created) if has_tickets else None,
        "breached_ticket_count": late,
        "breached_ticket_pct": None if late is None else share(late, len(created)),
        "csat_response_count": len(answers) if has_tickets else None,
        "mean_csat_score": mean(answers),
    }
    if still_open is None or late is None:
        return figures, None
    return figures, scores.support(still_open, len(created), late, mean(answers))


def _revenue(found: Signals) -> tuple[Row, Fraction | None]:
    figures = found.revenue
    if not found.is_revenue_known:
        return figures, None
    growth = figures["mrr_growth_pct"]
    return figures, scores.revenue(None if growth is None else growth / 100)


def _row(found: Signals, group: Sequence[int]) -> Row:
    """The row of an account. `group` is the event counts of all scored accounts in its organization and segment."""
    as_of, events = found.as_of, found.event_count(scores.USAGE_DAYS)
    categories, active_days = found.category_count(scores.USAGE_DAYS), found.active_days(scores.USAGE_DAYS)
    is_engagement_known = bool(found.events) and categories is not None and active_days is not None
    support, support_score = _support(found)
    revenue, revenue_score = _revenue(found)
    parts = {
        "usage": scores.usage(events, group) if found.events and events is not None else None,
        "support": support_score,
        "revenue": revenue_score,
        "engagement": scores.engagement(categories or 0, active_days or 0) if is_engagement_known else None,
    }
    coverage, contributions = scores.covered(parts, scores.HEALTH_WEIGHTS), scores.weighted(parts, scores.HEALTH_WEIGHTS)
    score = sum((part for part in contributions.values() if part is not None), Fraction(0)) if coverage else None
    return {
        **{name: found.account[name] for name in ATTRIBUTES},
        "score_date": (as_of - INSTANT).date(),
        "scored_at": as_of,
        "is_complete": as_of.time() == time.min,
        "is_current": True,
        "event_count": events,
        "segment_account_count": len(group),
        **support,
        **revenue,
        "used_category_count": categories,
        "feature_breadth_pct": None if categories is None else share(categories, scores.CATEGORY_COUNT),
        "active_day_count": active_days,
        **{f"{name}_score": part for name, part in parts.items()},
        **{f"{name}_contribution": part for name, part in contributions.items()},
        "data_coverage": coverage,
        "health_score": score,
        "health_tier": UNKNOWN if score is None else scores.health_tier(score),
    }


def scored(sources: SourceData) -> list[Row]:
    """The rows that one run adds, by top account with MRR."""
    paying = [{"found": found, **found.account} for found in signals(sources) if found.is_paying]
    rows: list[Row] = []
    for group in grouped(paying, "organization_id", "segment").values():
        counts = [len(row["found"].recent_events(scores.USAGE_DAYS)) for row in group]
        rows += [_row(row["found"], counts) for row in group]
    return rows


def mart_customer_health_scores(folder: Path, as_of: datetime) -> list[Row]:
    """The rows of mart_customer_health_scores, by top account and day.

    If the folder is named after its as-of time (2026-10-02), the history includes the runs of the earlier folders beside it.
    """
    rows = scored(SourceData.read(folder, as_of))
    for before, other in earlier_runs(folder, as_of):
        rows += [{**row, "is_current": False} for row in scored(SourceData.read(other, before))]
    return rows
