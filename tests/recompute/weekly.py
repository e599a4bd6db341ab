"""mtr_weekly_ops: one row per organization and ISO week of ticket creation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tests.recompute.accounts import dim_accounts
from tests.recompute.compliance import CLOCKS, SLAS, merged
from tests.recompute.distribution import distribution
from tests.recompute.grouping import counted_known, grouped, total, without_status
from tests.recompute.mrr import fct_revenue
from tests.recompute.recorded import recorded
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import Tenants, share
from tests.recompute.tickets import fct_tickets

WEEK = timedelta(days=7)
AT_RISK = ("violated_account_count", "revenue_at_risk_amount", "subscriptions_without_rate")
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


def _at_risk(accounts: Accounts, revenue: Revenue | None, tenant: str, week: date, created: Sequence[Row]) -> Row:
    """The customers whose tickets of a week breached an SLA, and their revenue in the month of its Monday.

    `revenue` is None if the organization has no subscriptions.
    """
    states = [{ticket["response_state"], ticket["resolution_state"]} for ticket in created]
    if states and all(found == {"unknown"} for found in states):
        return dict.fromkeys(("sla_violator_count", "violators_without_account", *AT_RISK))
    violators = [ticket for ticket, found in zip(created, states, strict=True) if "breached" in found]
    of_known_accounts = [ticket for ticket in violators if (tenant, ticket["account_id"]) in accounts]
    nobody_knows = bool(violators) and not of_known_accounts
    tops = {accounts[tenant, ticket["account_id"]]["top_account_id"] for ticket in of_known_accounts}
    months = [row for top in tops for row in (revenue or {}).get((tenant, top, week.replace(day=1)), [])]
    no_revenue = nobody_knows or revenue is None
    return {
        "sla_violator_count": len(violators),
        "violators_without_account": len(violators) - len(of_known_accounts),
        "violated_account_count": None if nobody_knows else len(tops),
        "revenue_at_risk_amount": None if no_revenue else total(months, "mrr_amount"),
        "subscriptions_without_rate": None if no_revenue else int(total(months, "subscriptions_without_rate")),
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
        "resolved_count": counted_known(tickets, "is_resolved"),
        "merged_ticket_count": merged(tickets),
        "unknown_status_ticket_count": without_status(tickets),
        **figures,
        "csat_response_count": len(scored),
        "satisfied_count": None if tickets and not scored else satisfied,
        "csat_positive_pct": share(satisfied, len(scored)),
    }


def mtr_weekly_ops(sources: SourceData) -> list[Row]:
    """The rows of mtr_weekly_ops, without a gap from an organization's first ticket to the week of the as-of time."""
    tenants = Tenants(sources)
    accounts = {(row["organization_id"], row["account_id"]): row for row in dim_accounts(sources)}
    revenue = grouped(fct_revenue(sources), "organization_id", "account_id", "month")
    kinds = recorded(sources)
    tickets = [
        {**ticket, "week_start": monday(ticket["created_at"])}
        for ticket in fct_tickets(sources)
        if ticket["created_at"] < sources.as_of
    ]
    last = monday(sources.as_of - timedelta(microseconds=1))
    rows: list[Row] = []
    for (tenant,), own in grouped(tickets, "organization_id").items():
        by_week = grouped(own, "week_start")
        paid = revenue if kinds[tenant]["has_subscriptions"] else None
        for week in _weeks(min(ticket["week_start"] for ticket in own), last):
            created = by_week.get((week,), [])
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
                    **_at_risk(accounts, paid, tenant, week, created),
                }
            )
    return rows
