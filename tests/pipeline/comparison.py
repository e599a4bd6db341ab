"""Compares the tables of a nightly run with their recomputation from the company's CSV files: every row and every column.

`capture()` reads the tables right after a run, because the next run overwrites them. `differences(model, tables, truth, as_of)`
compares one table. The columns are read from the contract of the dbt model, so a new column fails until it is recomputed.

    python -m tests.pipeline.comparison TRUTH AS_OF [--built]

prints the differences in the warehouse that the environment variables point at.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import yaml

from include.settings import ROOT
from include.warehouse import client
from tests import recompute
from tests.recompute.sources import Row, instant, natural

Tables = Mapping[str, list[Row]]

# The tolerance, far below a cent. NUMERIC keeps nine decimals and FLOAT64 fifteen digits; the recomputation keeps all.
NEARLY = Decimal("0.000001")


#: Prefix of a model's name → its folder under dbt/models, the dataset in which dbt builds it, and the published dataset.
LAYERS = {
    "dim": ("core", "core", "core"),
    "fct": ("core", "core", "core"),
    "mart": ("marts", "marts_build", "marts"),
    "mtr": ("metrics", "metrics_build", "metrics"),
}


@dataclass(frozen=True)
class Model:
    """A table that is compared with the function of the same name in `tests.recompute`.

    Attributes:
        key: the columns of the natural key.
        own_key: the surrogate key, which must be unique and not NULL.
        foreign_keys: column with a surrogate key of another table → that table's name.
        not_recomputed: contract columns that contain no business data.
    """

    name: str
    key: tuple[str, ...]
    own_key: str
    foreign_keys: Mapping[str, str] = field(default_factory=dict)
    not_recomputed: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[str]:
        """The columns to compare: those of the contract."""
        folder, _, _ = LAYERS[self.name.partition("_")[0]]
        left_out = {self.own_key, *self.not_recomputed}
        return [column for column in contract(folder, self.name) if column not in left_out]

    def dataset(self, published: bool) -> str:
        """The dataset of the published table, or of the one that dbt builds."""
        _, built, shown = LAYERS[self.name.partition("_")[0]]
        return shown if published else built

    def recompute(self, truth: Path, as_of: datetime) -> list[Row]:
        """Its rows, from the CSVs in a folder."""
        rows: list[Row] = getattr(recompute, self.name)(truth, as_of)
        return rows


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
    "fct_tickets": Dimension("ticket_key", ("organization_id", "ticket_id")),
}

MODELS = {
    model.name: model
    for model in (
        Model("fct_account_months", ("organization_id", "account_id", "month"), "account_month_key"),
        Model(
            "dim_accounts",
            ("organization_id", "account_id"),
            "account_key",
            foreign_keys={"top_account_key": "dim_accounts"},
        ),
        Model(
            "dim_contacts",
            ("organization_id", "contact_id"),
            "contact_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model("dim_date", ("organization_id", "date_day"), "date_key"),
        Model("dim_facilities", ("organization_id", "facility_id"), "facility_key"),
        Model(
            "dim_organizations",
            ("organization_id",),
            "organization_key",
            not_recomputed=frozenset({"opening_hours_fingerprint"}),
        ),
        Model("dim_products", ("organization_id", "product_id"), "product_key"),
        Model("dim_releases", ("organization_id", "release_version"), "release_key"),
        Model("dim_root_causes", ("organization_id", "root_cause_id"), "root_cause_key"),
        Model("dim_ticket_categories", ("organization_id", "category_id"), "category_key"),
        Model(
            "dim_users",
            ("organization_id", "user_id"),
            "user_key",
            foreign_keys={"facility_key": "dim_facilities"},
        ),
        Model("fct_account_lifecycle", ("organization_id", "account_id"), "account_key"),
        Model(
            "fct_activities",
            ("organization_id", "activity_id"),
            "activity_key",
            foreign_keys={
                "account_key": "dim_accounts",
                "contact_key": "dim_contacts",
                "deal_key": "fct_deals",
                "user_key": "dim_users",
            },
        ),
        Model(
            "fct_compliance_checks",
            ("organization_id", "check_id"),
            "check_key",
            foreign_keys={"facility_key": "dim_facilities"},
        ),
        Model("fct_deal_stage_history", ("organization_id", "deal_id", "interval_number"), "stage_interval_key"),
        Model(
            "fct_deals",
            ("organization_id", "deal_id"),
            "deal_key",
            foreign_keys={
                "account_key": "dim_accounts",
                "contact_key": "dim_contacts",
                "lead_key": "fct_leads",
                "facility_key": "dim_facilities",
                "owner_user_key": "dim_users",
            },
        ),
        Model(
            "fct_invoices",
            ("organization_id", "invoice_id"),
            "invoice_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            "fct_leads",
            ("organization_id", "lead_id"),
            "lead_key",
            foreign_keys={"account_key": "dim_accounts", "facility_key": "dim_facilities", "rep_user_key": "dim_users"},
        ),
        Model(
            "fct_order_items",
            ("organization_id", "order_item_id"),
            "order_item_key",
            foreign_keys={"order_key": "fct_orders", "product_key": "dim_products", "account_key": "dim_accounts"},
        ),
        Model(
            "fct_orders",
            ("organization_id", "order_id"),
            "order_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            "fct_outreach",
            ("organization_id", "outreach_id"),
            "outreach_key",
            foreign_keys={"facility_key": "dim_facilities", "rep_user_key": "dim_users", "lead_key": "fct_leads"},
        ),
        Model(
            "fct_revenue",
            ("organization_id", "account_id", "month"),
            "revenue_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model(
            "fct_survey_responses",
            ("organization_id", "response_id"),
            "survey_response_key",
            foreign_keys={"account_key": "dim_accounts", "facility_key": "dim_facilities"},
        ),
        Model("dim_account_identity", ("organization_id", "account_id"), "account_key"),
        Model(
            "fct_ticket_sla_reconciliation",
            ("organization_id", "ticket_id", "metric"),
            "ticket_sla_key",
            foreign_keys={"ticket_key": "fct_tickets"},
        ),
        Model(
            "fct_tickets",
            ("organization_id", "ticket_id"),
            "ticket_key",
            foreign_keys={"account_key": "dim_accounts", "facility_key": "dim_facilities"},
            not_recomputed=frozenset({"_input_fingerprint"}),
        ),
        Model(
            "fct_usage",
            ("organization_id", "account_id", "usage_date"),
            "usage_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model("mart_churn_risk", ("organization_id", "account_id"), "account_key"),
        Model("mart_churned_customers", ("organization_id", "account_id"), "account_key"),
        Model("mart_cohort_retention", ("organization_id", "cohort_month", "months_since"), "cohort_retention_key"),
        Model("mart_combined_kpis", ("organization_id", "facility_id", "month"), "combined_kpi_key"),
        Model("mart_compliance_kpis", ("organization_id", "facility_id", "month"), "compliance_kpi_key"),
        Model(
            "mart_conversion_funnel",
            ("organization_id", "facility_id", "rep_user_id", "created_month", "stage"),
            "conversion_funnel_key",
        ),
        Model("mart_customer_360", ("organization_id", "account_id"), "account_key"),
        Model(
            "mart_customer_health_scores",
            ("organization_id", "account_id", "score_date"),
            "customer_health_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model("mart_facility_health_scores", ("organization_id", "facility_id", "month"), "facility_health_key"),
        Model(
            "mart_mrr_waterfall",
            ("organization_id", "account_id", "month"),
            "mrr_waterfall_key",
            foreign_keys={"account_key": "dim_accounts"},
        ),
        Model("mart_nrr_summary", ("organization_id", "month", "dimension", "dimension_value"), "nrr_summary_key"),
        Model("mart_outreach_kpis", ("organization_id", "facility_id", "month"), "outreach_kpi_key"),
        Model("mart_pipeline_kpis", ("organization_id", "facility_id", "month"), "pipeline_kpi_key"),
        Model(
            "mart_product_performance",
            ("organization_id", "product_id", "month"),
            "product_performance_key",
            foreign_keys={"product_key": "dim_products"},
        ),
        Model(
            "mart_release_impact",
            ("organization_id", "release_version", "ticket_date"),
            "release_impact_key",
            foreign_keys={
                "release_key": "dim_releases",
            },
        ),
        Model(
            "mart_rep_activity_by_channel",
            ("organization_id", "facility_id", "rep_user_id", "sent_month", "channel"),
            "rep_activity_key",
        ),
        Model("mart_revenue_cohorts", ("organization_id", "cohort_month", "months_since"), "revenue_cohort_key"),
        Model("mart_revenue_kpis", ("organization_id", "facility_id", "month"), "revenue_kpi_key"),
        Model("mart_sales_forecast", ("organization_id", "expected_close_week", "stage", "scenario"), "sales_forecast_key"),
        Model("mart_satisfaction_rollups", ("organization_id", "facility_id", "survey_type", "month"), "satisfaction_rollup_key"),
        Model("mart_account_identity", ("organization_id", "account_id"), "account_identity_key"),
        Model("mart_sla_adherence", ("organization_id", "priority", "segment", "created_month"), "sla_adherence_key"),
        Model("mart_sla_reconciliation", ("organization_id", "metric", "created_month"), "sla_reconciliation_key"),
        Model(
            "mart_ticket_analytics",
            ("organization_id", "ticket_id"),
            "ticket_key",
            foreign_keys={
                "account_key": "dim_accounts",
                "facility_key": "dim_facilities",
                "product_key": "dim_products",
                "category_key": "dim_ticket_categories",
                "root_cause_key": "dim_root_causes",
            },
        ),
        Model(
            "mart_ticket_sla_compliance", ("organization_id", "facility_id", "priority", "created_month"), "sla_compliance_key"
        ),
        Model(
            "mart_top_root_causes",
            ("organization_id", "month", "root_cause_id", "category_id", "product_category"),
            "top_root_cause_key",
        ),
        Model(
            "mart_weighted_pipeline_scenarios",
            ("organization_id", "scenario", "facility_id", "rep_user_id", "created_month", "stage"),
            "pipeline_scenario_key",
        ),
        Model("mtr_customer_segment_summary", ("organization_id", "segment", "month"), "segment_month_key"),
        Model("mtr_revenue_by_month", ("organization_id", "month"), "revenue_month_key"),
        Model("mtr_support_performance", ("organization_id", "month", "dimension", "dimension_value"), "support_performance_key"),
        Model("mtr_weekly_ops", ("organization_id", "week_start"), "weekly_ops_key"),
    )
}


# Tables that are not compared, each with the reason.
NOT_COMPARED = {
    "dim_accounts_history": "the CSV files of one run hold one version of an account; the model's unit tests hold several",
    "dim_open_time": "a helper table for business minutes; the business minutes of every ticket are compared instead",
}


def warehouse_rows(sql: str) -> list[Row]:
    """The rows of a query on the warehouse that the environment variables point at."""
    return [dict(row.items()) for row in client().query_and_wait(sql)]


@cache
def contract(folder: str, model: str) -> tuple[str, ...]:
    """The columns of a model's contract, in order."""
    (path,) = (ROOT / "dbt" / "models" / folder).rglob(f"{model}.yml")
    (described,) = (entry for entry in yaml.safe_load(path.read_text())["models"] if entry["name"] == model)
    return tuple(column["name"] for column in described["columns"])


def contracts() -> set[str]:
    """The models of core, marts and metrics that have a contract."""
    return {
        entry["name"]
        for folder in ("core", "marts", "metrics")
        for path in (ROOT / "dbt" / "models" / folder).rglob("*.yml")
        for entry in yaml.safe_load(path.read_text()).get("models") or ()
    }


def capture(*, published: bool = True) -> dict[str, list[Row]]:
    """The current rows of every compared table and of the dimensions that their keys refer to.

    Args:
        published: whether to read the published marts and metrics, or those that dbt has built.
    """
    datasets = {model.name: model.dataset(published) for model in MODELS.values()}
    datasets |= dict.fromkeys(DIMENSIONS, "core")
    return {name: warehouse_rows(f"select * from {dataset}.{name}") for name, dataset in datasets.items()}


def differences(model: Model, tables: Tables, truth: Path, as_of: datetime) -> list[str]:
    """The differences between a captured table and its recomputation from the CSV files in `truth`."""
    found = tables[model.name]
    names = {column: _names(tables, target) for column, target in model.foreign_keys.items()}
    translated = [{**row, **{column: _named(row[column], names[column]) for column in names}} for row in found]
    expected = model.recompute(truth, as_of)
    return _key_faults(model, found) + recompute.compare(expected, translated, model.key, model.columns, NEARLY)


def _names(tables: Tables, name: str) -> dict[str, str]:
    """Surrogate key of a dimension → its natural key as text."""
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
    """Print the differences. The exit code is 1 if there are any."""
    parser = argparse.ArgumentParser(description="Compare the warehouse with a recomputation from CSVs.")
    parser.add_argument("truth", type=Path, help="folder with one csv per table")
    parser.add_argument("as_of", type=instant, help="the as-of time, ISO 8601; a date is its midnight in UTC")
    parser.add_argument("--built", action="store_true", help="read what dbt built instead of what is published")
    given = parser.parse_args()
    tables = capture(published=not given.built)
    total = 0
    for model in MODELS.values():
        found = differences(model, tables, given.truth, given.as_of)
        total += len(found)
        size = f"{len(tables[model.name])} rows, {len(model.columns)} columns"
        print(f"{model.name}: {size}, {len(found)} differences")
        for line in found[:20]:
            print(f"  {line}")
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main())
