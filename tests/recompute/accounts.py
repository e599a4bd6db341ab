"""dim_accounts and fct_account_lifecycle: account attributes as of the run, the roll-up to a top account, and its recurring revenue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.grouping import grouped
from tests.recompute.invoices import fct_invoices
from tests.recompute.money import Rates
from tests.recompute.mrr import SubscriptionRecords, fct_revenue
from tests.recompute.recorded import recorded
from tests.recompute.rollup import roll_ups
from tests.recompute.sources import Row, SourceData, computed_once, model, natural

# The length of the recent period. It repeats a dbt var on purpose: a wrong value in either place shows as a difference.
RECENT = timedelta(days=90)
# Band and its upper bound, exclusive. The first band that fits applies.
REVENUE_BANDS = (("small", 1_000_000), ("medium", 10_000_000), ("large", 100_000_000))


def revenue_band(revenue: Fraction | None) -> str:
    """The band of an annual revenue in the reporting currency."""
    if revenue is None:
        return "unknown"
    return next((band for band, bound in REVENUE_BANDS if revenue < bound), "enterprise")


def segment(plan_tier: str | None, employees: int | None) -> str:
    """The segment by plan or number of employees: enterprise, mid_market or smb. It is unknown if both are."""
    if plan_tier is None and employees is None:
        return "unknown"
    size = employees or 0
    if plan_tier == "enterprise" or size > 500:
        return "enterprise"
    if plan_tier == "growth" or size > 50:
        return "mid_market"
    return "smb"


def category(status: str | None, account_type: str | None) -> str:
    """The account category: customer, prospect, churned, inactive or unknown."""
    return status if status in {"churned", "inactive"} else account_type or "unknown"


def lifecycle_stage(months: Sequence[Row], as_of: datetime, *, has_paid: bool | None, is_paused: bool) -> str:
    """The lifecycle stage of a top account, if its organization has subscriptions.

    Args:
        months: its rows of fct_revenue, oldest first.
        has_paid: whether it paid an invoice; None if its paid invoices do not say how much.
        is_paused: whether a subscription is paused at the as-of time.
    """

    def is_recent(movement: str) -> bool:
        return any(row["movement"] == movement and row["earning_since"] >= as_of - RECENT for row in months)

    if not months and not has_paid:
        return "unknown" if has_paid is None else "prospect"
    if not months or not months[-1]["subscription_count"]:
        return "paused" if is_paused else "churned"
    if is_recent("reactivation"):
        return "won_back"
    return "onboarding" if is_recent("new") else "active"


@model
@computed_once
def dim_accounts(sources: SourceData) -> list[Row]:
    """The rows of dim_accounts, by account_id."""
    organizations, users = sources.by_key("organizations"), sources.by_tenant("users")
    tops, rates = roll_ups(sources), Rates(sources)
    today = (sources.as_of - timedelta(microseconds=1)).date()
    rows: list[Row] = []
    for account in sources["accounts"]:
        tenant = account["organization_id"]
        reporting = organizations[tenant]["reporting_currency"]
        revenue: Decimal | None = account["annual_revenue"]
        converted = rates.convert(revenue, account["currency"], reporting, today)
        owner = users.get((tenant, account["owner_user_id"]))
        top = tops[tenant, account["account_id"]]
        recorded = {
            name: account[name]
            for name in (
                *("organization_id", "account_id", "domain", "industry", "employee_count", "annual_revenue"),
                *(
                    "currency",
                    "account_type",
                    "status",
                    "plan_tier",
                    "region",
                    "country",
                    "city",
                    "owner_user_id",
                ),
                *("signup_date", "merged_into_account_id", "parent_account_id", "created_at", "updated_at"),
            )
        }
        rows.append(
            {
                **recorded,
                "account_key": natural(tenant, account["account_id"]),
                "account_name": account["name"],
                "annual_revenue_reporting": converted,
                "reporting_currency": reporting,
                "revenue_band": revenue_band(converted),
                "account_category": category(account["status"], account["account_type"]),
                "segment": segment(account["plan_tier"], account["employee_count"]),
                "owner_name": owner["full_name"] if owner else "unknown",
                "top_account_id": top.top_account_id,
                "top_account_key": natural(tenant, top.top_account_id),
                "is_top_account": top.top_account_id == account["account_id"],
                "roll_up_issue": top.issue,
            }
        )
    return rows


def _paused(sources: SourceData) -> set[tuple[str, str]]:
    """The top accounts with a paused subscription at the as-of time, by organization and id."""
    records, given = SubscriptionRecords(sources), sources.models.get("int_billing__subscription_states")
    if given is None:
        return {place for place in records.subscriptions if records.is_paused(*place)}
    now = [row for row in given if row["month"] == records.last]
    return {(row["organization_id"], row["top_account_id"]) for row in now if row["state"] == "paused"}


@model
def fct_account_lifecycle(sources: SourceData) -> list[Row]:
    """The rows of fct_account_lifecycle, by account_id."""
    subscribed, paused = grouped(fct_revenue(sources), "organization_id", "account_id"), _paused(sources)
    accounts, kinds = dim_accounts(sources), recorded(sources)
    tops = {(account["organization_id"], account["account_id"]): account["top_account_id"] for account in accounts}
    paid: dict[tuple[str, str], set[bool | None]] = {}
    for invoice in fct_invoices(sources):
        if invoice["is_paid"] and (top := tops.get((invoice["organization_id"], invoice["account_id"]))):
            is_payment = None if invoice["amount_paid"] is None else invoice["amount_paid"] > 0
            paid.setdefault((invoice["organization_id"], top), set()).add(is_payment)
    rows: list[Row] = []
    for account in accounts:
        place = (account["organization_id"], account["top_account_id"])
        months = subscribed.get(place, [])
        is_known = kinds[account["organization_id"]]["has_subscriptions"]
        current = months[-1]["mrr_amount"] if months and account["is_top_account"] else Fraction(0)
        payments = paid.get(place, {False})
        has_paid = True if True in payments else None if payments == {None} else False
        stage = lifecycle_stage(months, sources.as_of, has_paid=has_paid, is_paused=place in paused)
        rows.append(
            {
                **{name: account[name] for name in ("account_key", "organization_id", "account_id", "is_top_account")},
                "current_mrr_amount": current if is_known else None,
                "current_arr_amount": 12 * current if is_known else None,
                "first_paid_month": months[0]["cohort_month"] if months else None,
                "lifecycle_stage": stage if is_known else "unknown",
            }
        )
    return rows
