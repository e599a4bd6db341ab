"""The dbt models, recomputed in plain Python. The code shares only column contracts and a few seeds with dbt.

`recompute.<model>(folder, as_of)` reads the source CSV files in `folder` and returns the rows of a model.
A row is a dict with the columns of the model's contract. Numbers are exact (Decimal, int, Fraction).
Timestamps are aware UTC datetimes. A surrogate key column has the parts of the natural key, joined by `|`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache, wraps
from pathlib import Path

from tests.recompute import (
    accounts,
    activities,
    adherence,
    causes,
    checks,
    churn,
    compliance,
    customers,
    dates,
    deals,
    funnel,
    health,
    health_scores,
    identity,
    impact,
    invoices,
    kpis,
    leads,
    mrr,
    orders,
    outreach,
    people,
    performance,
    pipeline,
    products,
    releases,
    retention,
    revenue,
    satisfaction,
    segments,
    sla_reports,
    surveys,
    ticket_analytics,
    tickets,
    top_causes,
    usage,
    weekly,
)
from tests.recompute.compare import CENT, EXACT, compare
from tests.recompute.sources import Row, SourceData

Recomputation = Callable[[Path, datetime], list[Row]]


def _over_folder(model: Callable[[SourceData], list[Row]]) -> Recomputation:
    @lru_cache(maxsize=2)
    @wraps(model)
    def rows(folder: Path, as_of: datetime) -> list[Row]:
        return model(SourceData.read(folder, as_of))

    return rows


def _over_runs(model: Callable[[SourceData, Sequence[Row]], list[Row]]) -> Recomputation:
    @lru_cache(maxsize=2)
    @wraps(model)
    def rows(folder: Path, as_of: datetime) -> list[Row]:
        return model(SourceData.read(folder, as_of), churn.kept_scores(folder, as_of))

    return rows


fct_account_months = _over_folder(retention.fct_account_months)
dim_account_identity = mart_account_identity = _over_folder(identity.of_one_system)
dim_accounts = _over_folder(accounts.dim_accounts)
dim_contacts = _over_folder(people.dim_contacts)
dim_date = _over_folder(dates.dim_date)
dim_facilities = _over_folder(dates.dim_facilities)
dim_organizations = _over_folder(dates.dim_organizations)
dim_products = _over_folder(products.dim_products)
dim_releases = _over_folder(releases.dim_releases)
dim_root_causes = _over_folder(causes.dim_root_causes)
dim_ticket_categories = _over_folder(causes.dim_ticket_categories)
dim_users = _over_folder(people.dim_users)
fct_account_lifecycle = _over_folder(accounts.fct_account_lifecycle)
fct_activities = _over_folder(activities.fct_activities)
fct_compliance_checks = _over_folder(checks.fct_compliance_checks)
fct_deal_stage_history = _over_folder(deals.fct_deal_stage_history)
fct_deals = _over_folder(deals.fct_deals)
fct_invoices = _over_folder(invoices.fct_invoices)
fct_leads = _over_folder(leads.fct_leads)
fct_order_items = _over_folder(products.fct_order_items)
fct_orders = _over_folder(orders.fct_orders)
fct_outreach = _over_folder(outreach.fct_outreach)
fct_revenue = _over_folder(mrr.fct_revenue)
fct_survey_responses = _over_folder(surveys.fct_survey_responses)
fct_ticket_sla_reconciliation = _over_folder(sla_reports.fct_ticket_sla_reconciliation)
fct_tickets = _over_folder(tickets.fct_tickets)
fct_usage = _over_folder(usage.fct_usage)
mart_churn_risk = _over_runs(churn.mart_churn_risk)
mart_churned_customers = _over_runs(churn.mart_churned_customers)
mart_cohort_retention = _over_folder(funnel.mart_cohort_retention)
mart_combined_kpis = _over_folder(kpis.mart_combined_kpis)
mart_compliance_kpis = _over_folder(kpis.mart_compliance_kpis)
mart_conversion_funnel = _over_folder(funnel.mart_conversion_funnel)
mart_customer_360 = _over_folder(customers.mart_customer_360)
mart_customer_health_scores = health_scores.mart_customer_health_scores
mart_facility_health_scores = _over_folder(health.mart_facility_health_scores)
mart_mrr_waterfall = _over_folder(retention.mart_mrr_waterfall)
mart_nrr_summary = _over_folder(retention.mart_nrr_summary)
mart_outreach_kpis = _over_folder(kpis.mart_outreach_kpis)
mart_pipeline_kpis = _over_folder(kpis.mart_pipeline_kpis)
mart_product_performance = _over_folder(products.mart_product_performance)
mart_release_impact = _over_folder(impact.mart_release_impact)
mart_rep_activity_by_channel = _over_folder(outreach.mart_rep_activity_by_channel)
mart_revenue_cohorts = _over_folder(retention.mart_revenue_cohorts)
mart_revenue_kpis = _over_folder(kpis.mart_revenue_kpis)
mart_sales_forecast = _over_folder(pipeline.mart_sales_forecast)
mart_satisfaction_rollups = _over_folder(satisfaction.mart_satisfaction_rollups)
mart_sla_adherence = _over_folder(adherence.mart_sla_adherence)
mart_sla_reconciliation = _over_folder(sla_reports.mart_sla_reconciliation)
mart_ticket_analytics = _over_folder(ticket_analytics.mart_ticket_analytics)
mart_ticket_sla_compliance = _over_folder(compliance.mart_ticket_sla_compliance)
mart_top_root_causes = _over_folder(top_causes.mart_top_root_causes)
mart_weighted_pipeline_scenarios = _over_folder(pipeline.mart_weighted_pipeline_scenarios)
mtr_customer_segment_summary = _over_folder(segments.mtr_customer_segment_summary)
mtr_revenue_by_month = _over_folder(revenue.mtr_revenue_by_month)
mtr_support_performance = _over_folder(performance.mtr_support_performance)
mtr_weekly_ops = _over_folder(weekly.mtr_weekly_ops)

__all__ = [
    "CENT",
    "EXACT",
    "compare",
    "dim_account_identity",
    "dim_accounts",
    "dim_contacts",
    "dim_date",
    "dim_facilities",
    "dim_organizations",
    "dim_products",
    "dim_releases",
    "dim_root_causes",
    "dim_ticket_categories",
    "dim_users",
    "fct_account_lifecycle",
    "fct_account_months",
    "fct_activities",
    "fct_compliance_checks",
    "fct_deal_stage_history",
    "fct_deals",
    "fct_invoices",
    "fct_leads",
    "fct_order_items",
    "fct_orders",
    "fct_outreach",
    "fct_revenue",
    "fct_survey_responses",
    "fct_ticket_sla_reconciliation",
    "fct_tickets",
    "fct_usage",
    "mart_account_identity",
    "mart_churn_risk",
    "mart_churned_customers",
    "mart_cohort_retention",
    "mart_combined_kpis",
    "mart_compliance_kpis",
    "mart_conversion_funnel",
    "mart_customer_360",
    "mart_customer_health_scores",
    "mart_facility_health_scores",
    "mart_mrr_waterfall",
    "mart_nrr_summary",
    "mart_outreach_kpis",
    "mart_pipeline_kpis",
    "mart_product_performance",
    "mart_release_impact",
    "mart_rep_activity_by_channel",
    "mart_revenue_cohorts",
    "mart_revenue_kpis",
    "mart_sales_forecast",
    "mart_satisfaction_rollups",
    "mart_sla_adherence",
    "mart_sla_reconciliation",
    "mart_ticket_analytics",
    "mart_ticket_sla_compliance",
    "mart_top_root_causes",
    "mart_weighted_pipeline_scenarios",
    "mtr_customer_segment_summary",
    "mtr_revenue_by_month",
    "mtr_support_performance",
    "mtr_weekly_ops",
]
