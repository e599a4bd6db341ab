"""mart_churn_risk and mart_churned_customers on hand-worked customers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.churn import Logos, logos, mart_churn_risk, mart_churned_customers, rounded
from tests.recompute.factory import account, organization, product, subscription, ticket, usage_event
from tests.recompute.world import Row, World

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def world(**tables: list[Row]) -> World:
    accounts = [account(), account(account_id="b"), account(account_id="child", parent_account_id="a")]
    given = {"organizations": [organization()], "accounts": accounts, **tables}
    return World.of(AS_OF, **given)


def told(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def events(*days: float, account_id: str = "a") -> list[Row]:
    """Logins so many days before the night."""
    moments = [AS_OF - timedelta(days=day) for day in days]
    return [
        {**usage_event("2026-01-01", account_id=account_id), "event_id": f"{account_id}{number}", "occurred_at": moment}
        for number, moment in enumerate(moments)
    ]


def test_churned_is_who_has_not_logged_in_for_more_than_so_many_days() -> None:
    (exact,) = mart_churned_customers(world(usage_events=events(30, 95)))
    assert told(exact, "is_churned_30d", "is_churned_90d", "days_since_login", "login_count") == (False, False, 30, 1)
    gone, *others = mart_churned_customers(world(usage_events=events(30.5, account_id="child") + events(91, account_id="b")))
    assert told(gone, "account_id", "is_churned_30d", "is_churned_90d", "is_paying") == ("a", True, False, False)
    assert told(others[0], "is_churned_90d", "lifecycle_stage", "recency_part") == (True, "prospect", 100)
    assert mart_churned_customers(world()) == []


def test_the_risk_of_one_who_has_faded() -> None:
    used = events(48.5, *[45] * 3) + [{**event, "event_name": "search", "event_id": "s"} for event in events(10)]
    paid = [
        subscription("100", "2026-01-01", "2026-09-01"),
        subscription("90", "2026-09-01", subscription_id="n", product_id="p"),
    ]
    asked = [ticket("2026-09-01", account_id="child")]
    products = [product(name="Hub"), product(product_id="q", unit_cost=Decimal(0))]
    (row,) = mart_churn_risk(world(usage_events=used, subscriptions=paid, tickets=asked, products=products))
    assert told(row, "recency_part", "frequency_part", "holdings_part", "tickets_part") == (Fraction(3800, 83), 75, 100, 50)
    # Ten of a hundred lost in three months.
    assert told(row, "mrr_growth_pct", "revenue_part", "data_coverage") == (-10, 20, 100)
    assert told(row, "event_count", "earlier_event_count", "event_change_pct", "product_names") == (1, 4, -75, "Hub")
    score = 35 * Fraction(38, 83) + Fraction(75, 4) + 10 + Fraction(15, 2) + 3
    assert row["churn_risk_score"] == rounded(score, 9)
    assert told(row, "churn_risk_level", "contact_within_days", "lifecycle_stage") == ("medium", 14, "active")
    assert told(row, "reason_1", "reason_2", "reason_3") == (
        *("use down 75 % on the month before", "no login for 45 days", "one product only"),
    )
    assert row["recommended_action"] == "Review how the team works with the product and train it"
    # Two full months of 100, then 90; 60 % margin; nobody of the segment left in a month that has ended.
    assert told(row, "arpa_amount", "arpa_month_count", "gross_margin_pct", "gross_margin_source") == (
        *(Fraction(290, 3), 3, 60, "products"),
    )
    assert told(row, "opening_logo_count", "churned_logo_count", "lifetime_months", "estimated_clv_amount") == (7, 0, 60, 3480)
    assert row["value_at_risk_amount"] == 3480 * row["churn_risk_score"] / 100


def test_who_never_logged_in_has_an_unknown_recency() -> None:
    (row,) = mart_churn_risk(world(subscriptions=[subscription("100", "2026-09-01")], products=[product(is_active=True)]))
    assert told(row, "recency_part", "frequency_part", "revenue_part", "data_coverage") == (None, None, None, 25)
    assert told(row, "churn_risk_score", "churn_risk_level", "reason_1", "reason_2") == (
        40,
        "medium",
        "no product in force",
        None,
    )
    assert told(row, "is_churned_30d", "days_since_login", "lifecycle_stage") == (None, None, "onboarding")
    assert told(row, "gross_margin_source", "segment_logo_churn_pct", "estimated_clv_amount") == ("organization", None, None)


def test_at_risk_is_who_was_active() -> None:
    paid = [subscription("100", "2026-01-01", "2026-09-01"), subscription("10", "2026-09-01", subscription_id="n")]
    (row,) = mart_churn_risk(world(usage_events=events(100), subscriptions=paid))
    # Recency and holdings all, revenue all, no ticket; frequency unknown: 60 of 75.
    assert told(row, "churn_risk_score", "churn_risk_level", "lifecycle_stage") == (80, "critical", "at_risk")
    assert told(row, "reason_1", "reason_3") == ("no login for 100 days", "no product in force")


def test_of_equal_reasons_the_first_in_order_comes_first() -> None:
    given = [ticket(f"2026-09-1{number}", ticket_id=str(number), account_id="a") for number in range(2)]
    paid = [
        subscription(price, "2026-05-01", ended, subscription_id=price) for price, ended in (("25", "2026-07-01"), ("75", None))
    ]
    (row,) = mart_churn_risk(world(tickets=given[:1], subscriptions=paid))
    # Tickets and revenue both 50.
    assert told(row, "tickets_part", "revenue_part", "open_ticket_count", "breached_ticket_count") == (50, 50, 1, 1)
    assert told(row, "reason_1", "reason_2", "reason_3") == (
        *("no product in force", "1 open and 1 late tickets", "revenue down 25 % in three months"),
    )


def test_logos_are_counted_over_twelve_complete_months() -> None:
    paid = [
        subscription("1", "2025-01-01", "2026-08-20"),
        subscription("1", "2026-07-01", "2026-09-02", subscription_id="b", account_id="b"),
        subscription("1", "2026-05-01", "2026-08-02", subscription_id="x", account_id="stranger"),
    ]
    # From September to August: the first account opened each, and left in the last; the other opened one, and left too late.
    assert logos(world(subscriptions=paid)) == {("t", "smb"): Logos(13, 1)}


def test_priority_goes_by_value_at_risk() -> None:
    paid = [
        subscription("10", "2026-01-01", subscription_id="1"),
        subscription("20", "2026-01-01", subscription_id="2", account_id="b"),
    ]
    products = [product()]
    rows = mart_churn_risk(world(subscriptions=paid, products=products))
    assert [told(row, "priority_rank", "account_id") for row in rows] == [(1, "b"), (2, "a")]
    # Without a margin nothing is known to be at risk: the account's id decides.
    assert [row["account_id"] for row in mart_churn_risk(world(subscriptions=paid))] == ["a", "b"]
    assert [rounded(Fraction(value, 1000), 2) for value in (5, 4, -5)] == [Fraction(1, 100), 0, Fraction(-1, 100)]
