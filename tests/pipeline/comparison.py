"""Compares the tables of a night with their recomputation from the CSV truth, every row and every column.

`capture()` reads the tables right after a night, since the next one overwrites them; `differences(model,
tables, truth, as_of)` compares one of them. Which columns a table has is read from the contract beside its
dbt model, so that a new column is compared, or fails until it is recomputed.

    python -m tests.pipeline.comparison TRUTH AS_OF [--built]

prints what differs in the warehouse that the environment points at.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import yaml

from include.settings import ROOT
from include.warehouse import client
from tests import recompute
from tests.recompute.world import Row, instant, natural

Tables = Mapping[str, list[Row]]

# Far below a cent: NUMERIC keeps nine decimals and FLOAT64 fifteen digits, where the recomputation keeps all.
NEARLY = Decimal("0.000001")


@dataclass(frozen=True)
class Model:
    """A table under comparison.

    Attributes:
        folder: its layer under dbt/models.
        built: the dataset that dbt builds it in; `published` where analysts see it.
        key: the natural key, one of the row's own columns each.
        own_key: its surrogate key, which must be there and unique.
        foreign_keys: surrogate key columns that point at another table, with that table's name.
        not_recomputed: contract columns that say nothing about the business.
    """

    name: str
    folder: str
    built: str
    published: str
    key: tuple[str, ...]
    own_key: str
    recompute: Callable[[Path, datetime], list[Row]]
    foreign_keys: Mapping[str, str] = field(default_factory=dict)
    not_recomputed: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[str]:
        """The columns to compare: those of the contract."""
        left_out = {self.own_key, *self.not_recomputed}
        return [column for column in contract(self.folder, self.name) if column not in left_out]


@dataclass(frozen=True)
class Dimension:
    """A table that surrogate keys point at."""

    surrogate_key: str
    key: tuple[str, ...]


DIMENSIONS = {
    "dim_accounts": Dimension("account_key", ("organization_id", "account_id")),
    "dim_contacts": Dimension("contact_key", ("organization_id", "contact_id")),
    "dim_facilities": Dimension("facility_key", ("organization_id", "facility_id")),
    "dim_products": Dimension("product_key", ("organization_id", "product_id")),
    "dim_releases": Dimension("release_key", ("organization_id", "release_version")),
    "dim_root_causes": Dimension("root_cause_key", ("organization_id", "root_cause_id")),
    "dim_ticket_categories": Dimension("category_key", ("organization_id", "category_id")),
    "dim_users": Dimension("user_key", ("organization_id", "user_id")),
    "fct_deals": Dimension("deal_key", ("organization_id", "deal_id")),
    "fct_leads": Dimension("lead_key", ("organization_id", "lead_id")),
    "fct_orders": Dimension("order_key", ("organization_id", "order_id")),
}

MODELS = {
    model.name: model
    for model in (
        Model(
            name="dim_accounts",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "account_id"),
            own_key="account_key",
            recompute=recompute.dim_accounts,
            foreign_keys={"top_account_key": "dim_accounts"},
        ),
        Model(
            name="dim_contacts",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "contact_id"),
            own_key="contact_key",
            recompute=recompute.dim_contacts,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="dim_date",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "date_day"),
            own_key="date_key",
            recompute=recompute.dim_date,
        ),
        Model(
            name="dim_facilities",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "facility_id"),
            own_key="facility_key",
            recompute=recompute.dim_facilities,
        ),
        Model(
            name="dim_organizations",
            folder="core",
            built="core",
            published="core",
            key=("organization_id",),
            own_key="organization_key",
            recompute=recompute.dim_organizations,
            not_recomputed=frozenset({"opening_hours_fingerprint"}),
        ),
        Model(
            name="dim_products",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "product_id"),
            own_key="product_key",
            recompute=recompute.dim_products,
        ),
        Model(
            name="dim_releases",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "release_version"),
            own_key="release_key",
            recompute=recompute.dim_releases,
        ),
        Model(
            name="dim_root_causes",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "root_cause_id"),
            own_key="root_cause_key",
            recompute=recompute.dim_root_causes,
        ),
        Model(
            name="dim_ticket_categories",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "category_id"),
            own_key="category_key",
            recompute=recompute.dim_ticket_categories,
        ),
        Model(
            name="dim_users",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "user_id"),
            own_key="user_key",
            recompute=recompute.dim_users,
            foreign_keys={"facility_key": "dim_facilities"},
        ),
        Model(
            name="fct_activities",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "activity_id"),
            own_key="activity_key",
            recompute=recompute.fct_activities,
            foreign_keys={
                "account_key": "dim_accounts",
                "contact_key": "dim_contacts",
                "deal_key": "fct_deals",
                "user_key": "dim_users",
            },
        ),
        Model(
            name="fct_compliance_checks",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "check_id"),
            own_key="check_key",
            recompute=recompute.fct_compliance_checks,
            foreign_keys={"facility_key": "dim_facilities"},
        ),
        Model(
            name="fct_deal_stage_history",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "deal_id", "stay_number"),
            own_key="stage_stay_key",
            recompute=recompute.fct_deal_stage_history,
        ),
        Model(
            name="fct_deals",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "deal_id"),
            own_key="deal_key",
            recompute=recompute.fct_deals,
            foreign_keys={
                "account_key": "dim_accounts",
                "contact_key": "dim_contacts",
                "lead_key": "fct_leads",
                "facility_key": "dim_facilities",
                "owner_user_key": "dim_users",
            },
        ),
        Model(
            name="fct_invoices",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "invoice_id"),
            own_key="invoice_key",
            recompute=recompute.fct_invoices,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="fct_leads",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "lead_id"),
            own_key="lead_key",
            recompute=recompute.fct_leads,
            foreign_keys={"account_key": "dim_accounts", "facility_key": "dim_facilities", "rep_user_key": "dim_users"},
        ),
        Model(
            name="fct_order_items",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "order_item_id"),
            own_key="order_item_key",
            recompute=recompute.fct_order_items,
            foreign_keys={"order_key": "fct_orders", "product_key": "dim_products", "account_key": "dim_accounts"},
        ),
        Model(
            name="fct_orders",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "order_id"),
            own_key="order_key",
            recompute=recompute.fct_orders,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="fct_outreach",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "outreach_id"),
            own_key="outreach_key",
            recompute=recompute.fct_outreach,
            foreign_keys={"facility_key": "dim_facilities", "rep_user_key": "dim_users", "lead_key": "fct_leads"},
        ),
        Model(
            name="fct_revenue",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "account_id", "month"),
            own_key="revenue_key",
            recompute=recompute.fct_revenue,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="fct_survey_responses",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "response_id"),
            own_key="survey_response_key",
            recompute=recompute.fct_survey_responses,
            foreign_keys={"account_key": "dim_accounts", "facility_key": "dim_facilities"},
        ),
        Model(
            name="fct_tickets",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "ticket_id"),
            own_key="ticket_key",
            recompute=recompute.fct_tickets,
            foreign_keys={"account_key": "dim_accounts", "facility_key": "dim_facilities"},
            not_recomputed=frozenset({"_input_fingerprint"}),
        ),
        Model(
            name="fct_usage",
            folder="core",
            built="core",
            published="core",
            key=("organization_id", "account_id", "usage_date"),
            own_key="usage_key",
            recompute=recompute.fct_usage,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="mart_churn_risk",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "account_id"),
            own_key="account_key",
            recompute=recompute.mart_churn_risk,
        ),
        Model(
            name="mart_churned_customers",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "account_id"),
            own_key="account_key",
            recompute=recompute.mart_churned_customers,
        ),
        Model(
            name="mart_cohort_retention",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "cohort_month", "months_since"),
            own_key="cohort_retention_key",
            recompute=recompute.mart_cohort_retention,
        ),
        Model(
            name="mart_combined_kpis",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "month"),
            own_key="combined_kpi_key",
            recompute=recompute.mart_combined_kpis,
        ),
        Model(
            name="mart_compliance_kpis",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "month"),
            own_key="compliance_kpi_key",
            recompute=recompute.mart_compliance_kpis,
        ),
        Model(
            name="mart_conversion_funnel",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "rep_user_id", "created_month", "stage"),
            own_key="conversion_funnel_key",
            recompute=recompute.mart_conversion_funnel,
        ),
        Model(
            name="mart_customer_360",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "account_id"),
            own_key="account_key",
            recompute=recompute.mart_customer_360,
        ),
        Model(
            name="mart_customer_health_scores",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "account_id", "score_date"),
            own_key="customer_health_key",
            recompute=recompute.mart_customer_health_scores,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="mart_facility_health_scores",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "month"),
            own_key="facility_health_key",
            recompute=recompute.mart_facility_health_scores,
        ),
        Model(
            name="mart_mrr_waterfall",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "account_id", "month"),
            own_key="mrr_waterfall_key",
            recompute=recompute.mart_mrr_waterfall,
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            name="mart_nrr_summary",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "month", "dimension", "dimension_value"),
            own_key="nrr_summary_key",
            recompute=recompute.mart_nrr_summary,
        ),
        Model(
            name="mart_outreach_kpis",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "month"),
            own_key="outreach_kpi_key",
            recompute=recompute.mart_outreach_kpis,
        ),
        Model(
            name="mart_pipeline_kpis",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "month"),
            own_key="pipeline_kpi_key",
            recompute=recompute.mart_pipeline_kpis,
        ),
        Model(
            name="mart_product_performance",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "product_id", "month"),
            own_key="product_performance_key",
            recompute=recompute.mart_product_performance,
            foreign_keys={"product_key": "dim_products"},
        ),
        Model(
            name="mart_release_impact",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "release_version", "ticket_date"),
            own_key="release_impact_key",
            recompute=recompute.mart_release_impact,
            foreign_keys={
                "release_key": "dim_releases",
            },
        ),
        Model(
            name="mart_rep_activity_by_channel",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "rep_user_id", "sent_month", "channel"),
            own_key="rep_activity_key",
            recompute=recompute.mart_rep_activity_by_channel,
        ),
        Model(
            name="mart_revenue_cohorts",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "cohort_month", "months_since"),
            own_key="revenue_cohort_key",
            recompute=recompute.mart_revenue_cohorts,
        ),
        Model(
            name="mart_revenue_kpis",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "month"),
            own_key="revenue_kpi_key",
            recompute=recompute.mart_revenue_kpis,
        ),
        Model(
            name="mart_sales_forecast",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "expected_close_week", "stage", "scenario"),
            own_key="sales_forecast_key",
            recompute=recompute.mart_sales_forecast,
        ),
        Model(
            name="mart_satisfaction_rollups",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "survey_type", "month"),
            own_key="satisfaction_rollup_key",
            recompute=recompute.mart_satisfaction_rollups,
        ),
        Model(
            name="mart_sla_adherence",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "priority", "segment", "created_month"),
            own_key="sla_adherence_key",
            recompute=recompute.mart_sla_adherence,
        ),
        Model(
            name="mart_ticket_analytics",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "ticket_id"),
            own_key="ticket_key",
            recompute=recompute.mart_ticket_analytics,
            foreign_keys={
                "account_key": "dim_accounts",
                "facility_key": "dim_facilities",
                "product_key": "dim_products",
                "category_key": "dim_ticket_categories",
                "root_cause_key": "dim_root_causes",
            },
        ),
        Model(
            name="mart_ticket_sla_compliance",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "facility_id", "priority", "created_month"),
            own_key="sla_compliance_key",
            recompute=recompute.mart_ticket_sla_compliance,
        ),
        Model(
            name="mart_top_root_causes",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "month", "root_cause_id", "category_id", "product_category"),
            own_key="top_root_cause_key",
            recompute=recompute.mart_top_root_causes,
        ),
        Model(
            name="mart_weighted_pipeline_scenarios",
            folder="marts",
            built="marts_build",
            published="marts",
            key=("organization_id", "scenario", "facility_id", "rep_user_id", "created_month", "stage"),
            own_key="pipeline_scenario_key",
            recompute=recompute.mart_weighted_pipeline_scenarios,
        ),
        Model(
            name="mtr_customer_segment_summary",
            folder="metrics",
            built="metrics_build",
            published="metrics",
            key=("organization_id", "segment", "month"),
            own_key="segment_month_key",
            recompute=recompute.mtr_customer_segment_summary,
        ),
        Model(
            name="mtr_revenue_by_month",
            folder="metrics",
            built="metrics_build",
            published="metrics",
            key=("organization_id", "month"),
            own_key="revenue_month_key",
            recompute=recompute.mtr_revenue_by_month,
        ),
        Model(
            name="mtr_support_performance",
            folder="metrics",
            built="metrics_build",
            published="metrics",
            key=("organization_id", "month", "dimension", "dimension_value"),
            own_key="support_performance_key",
            recompute=recompute.mtr_support_performance,
        ),
        Model(
            name="mtr_weekly_ops",
            folder="metrics",
            built="metrics_build",
            published="metrics",
            key=("organization_id", "week_start"),
            own_key="weekly_ops_key",
            recompute=recompute.mtr_weekly_ops,
        ),
    )
}


# Tables that are not compared themselves, each with the reason.
NOT_COMPARED = {
    "dim_accounts_history": "one night's truth holds one version of an account; the model's unit tests hold several",
    "dim_open_time": "how the warehouse counts open time; the business minutes of every ticket are compared instead",
}


def warehouse_rows(sql: str) -> list[Row]:
    """What a query answers in the warehouse that the environment points at, one dict per row."""
    return [dict(row.items()) for row in client().query_and_wait(sql)]


@cache
def contract(folder: str, model: str) -> tuple[str, ...]:
    """The columns that a model's contract promises, in order."""
    documents = yaml.safe_load((ROOT / "dbt" / "models" / folder / f"{model}.yml").read_text())
    (described,) = (entry for entry in documents["models"] if entry["name"] == model)
    return tuple(column["name"] for column in described["columns"])


def contracts() -> set[str]:
    """The models of core, marts and metrics that have a contract."""
    return {
        entry["name"]
        for folder in ("core", "marts", "metrics")
        for path in (ROOT / "dbt" / "models" / folder).glob("*.yml")
        for entry in yaml.safe_load(path.read_text()).get("models") or ()
    }


def capture(*, published: bool = True) -> dict[str, list[Row]]:
    """The rows of every table under comparison, and of the dimensions that their keys point at, as of now.

    Args:
        published: read marts and metrics where analysts see them, else where dbt builds them.
    """
    datasets = {model.name: model.published if published else model.built for model in MODELS.values()}
    datasets |= dict.fromkeys(DIMENSIONS, "core")
    return {name: warehouse_rows(f"select * from {dataset}.{name}") for name, dataset in datasets.items()}


def differences(model: Model, tables: Tables, truth: Path, as_of: datetime) -> list[str]:
    """How a captured table differs from its recomputation from the CSVs in `truth`; empty if it does not."""
    found = tables[model.name]
    told = _key_faults(model, found)
    names = {column: _names(tables, target) for column, target in model.foreign_keys.items()}
    translated = [{**row, **{column: _named(row[column], names[column]) for column in names}} for row in found]
    expected = model.recompute(truth, as_of)
    return told + recompute.compare(expected, translated, model.key, model.columns, NEARLY)


def _names(tables: Tables, name: str) -> dict[str, str]:
    """What each surrogate key of a dimension stands for."""
    dimension = DIMENSIONS[name]
    return {row[dimension.surrogate_key]: natural(*(row[column] for column in dimension.key)) for row in tables[name]}


def _named(key: str | None, names: Mapping[str, str]) -> str | None:
    return None if key is None else names.get(key, f"a key that is not there: {key}")


def _key_faults(model: Model, rows: list[Row]) -> list[str]:
    keys = [row[model.own_key] for row in rows]
    faults = []
    if None in keys:
        faults.append(f"{model.own_key} is NULL in {keys.count(None)} rows")
    if len(set(keys)) < len(keys):
        faults.append(f"{model.own_key} is not unique: {len(keys)} rows, {len(set(keys))} keys")
    return faults


def main() -> int:
    """Prints the differences of one night; the exit code says whether there are any."""
    parser = argparse.ArgumentParser(description="Compare the warehouse with a recomputation from CSVs.")
    parser.add_argument("truth", type=Path, help="folder with one csv per table")
    parser.add_argument("as_of", type=instant, help="the night, ISO 8601; a date is its first instant in UTC")
    parser.add_argument("--built", action="store_true", help="read what dbt built instead of what is published")
    given = parser.parse_args()
    tables = capture(published=not given.built)
    total = 0
    for model in MODELS.values():
        told = differences(model, tables, given.truth, given.as_of)
        total += len(told)
        size = f"{len(tables[model.name])} rows, {len(model.columns)} columns"
        print(f"{model.name}: {size}, {len(told)} differences")
        for line in told[:20]:
            print(f"  {line}")
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main())
