"""dim_accounts and fct_account_lifecycle on hand-worked accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.recompute.accounts import category, dim_accounts, fct_account_lifecycle, revenue_band, segment
from tests.recompute.factory import account, invoice, organization, subscription
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plan", "employees", "expected"),
    [
        ("enterprise", 1, "enterprise"),
        ("starter", 501, "enterprise"),
        ("starter", 500, "mid_market"),
        ("growth", None, "mid_market"),
        (None, 51, "mid_market"),
        (None, 50, "smb"),
        (None, None, "smb"),
    ],
)
def test_segment(plan: str | None, employees: int | None, expected: str) -> None:
    assert segment(plan, employees) == expected


@pytest.mark.parametrize(
    ("revenue", "expected"),
    [
        (None, "unknown"),
        (999_999, "small"),
        (1_000_000, "medium"),
        (9_999_999, "medium"),
        (10_000_000, "large"),
        (100_000_000, "enterprise"),
    ],
)
def test_revenue_band(revenue: int | None, expected: str) -> None:
    assert revenue_band(None if revenue is None else Fraction(revenue)) == expected


def test_the_status_overrides_the_account_type() -> None:
    assert category("active", "prospect") == "prospect"
    assert category("inactive", "prospect") == "inactive"
    assert category("churned", "customer") == "churned"


def test_the_revenue_band_uses_the_reporting_currency_at_the_rates_of_the_run() -> None:
    rates = [
        {"rate_date": date(2026, 9, day), "currency": "EUR", "rate_to_usd": Decimal(rate)}
        for day, rate in ((13, "1.5"), (14, "1.25"), (15, "9"))
    ]
    rich = account(annual_revenue=Decimal("1250000"), currency="USD")
    (row,) = dim_accounts(SourceData.of(AS_OF, organizations=[organization()], accounts=[rich], fx_rates=rates))
    assert (row["annual_revenue_reporting"], row["revenue_band"]) == (1_000_000, "medium")


def test_a_merged_child_rolls_up_through_its_target_to_the_parent() -> None:
    family = [
        account(account_id="top"),
        account(account_id="target", parent_account_id="top"),
        account(account_id="old", merged_into_account_id="target", owner_user_id="nobody"),
    ]
    rows = {row["account_id"]: row for row in dim_accounts(SourceData.of(AS_OF, organizations=[organization()], accounts=family))}
    assert (rows["old"]["top_account_id"], rows["old"]["top_account_key"]) == ("top", "t|top")
    assert [rows[name]["is_top_account"] for name in ("top", "target", "old")] == [True, False, False]
    assert rows["old"]["owner_name"] == "unknown"


@pytest.mark.parametrize(
    ("spans", "stage"),
    [
        ([], "prospect"),
        ([("2026-01-01", "2026-09-14")], "churned"),
        ([("2026-01-01", None)], "active"),
        # Ninety days before the 15th of September is the 17th of June.
        ([("2026-06-17", None)], "onboarding"),
        ([("2026-06-16T23:59:59", None)], "active"),
        ([("2026-01-01", "2026-03-10"), ("2026-06-17", None)], "won_back"),
        ([("2026-01-01", "2026-03-10"), ("2026-06-16", None)], "active"),
        ([("2026-06-20", "2026-07-10"), ("2026-08-10", None)], "won_back"),
    ],
)
def test_lifecycle_stage(spans: list[tuple[str, str | None]], stage: str) -> None:
    paid = [subscription("10", *span, subscription_id=str(number), account_id="child") for number, span in enumerate(spans)]
    accounts = [account(), account(account_id="child", parent_account_id="a")]
    sources = SourceData.of(
        datetime(2026, 9, 15, tzinfo=UTC), organizations=[organization()], accounts=accounts, subscriptions=paid
    )
    top, child = fct_account_lifecycle(sources)
    assert (top["lifecycle_stage"], child["lifecycle_stage"]) == (stage, stage)
    # The revenue of child accounts is shown at the top account.
    assert child["current_mrr_amount"] == 0
    assert (top["current_arr_amount"] == 120) is (stage not in {"prospect", "churned"})
    assert child["first_paid_month"] == (date.fromisoformat(spans[0][0][:10]).replace(day=1) if spans else None)


@pytest.mark.parametrize(
    ("tables", "stage"),
    [
        # Paused before the platform first loaded it: it earned until then.
        ({"subscriptions": [subscription("10", "2026-01-01", status="paused", updated_at="2026-08-10")]}, "paused"),
        # Another subscription goes on.
        (
            {
                "subscriptions": [
                    subscription("10", "2026-01-01", status="paused", updated_at="2026-08-10"),
                    subscription("10", "2026-01-01", subscription_id="other"),
                ]
            },
            "active",
        ),
        # It was paused before a month ended, and paid nothing.
        ({"subscriptions": [subscription("10", "2026-09-01", status="paused", updated_at="2026-09-02")]}, "prospect"),
        # It paid within a month and was gone at its end.
        ({"invoices": [invoice("paid", "2026-03-02", amount_paid=Decimal(119))]}, "churned"),
        ({"invoices": [invoice("paid", "2026-03-02", total="0")]}, "prospect"),
        ({"invoices": [invoice("open", "2026-03-02")]}, "prospect"),
    ],
)
def test_who_paid_is_no_prospect(tables: dict[str, list[Row]], stage: str) -> None:
    (row,) = fct_account_lifecycle(SourceData.of(AS_OF, organizations=[organization()], accounts=[account()], **tables))
    assert row["lifecycle_stage"] == stage
