"""mart_weighted_pipeline_scenarios and mart_sales_forecast: the pipeline value of leads and deals, by scenario."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import prod

from tests.recompute.deals import fct_deals
from tests.recompute.grouping import counted, counted_known, grouped, known
from tests.recompute.known_sums import total_known
from tests.recompute.leads import fct_leads
from tests.recompute.money import mean
from tests.recompute.months import month_end
from tests.recompute.seeds import Scenario, scenarios
from tests.recompute.sources import Row, SourceData
from tests.recompute.tenants import Tenants


def _lead_factor(lead: Row, scenario: Scenario) -> Fraction | None:
    """The product of the factors that the scenario applies; None if one of them is missing."""
    applied = {"win_probability": scenario.apply_probability, "stage_weight": scenario.apply_stage_weight}
    factors = [lead[name] for name, is_applied in applied.items() if is_applied]
    return None if None in factors else prod(map(Fraction, factors), start=Fraction(1))


def mart_weighted_pipeline_scenarios(sources: SourceData) -> list[Row]:
    """The rows of mart_weighted_pipeline_scenarios, by scenario, facility, rep, month of creation and stage."""
    tenants = Tenants(sources)
    columns = ("organization_id", "facility_id", "rep_user_id", "created_month", "stage")
    rows: list[Row] = []
    for identity, leads in grouped(fct_leads(sources), *columns).items():
        tenant, facility, rep, month, _ = identity
        for scenario in scenarios(sources):
            is_known = any(lead["is_open"] is not None for lead in leads)
            counting = [lead for lead in leads if scenario.counts(is_open=bool(lead["is_open"]), is_won=bool(lead["is_won"]))]
            factored = [(lead, _lead_factor(lead, scenario)) for lead in counting if lead["amount_reporting"] is not None]
            amounts = [Fraction(lead["amount_reporting"]) for lead, factor in factored if factor is not None]
            factors = [factor for _, factor in factored if factor is not None]
            rows.append(
                {
                    **dict(zip(columns, identity, strict=True)),
                    "scenario": scenario.name,
                    "facility_name": tenants.facility_name(tenant, facility),
                    "rep_name": tenants.user_name(tenant, rep),
                    "is_complete": month_end(month) <= sources.as_of,
                    "reporting_currency": tenants.reporting_currency(tenant),
                    "lead_count": len(leads),
                    "counted_lead_count": len(counting) if is_known else None,
                    "leads_without_rate": len(leads) - counted(leads, "has_rate"),
                    "lead_amount": total_known(leads, "amount_reporting"),
                    "pipeline_amount": _product(amounts, factors) if amounts or (is_known and not counting) else None,
                    "mean_amount": _weighted_mean(amounts, factors),
                }
            )
    return rows


def _product(amounts: list[Fraction], factors: list[Fraction]) -> Fraction:
    return sum((amount * factor for amount, factor in zip(amounts, factors, strict=True)), Fraction(0))


def _weighted_mean(amounts: list[Fraction], factors: list[Fraction]) -> Fraction | None:
    weight = sum(factors, Fraction(0))
    return _product(amounts, factors) / weight if weight else None


def _week(day: date | None) -> date | None:
    return None if day is None else day - timedelta(days=day.weekday())


def _has_ended(week: date | None, as_of: datetime) -> bool:
    return week is not None and datetime.combine(week + timedelta(days=7), time.min, UTC) <= as_of


def _probability(deal: Row) -> Fraction | None:
    if deal["is_won"]:
        return Fraction(1)
    return None if deal["probability_pct"] is None else Fraction(deal["probability_pct"]) / 100


def mart_sales_forecast(sources: SourceData) -> list[Row]:
    """The rows of mart_sales_forecast, by week of expected close, stage and scenario."""
    tenants = Tenants(sources)
    deals = [{**deal, "expected_close_week": _week(deal["expected_close_date"])} for deal in fct_deals(sources)]
    columns = ("organization_id", "expected_close_week", "stage")
    rows: list[Row] = []
    for identity, group in grouped(deals, *columns).items():
        tenant, week, _ = identity
        without_probability = sum(bool(deal["is_open"]) and deal["probability_pct"] is None for deal in group)
        for scenario in scenarios(sources):
            is_known = any(deal["is_open"] is not None for deal in group)
            counting = [deal for deal in group if scenario.counts(is_open=bool(deal["is_open"]), is_won=bool(deal["is_won"]))]
            rated = [deal for deal in counting if deal["amount_reporting"] is not None]
            if scenario.apply_probability:
                rated = [deal for deal in rated if _probability(deal) is not None]
            factors = [(_probability(deal) or Fraction(0)) if scenario.apply_probability else Fraction(1) for deal in rated]
            amounts = known(rated, "amount_reporting")
            rows.append(
                {
                    **dict(zip(columns, identity, strict=True)),
                    "scenario": scenario.name,
                    "is_complete": _has_ended(week, sources.as_of),
                    "reporting_currency": tenants.reporting_currency(tenant),
                    "deal_count": len(group),
                    "counted_deal_count": len(counting) if is_known else None,
                    "overdue_deal_count": counted_known(group, "is_overdue"),
                    "deals_without_rate": len(group) - counted(group, "has_rate"),
                    "deals_without_probability": without_probability,
                    "deal_amount": total_known(group, "amount_reporting"),
                    "forecast_amount": _product(amounts, factors) if amounts or (is_known and not counting) else None,
                    "mean_amount": _weighted_mean(amounts, factors) if scenario.apply_probability else mean(amounts),
                }
            )
    return rows
