"""dim_accounts and fct_account_lifecycle on hand-worked accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.recompute.accounts import dim_accounts, fct_account_lifecycle
from tests.recompute.factory import account, invoice, organization, subscription
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


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
    # Another account's subscription shows that billing is connected.
    subscriptions = [
        *tables.get("subscriptions", []),
        subscription("1", "2026-01-01", subscription_id="z", account_id="stranger"),
    ]
    found = {**tables, "subscriptions": subscriptions}
    (row,) = fct_account_lifecycle(SourceData.of(AS_OF, organizations=[organization()], accounts=[account()], **found))
    assert row["lifecycle_stage"] == stage


def test_without_billing_nobody_knows_who_pays() -> None:
    paid = invoice("paid", "2026-03-02", amount_paid=Decimal(119))
    (row,) = fct_account_lifecycle(SourceData.of(AS_OF, organizations=[organization()], accounts=[account()], invoices=[paid]))
    assert (row["lifecycle_stage"], row["current_mrr_amount"]) == ("unknown", None)
