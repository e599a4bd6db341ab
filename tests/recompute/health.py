"""mart_facility_health_scores: five monthly components for each facility, and the mean of the known components."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

from tests.recompute.compliance import SLAS
from tests.recompute.grouping import counted
from tests.recompute.kpis import Groups, by_place, due_checks, passed_failed_overdue, weighted_leads
from tests.recompute.leads import fct_leads
from tests.recompute.money import mean
from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.recorded import recorded
from tests.recompute.sources import Row, SourceData
from tests.recompute.surveys import fct_survey_responses
from tests.recompute.tenants import UNKNOWN, Tenants, share
from tests.recompute.tickets import fct_tickets

# These settings repeat a dbt seed on purpose: a wrong value in either place shows as a difference.
TARGET_CONVERSION_PCT = Fraction(20)
WINDOW_MONTHS = 3
SCORE_AT_BASE = Fraction(50)
TIERS = (("excellent", 80), ("good", 60), ("fair", 40))
COMPONENTS = ("compliance", "pipeline", "conversion", "sla", "satisfaction")


def health_tier(score: Fraction | None) -> str:
    """The tier of a health score; unknown without a score."""
    if score is None:
        return UNKNOWN
    return next((tier for tier, bound in TIERS if score >= bound), "poor")


def _at_most_100(value: Fraction | None) -> Fraction | None:
    return None if value is None else min(value, Fraction(100))


def _compliance(checks: list[Row]) -> Row:
    counts = passed_failed_overdue(checks)
    return {**counts, "compliance_score": counts.pop("compliance_rate_pct")}


def _weighted(leads: list[Row]) -> Fraction | None:
    """The weighted amount of leads. None if there are leads, and no one has a converted amount and a known stage."""
    weighing = [lead for lead in leads if lead["amount_reporting"] is not None and lead["stage"] != UNKNOWN]
    return weighted_leads(weighing) if weighing or not leads else None


def _pipeline(months: dict[date, list[Row]], month: date) -> Row:
    """The weighted lead amount of a month, compared with the mean of the months before it. `months` has only months with leads."""
    leads = months.get(month, [])
    amount = _weighted(leads)
    before = [shifted(month, -count) for count in range(1, WINDOW_MONTHS + 1)]
    is_known = bool(months) and min(months) <= min(before) and any(other in months for other in before)
    amounts = [_weighted(months[other]) for other in before if other in months] if is_known else []
    known = [found for found in amounts if found is not None]
    base = sum(known, Fraction(0)) / WINDOW_MONTHS if known else None
    return {
        "weighted_lead_amount": amount,
        "pipeline_base_amount": base,
        "leads_without_rate": len(leads) - counted(leads, "has_rate"),
        "unknown_stage_lead_count": sum(lead["stage"] == UNKNOWN for lead in leads),
        "pipeline_score": _at_most_100(SCORE_AT_BASE * amount / base) if base and amount is not None else None,
    }


def _conversion(months: dict[date, list[Row]], month: date) -> Row:
    leads = [lead for count in range(WINDOW_MONTHS) for lead in months.get(shifted(month, -count), [])]
    staged = [lead for lead in leads if lead["stage"] != UNKNOWN]
    won = counted(staged, "is_won") if staged or not leads else None
    converted = None if won is None else share(won, len(leads))
    return {
        "conversion_lead_count": len(leads),
        "conversion_won_count": won,
        "conversion_pct": converted,
        "conversion_score": None if converted is None else _at_most_100(100 * converted / TARGET_CONVERSION_PCT),
    }


def _sla(tickets: list[Row]) -> Row:
    states = [ticket[f"{sla}_state"] for ticket in tickets for sla in SLAS]
    if states and set(states) == {UNKNOWN}:
        return dict.fromkeys(("sla_met_count", "sla_breached_count", "sla_score"))
    met, breached = states.count("met"), states.count("breached")
    return {"sla_met_count": met, "sla_breached_count": breached, "sla_score": share(met, met + breached)}


def _satisfaction(surveys: list[Row]) -> Row:
    classes = [(survey["survey_type"], survey["score_class"]) for survey in surveys if survey["score_class"]]
    csat = [score_class for survey_type, score_class in classes if survey_type == "csat"]
    nps = [score_class for survey_type, score_class in classes if survey_type == "nps"]
    promoters, detractors = nps.count("promoter"), nps.count("detractor")
    satisfied, score = share(csat.count("satisfied"), len(csat)), share(promoters - detractors, len(nps))
    parts = [part for part in (satisfied, None if score is None else (score + 100) / 2) if part is not None]
    nobody_knows = bool(surveys) and not classes
    return {
        "csat_response_count": len(csat),
        "satisfied_count": None if nobody_knows else csat.count("satisfied"),
        "satisfied_pct": satisfied,
        "nps_response_count": len(nps),
        "promoter_count": None if nobody_knows else promoters,
        "detractor_count": None if nobody_knows else detractors,
        "nps": score,
        "satisfaction_score": mean(parts),
    }


def mart_facility_health_scores(sources: SourceData) -> list[Row]:
    """The rows of mart_facility_health_scores, by facility and month.

    The months run from the first lead, check, ticket or survey response to the month of the as-of time.
    """
    tenants = Tenants(sources)
    last = month_of(sources.as_of - timedelta(microseconds=1))
    leads = by_place(sources, fct_leads(sources), "created_at")
    checks = due_checks(sources)
    tickets = by_place(sources, fct_tickets(sources), "created_at")
    surveys = by_place(sources, fct_survey_responses(sources), "responded_at")
    with_data = _months_with_data(leads, checks, tickets, surveys)
    kinds = recorded(sources)
    answering = {row["organization_id"] for row in fct_survey_responses(sources) if row["is_responded"]}
    rows: list[Row] = []
    for (tenant, facility), months in with_data.items():
        own_leads = {month: found for (*place, month), found in leads.items() if place == [tenant, facility]}
        for month in months_between(min(months), last):
            place = (tenant, facility, month)
            of_leads = {**_pipeline(own_leads, month), **_conversion(own_leads, month)}
            parts = {
                **_if_any(kinds[tenant]["has_compliance_checks"], _compliance(checks.get(place, []))),
                **_if_any(kinds[tenant]["has_leads"], of_leads),
                **_if_any(kinds[tenant]["has_tickets"], _sla(tickets.get(place, []))),
                **_if_any(tenant in answering, _satisfaction(surveys.get(place, []))),
            }
            known = [parts[f"{name}_score"] for name in COMPONENTS if parts[f"{name}_score"] is not None]
            score = mean(known)
            rows.append(
                {
                    "organization_id": tenant,
                    "facility_id": facility,
                    "facility_name": tenants.facility_name(tenant, facility),
                    "month": month,
                    "is_complete": month_end(month) <= sources.as_of,
                    "reporting_currency": tenants.reporting_currency(tenant),
                    **parts,
                    "known_component_count": len(known),
                    "health_score": score,
                    "health_tier": health_tier(score),
                }
            )
    return rows


def _if_any(has_rows: bool, figures: Row) -> Row:
    """Figures of a kind of rows. They are unknown if the organization has no such row at all."""
    return figures if has_rows else dict.fromkeys(figures)


def _months_with_data(*kinds: Groups) -> dict[tuple[str, str], set[date]]:
    with_data: dict[tuple[str, str], set[date]] = defaultdict(set)
    for groups in kinds:
        for tenant, facility, month in groups:
            with_data[tenant, facility].add(month)
    return with_data
