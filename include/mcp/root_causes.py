"""`kpi.top_root_causes`: the most frequent root causes of a month's tickets, by ticket category."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from include.mcp.answers import Answer, Organization, Question, RowLimit, ask

Month = Annotated[
    str | None,
    Field(
        description="Month in which the tickets were created, YYYY-MM. Default: the last complete month.",
        pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$",
    ),
]
Category = Annotated[
    str | None,
    Field(
        description="Only this ticket category and the categories under it. Default: all categories.",
        min_length=1,
        max_length=200,
    ),
]


class RootCause(BaseModel):
    """A root cause within a ticket category, summed over all products."""

    organization_id: str
    month: date
    is_complete: bool
    category_name: str
    parent_category_name: str | None
    category_rank: int
    root_cause_code: str | None
    root_cause_name: str
    root_cause_category: str | None
    ticket_count: int
    period_ticket_count: int
    period_share_pct: float
    open_count: int | None
    open_pct: float | None
    satisfied_pct: float | None
    release_related_pct: float | None


TOP_ROOT_CAUSES = Question(
    table="marts.mart_top_root_causes",
    answer=Answer[RootCause],
    sql="""
select
    organization_id,
    month,
    is_complete,
    category_name,
    parent_category_name,
    category_rank,
    root_cause_code,
    root_cause_name,
    root_cause_category,
    sum(ticket_count) as ticket_count,
    max(period_ticket_count) as period_ticket_count,
    round(100 * sum(ticket_count) / max(period_ticket_count), 2) as period_share_pct,
    sum(open_count) as open_count,
    round(100 * sum(open_count) / nullif(sum(ticket_count - unknown_status_ticket_count), 0), 2) as open_pct,
    round(100 * sum(satisfied_count) / nullif(sum(csat_response_count), 0), 2) as satisfied_pct,
    round(100 * sum(release_related_count) / nullif(sum(ticket_count - unknown_version_ticket_count), 0), 2)
        as release_related_pct
from marts.mart_top_root_causes
where month = @month
    and category_rank <= @row_limit
    and (@category is null or lower(@category) in (lower(category_name), lower(parent_category_name)))
    and (@organization_id is null or organization_id = @organization_id)
group by
    organization_id, month, is_complete, category_id, category_name, parent_category_name, category_rank,
    root_cause_id, root_cause_code, root_cause_name, root_cause_category
order by organization_id, category_name, category_id, category_rank, root_cause_name
""",
)


def top_root_causes(
    month: Month = None,
    category: Category = None,
    organization_id: Organization = None,
    limit: RowLimit = 5,
) -> Answer[RootCause]:
    """The most frequent root causes of a month's support tickets, by ticket category, with the number of open tickets.

    A figure is missing if no ticket says what it needs, such as a known status or the version of the app.

    `limit` applies to each organization and category. Causes with the same number of tickets share a rank, so there can be
    more rows. Tickets without a known cause have no row, but they count in period_ticket_count.
    """
    return ask(
        TOP_ROOT_CAUSES,
        lambda freshness: {
            "month": date.fromisoformat(f"{month}-01") if month else month_before(freshness.as_of),
            "category": category,
            "organization_id": organization_id,
            "row_limit": limit,
        },
    )


def month_before(as_of: datetime) -> date:
    """First day of the last complete calendar month (UTC) at an instant."""
    return (as_of.date().replace(day=1) - timedelta(days=1)).replace(day=1)
