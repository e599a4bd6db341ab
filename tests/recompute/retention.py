"""mart_mrr_waterfall, mart_nrr_summary and mart_revenue_cohorts: movements and retention of recurring revenue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from tests.recompute.accounts import dim_accounts
from tests.recompute.attributes import ATTRIBUTES, AccountAttributes
from tests.recompute.grouping import grouped, total
from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.mrr import INSTANT, fct_revenue
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.subscriptions import ZERO
from tests.recompute.tenants import UNKNOWN, Tenants, share

YEAR = 12
Place = tuple[str, str, str]


def _amount(row: Row, movement: str) -> Fraction:
    """The absolute amount of a movement in a row; 0 if the row has another movement."""
    return abs(row["movement_amount"]) if row["movement"] == movement else ZERO


def mart_mrr_waterfall(sources: SourceData) -> list[Row]:
    """The rows of mart_mrr_waterfall, by top account and month."""
    movements = ("new", "expansion", "reactivation", "contraction", "churn")
    accounts = {row["account_key"]: row for row in dim_accounts(sources)}
    attributes = {_account_month(row): row for row in fct_account_months(sources)}
    rows = []
    for row in fct_revenue(sources):
        account = accounts.get(row["account_key"], {})
        rows.append(
            {
                **row,
                **_dimensions(attributes.get(_account_month(row), {})),
                **{name: account.get(name) or UNKNOWN for name in ("account_name", "owner_name")},
                **{f"{name}_amount": _amount(row, name) for name in movements},
                "closing_mrr_amount": row["mrr_amount"],
            }
        )
    return rows


def _retained(now: Sequence[Row], then: Sequence[Row]) -> Row:
    """The retention of accounts that paid twelve months earlier. `then` has the rows of that month, also of other accounts."""
    accounts = {row["account_id"] for row in now}
    base_rows = {row["account_id"]: row for row in then if row["subscription_count"] and row["account_id"] in accounts}
    base = [row for row in now if row["account_id"] in base_rows]
    returned = [row for row in base if row["subscription_count"] and row["has_lapsed"]]
    base_amount, retained_amount = total(base, "mrr_12_months_ago_amount"), total(base, "mrr_at_rate_of_12_months_ago_amount")
    retained_base_amount = sum(
        (min(row["mrr_12_months_ago_amount"], row["mrr_at_rate_of_12_months_ago_amount"]) for row in base), ZERO
    )
    return {
        "account_count": sum(row["subscription_count"] > 0 for row in now),
        "base_account_count": len(base),
        "retained_account_count": sum(row["subscription_count"] > 0 for row in base),
        "base_mrr_amount": base_amount,
        "retained_mrr_amount": retained_amount,
        "retained_base_mrr_amount": retained_base_amount,
        "returned_account_count": len(returned),
        "returned_mrr_amount": total(returned, "mrr_at_rate_of_12_months_ago_amount"),
        "returned_mrr_pct": share(total(returned, "mrr_at_rate_of_12_months_ago_amount"), base_amount),
        "base_subscriptions_without_rate": sum(row["subscriptions_without_rate"] for row in base_rows.values()),
        "retained_subscriptions_without_rate": total(base, "subscriptions_without_rate_of_12_months_ago"),
        "nrr_pct": share(retained_amount, base_amount),
        "grr_pct": share(retained_base_amount, base_amount),
    }


def _flow(rows: Sequence[Row]) -> Row:
    """The movements of one month's revenue, and the retention rates from them."""
    opening = total(rows, "opening_mrr_amount")
    moved = {name: sum((_amount(row, name) for row in rows), ZERO) for name in ("expansion", "contraction", "churn")}
    lost = moved["contraction"] + moved["churn"]
    return {
        "opening_mrr_amount": opening,
        **{f"{name}_amount": amount for name, amount in moved.items()},
        "unknown_movement_account_count": sum(row["movement"] == "unknown" for row in rows),
        "flow_nrr_pct": share(opening + moved["expansion"] - lost, opening),
        "flow_grr_pct": share(opening - lost, opening),
    }


def _base_and_today(attributes: AccountAttributes, row: Row) -> tuple[Row, Row]:
    """The attributes for a row of fct_revenue: at the base of its retention, and today."""
    tenant, account = row["organization_id"], row["account_id"]
    base = attributes.at(tenant, account, max(shifted(row["month"], -YEAR), row["cohort_month"]))
    return base, attributes.at(tenant, account, attributes.records.last)


def _account_month(row: Row) -> tuple[str, str, date]:
    return row["organization_id"], row["account_id"], row["month"]


@model
def fct_account_months(sources: SourceData) -> list[Row]:
    """The rows of fct_account_months, by top account and month."""
    attributes, rows = AccountAttributes(sources), []
    for row in fct_revenue(sources):
        base, today = _base_and_today(attributes, row)
        names = {name: row[name] for name in ("organization_id", "account_id", "month")}
        now = attributes.at(row["organization_id"], row["account_id"], row["month"])
        rows.append(
            {
                **names,
                **{name: now[name] for name in ATTRIBUTES},
                **{f"base_{name}": base[name] for name in ATTRIBUTES},
                **{f"{name}_today": today[name] for name in ATTRIBUTES},
            }
        )
    return rows


def _dimensions(attributes: Row) -> dict[str, str]:
    """The value of each dimension for a row of fct_revenue, from its row of fct_account_months."""
    return {
        "total": "total",
        **{name: attributes.get(f"base_{name}") or UNKNOWN for name in ATTRIBUTES},
        **{f"{name}_today": attributes.get(f"{name}_today") or UNKNOWN for name in ATTRIBUTES},
    }


def mart_nrr_summary(sources: SourceData) -> list[Row]:
    """The rows of mart_nrr_summary, by dimension, value and month."""
    places: dict[Place, dict[date, list[Row]]] = {}
    attributes = {_account_month(row): row for row in fct_account_months(sources)}
    rows = [dict(row) for row in fct_revenue(sources)]
    without = {_account_month(row) for row in rows if not row["subscription_count"]}
    for row in rows:
        between = (shifted(row["month"], -count) for count in range(1, YEAR))
        row["has_lapsed"] = any((row["organization_id"], row["account_id"], month) in without for month in between)
        for dimension, value in _dimensions(attributes.get(_account_month(row), {})).items():
            place = (row["organization_id"], dimension, value)
            places.setdefault(place, {}).setdefault(row["month"], []).append(row)
    tenants, bases = Tenants(sources), grouped(rows, "organization_id", "month")
    return [
        {
            "organization_id": tenant,
            "month": month,
            "dimension": dimension,
            "dimension_value": value,
            "is_complete": month_end(month) <= sources.as_of,
            "reporting_currency": tenants.reporting_currency(tenant),
            **_retained(found[month], bases[tenant, shifted(month, -YEAR)]),
            **_flow(found[month]),
        }
        for (tenant, dimension, value), found in places.items()
        for month in found
    ]


def mart_revenue_cohorts(sources: SourceData) -> list[Row]:
    """The rows of mart_revenue_cohorts, by cohort and months since.

    Every cohort has as many rows as the oldest cohort of its organization.
    """
    tenants, last = Tenants(sources), month_of(sources.as_of - INSTANT)
    cells = grouped(fct_revenue(sources), "organization_id", "cohort_month", "month")
    oldest: dict[str, date] = {}
    for tenant, cohort, _ in cells:
        oldest[tenant] = min(cohort, oldest.get(tenant, cohort))
    rows: list[Row] = []
    for tenant, cohort in sorted({place[:2] for place in cells}):
        first = cells[tenant, cohort, cohort]
        cohort_figures = {
            "cohort_account_count": len(first),
            "cohort_mrr_amount": total(first, "mrr_amount"),
            "cohort_subscriptions_without_rate": total(first, "subscriptions_without_rate"),
        }
        for since, _ in enumerate(months_between(oldest[tenant], last)):
            month = shifted(cohort, since)
            is_complete = month_end(month) <= sources.as_of
            rows.append(
                {
                    "organization_id": tenant,
                    "cohort_month": cohort,
                    "months_since": since,
                    "month": month,
                    "is_complete": is_complete,
                    "reporting_currency": tenants.reporting_currency(tenant),
                    **cohort_figures,
                    **(_cohort_retention(cohort_figures, cells[tenant, cohort, month]) if is_complete else _UNOBSERVED),
                }
            )
    return rows


_UNOBSERVED = dict.fromkeys(
    (
        *("retained_account_count", "retained_mrr_amount", "retained_subscriptions_without_rate"),
        *("retained_mrr_at_month_rates_amount", "retained_subscriptions_without_month_rate"),
        *("logo_retention_pct", "revenue_retention_pct", "revenue_retention_at_month_rates_pct"),
    )
)


def _cohort_retention(cohort_figures: Row, found: Sequence[Row]) -> Row:
    count = sum(row["subscription_count"] > 0 for row in found)
    amount, at_month_rates = total(found, "mrr_at_rate_of_cohort_month_amount"), total(found, "mrr_amount")
    return {
        "retained_account_count": count,
        "retained_mrr_amount": amount,
        "retained_subscriptions_without_rate": total(found, "subscriptions_without_rate_of_cohort_month"),
        "retained_mrr_at_month_rates_amount": at_month_rates,
        "retained_subscriptions_without_month_rate": total(found, "subscriptions_without_rate"),
        "logo_retention_pct": share(count, cohort_figures["cohort_account_count"]),
        "revenue_retention_pct": share(amount, cohort_figures["cohort_mrr_amount"]),
        "revenue_retention_at_month_rates_pct": share(at_month_rates, cohort_figures["cohort_mrr_amount"]),
    }
