"""mtr_weekly_ops: one row per organization and ISO week of ticket creation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tests.recompute.accounts import dim_accounts
from tests.recompute.compliance import CLOCKS, SLAS
from tests.recompute.distribution import distribution
from tests.recompute.grouping import counted, grouped, total, without_status
from tests.recompute.mrr import fct_revenue
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import Tenants, share
from tests.recompute.tickets import fct_tickets

WEEK = timedelta(days=7)
Accounts = Mapping[tuple[str, str], Row]
Revenue = Mapping[tuple[Any, ...], Sequence[Row]]


def monday(moment: datetime) -> date:
    """The first day of the ISO week (UTC) of an instant."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _weeks(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += WEEK


def _at_risk(accounts: Accounts, revenue: Revenue, tenant: str, week: date, violators: Sequence[Row]) -> Row:
    """The customers whose tickets breached an SLA in a week, and their revenue in the month of its Monday."""
    of_known_accounts = [ticket for ticket in violators if (tenant, ticket["account_id"]) in accounts]
    tops = {accounts[tenant, ticket["account_id"]]["top_account_id"] for ticket in of_known_accounts}
    months = [row for top in tops for row in revenue.get((tenant, top, week.replace(day=1)), [])]
    return {
        "sla_violator_count": len(violators),
        "violators_without_account": len(violators) - len(of_known_accounts),
        "violated_account_count": len(tops),
        "revenue_at_risk_amount": total(months, "mrr_amount"),
        "subscriptions_without_rate": int(total(months, "subscriptions_without_rate")),
    }


def _service_figures(tickets: Sequence[Row]) -> Row:
    """The response, resolution and CSAT figures of a week's tickets."""
    scored = [ticket for ticket in tickets if ticket["csat_tier"] is not None]
    satisfied = sum(ticket["csat_tier"] == "satisfied" for ticket in scored)
    figures: Row = {}
    for sla in SLAS:
        for clock in CLOCKS:
            figures |= distribution(tickets, f"{sla}_{clock}_minutes")
    return {
        "ticket_count": len(tickets),
        "resolved_count": counted(tickets, "is_resolved"),
        "merged_ticket_count": counted(tickets, "is_merged"),
        "unknown_status_ticket_count": without_status(tickets),
        **figures,
        "csat_response_count": len(scored),
        "satisfied_count": satisfied,
        "csat_positive_pct": share(satisfied, len(scored)),
    }


def mtr_weekly_ops(sources: SourceData) -> list[Row]:
    """The rows of mtr_weekly_ops, without a gap from an organization's first ticket to the week of the as-of time."""
    tenants = Tenants(sources)
    accounts = {(row["organization_id"], row["account_id"]): row for row in dim_accounts(sources)}
    revenue = grouped(fct_revenue(sources), "organization_id", "account_id", "month")
    tickets = [
        {**ticket, "week_start": monday(ticket["created_at"])}
        for ticket in fct_tickets(sources)
        if ticket["created_at"] < sources.as_of
    ]
    last = monday(sources.as_of - timedelta(microseconds=1))
    rows: list[Row] = []
    for (tenant,), own in grouped(tickets, "organization_id").items():
        by_week = grouped(own, "week_start")
        for week in _weeks(min(ticket["week_start"] for ticket in own), last):
            created = by_week.get((week,), [])
            violators = [ticket for ticket in created if "breached" in {ticket["response_state"], ticket["resolution_state"]}]
            iso = week.isocalendar()
            rows.append(
                {
                    "organization_id": tenant,
                    "week_start": week,
                    "iso_year": iso.year,
                    "iso_week": iso.week,
                    "is_complete": datetime.combine(week + WEEK, time.min, UTC) <= sources.as_of,
                    "reporting_currency": tenants.reporting_currency(tenant),
                    **_service_figures(created),
                    **_at_risk(accounts, revenue, tenant, week, violators),
                }
            )
    return rows
