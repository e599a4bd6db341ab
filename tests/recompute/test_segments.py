"""mtr_customer_segment_summary on hand-worked subscriptions and orders."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.recompute.factory import account, order, organization, subscription
from tests.recompute.segments import mtr_customer_segment_summary
from tests.recompute.sources import Row, SourceData

ACCOUNTS = [
    account(employee_count=501),
    account(account_id="child", employee_count=10, parent_account_id="a"),
    account(account_id="small"),
    account(account_id="other"),
]


def summary(**tables: list[Row]) -> dict[tuple[str, date], Row]:
    sources = SourceData.of(datetime(2026, 9, 15, tzinfo=UTC), organizations=[organization()], accounts=ACCOUNTS, **tables)
    return {(row["segment"], row["month"]): row for row in mtr_customer_segment_summary(sources)}


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_the_segment_comes_from_the_top_account() -> None:
    rows = summary(
        orders=[
            order("1", "2026-08-01", "10", account_id="child"),
            order("2", "2026-08-01", "30", account_id="a"),
            order("3", "2026-08-01", "60", account_id="gone"),
            order("4", "2026-08-01", "60", account_id="gone", status="cancelled"),
        ]
    )
    assert {name for name, _ in rows} == {"enterprise", "unknown"}
    enterprise = rows["enterprise", date(2026, 8, 1)]
    # Ordering accounts are counted as named in the order, so a child counts for itself.
    assert values(enterprise, "ordering_customer_count", "order_revenue", "order_revenue_share_pct") == (2, 40, 40)
    assert values(enterprise, "average_order_value", "p75_order_value", "median_revenue_per_customer") == (20, 25, 20)
    assert values(enterprise, "paying_customer_count", "mrr_amount", "mrr_share_pct", "average_mrr_per_customer") == (
        0,
        0,
        None,
        None,
    )
    nothing = rows["unknown", date(2026, 9, 1)]
    assert values(nothing, "order_count", "average_order_value", "order_revenue_share_pct", "is_complete") == (
        0,
        None,
        None,
        False,
    )


def test_recurring_revenue_is_counted_at_top_accounts() -> None:
    rows = summary(
        subscriptions=[
            subscription("60", "2026-07-01", subscription_id="1"),
            subscription("20", "2026-08-01", subscription_id="2", account_id="child"),
            subscription("20", "2026-07-01", "2026-08-05", subscription_id="3", account_id="small"),
            subscription("40", "2026-08-01", subscription_id="4", account_id="other"),
        ]
    )
    enterprise, smb = (rows[name, date(2026, 8, 1)] for name in ("enterprise", "smb"))
    assert values(enterprise, "paying_customer_count", "mrr_amount", "arr_amount", "new_customer_count") == (1, 80, 960, 0)
    assert values(smb, "paying_customer_count", "new_customer_count", "churned_customer_count") == (1, 1, 1)
    assert smb["mrr_share_pct"] * 3 == 100
