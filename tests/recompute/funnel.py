"""mart_conversion_funnel and mart_cohort_retention: the progress of leads, by month of creation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.recompute.grouping import counted_known, grouped
from tests.recompute.known_sums import both, negated, percent
from tests.recompute.leads import FUNNEL, fct_leads
from tests.recompute.months import month_end, month_of, months_between
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import UNKNOWN, Tenants

FOREVER = datetime.max.replace(tzinfo=UTC)


def mart_conversion_funnel(sources: SourceData) -> list[Row]:
    """The rows of mart_conversion_funnel, by facility, rep, month of creation and funnel stage."""
    tenants = Tenants(sources)
    columns = ("organization_id", "facility_id", "rep_user_id", "created_month")
    rows: list[Row] = []
    for identity, leads in grouped(fct_leads(sources), *columns).items():
        tenant, facility, rep, month = identity
        for order, stage in enumerate(FUNNEL, start=1):
            following = FUNNEL[order] if order < len(FUNNEL) else None
            states = [{**lead, "here": lead.get(f"reached_{stage}", True)} for lead in leads]
            states = [{**lead, "beyond": lead[f"reached_{following}"] if following else False} for lead in states]
            states = [{**lead, "lost_here": both(lead["is_lost"], lead["here"], negated(lead["beyond"]))} for lead in states]
            here, beyond = counted_known(states, "here"), counted_known(states, "beyond")
            rows.append(
                {
                    **dict(zip(columns, identity, strict=True)),
                    "facility_name": tenants.facility_name(tenant, facility),
                    "rep_name": tenants.user_name(tenant, rep),
                    "is_complete": month_end(month) <= sources.as_of,
                    "stage": stage,
                    "stage_order": order,
                    "next_stage": following,
                    "lead_count": len(leads),
                    "reached_count": here,
                    "next_reached_count": beyond if following else None,
                    "lost_count": counted_known(states, "lost_here"),
                    "conversion_to_next_pct": percent(beyond, here) if following else None,
                    "conversion_from_lead_pct": percent(here, len(leads)),
                }
            )
    return rows


def _is_retained(lead: Row, end: datetime) -> bool:
    """Whether a lead is known not to be lost at an instant."""
    if lead["stage"] == UNKNOWN:
        return False
    return not lead["is_lost"] or (lead["closed_at"] is not None and lead["closed_at"] >= end)


def _is_lost_undated(lead: Row) -> bool:
    return bool(lead["is_lost"]) and lead["closed_at"] is None


def _has_progressed(lead: Row, end: datetime) -> bool:
    won_at = lead["closed_at"] if lead["is_won"] else None
    return any(moment is not None and moment < end for moment in (lead["opportunity_at"], won_at))


def mart_cohort_retention(sources: SourceData) -> list[Row]:
    """The rows of mart_cohort_retention, by month of creation and months since, up to the month of the as-of time.

    Figures of a month that has not ended are NULL.
    """
    last = month_of(sources.as_of - timedelta(microseconds=1))
    rows: list[Row] = []
    for (tenant, cohort), leads in grouped(fct_leads(sources), "organization_id", "created_month").items():
        says_loss = any(lead["stage"] != UNKNOWN and not _is_lost_undated(lead) for lead in leads)
        says_progress = any(lead["reached_opportunity"] is False or _has_progressed(lead, FOREVER) for lead in leads)
        for since, month in enumerate(months_between(cohort, last)):
            end = month_end(month)
            is_complete = end <= sources.as_of
            retained = sum(_is_retained(lead, end) for lead in leads) if is_complete and says_loss else None
            progressed = sum(_has_progressed(lead, end) for lead in leads) if is_complete and says_progress else None
            rows.append(
                {
                    "organization_id": tenant,
                    "cohort_month": cohort,
                    "months_since": since,
                    "month": month,
                    "is_complete": is_complete,
                    "lead_count": len(leads),
                    "undated_loss_count": sum(_is_lost_undated(lead) for lead in leads),
                    "unknown_stage_lead_count": sum(lead["stage"] == UNKNOWN for lead in leads),
                    "retained_count": retained,
                    "progressed_count": progressed,
                    "retention_pct": percent(retained, len(leads)),
                    "progression_pct": percent(progressed, len(leads)),
                }
            )
    return rows
