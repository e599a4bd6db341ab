"""mart_churn_risk and mart_churned_customers on hand-worked customers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.churn import Logos, logos, mart_churn_risk, mart_churned_customers, rounded
from tests.recompute.factory import account, organization, product, subscription, ticket, usage_event
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def sources(**tables: list[Row]) -> SourceData:
    accounts = [account(), account(account_id="b"), account(account_id="child", parent_account_id="a")]
    given = {"organizations": [organization()], "accounts": accounts, **tables}
    # Rows of an account that the CRM does not know show that billing, support and product are connected.
    connected = {
        "subscriptions": [subscription("1", "2026-09-14", subscription_id="other", account_id="other")],
        "tickets": [ticket("2026-09-14", ticket_id="other", account_id="other")],
        "usage_events": [usage_event("2026-09-14", event_id="other", account_id="other")],
    }
    return SourceData.of(AS_OF, **{**given, **{name: [*given.get(name, []), *rows] for name, rows in connected.items()}})


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def events(*days: float, account_id: str = "a") -> list[Row]:
    """Logins at the given numbers of days before as_of."""
    moments = [AS_OF - timedelta(days=day) for day in days]
    return [
        {**usage_event("2026-01-01", account_id=account_id), "event_id": f"{account_id}{number}", "occurred_at": moment}
        for number, moment in enumerate(moments)
    ]


def test_a_customer_is_churned_after_more_than_30_or_90_days_without_a_login() -> None:
    (exact,) = mart_churned_customers(sources(usage_events=events(30, 95)))
    assert values(exact, "is_churned_30d", "is_churned_90d", "days_since_login", "login_count") == (False, False, 30, 1)
    gone, *others = mart_churned_customers(sources(usage_events=events(30.5, account_id="child") + events(91, account_id="b")))
    assert values(gone, "account_id", "is_churned_30d", "is_churned_90d", "is_paying") == ("a", True, False, False)
    assert values(others[0], "is_churned_90d", "lifecycle_stage", "recency_part") == (True, "prospect", 100)
    assert mart_churned_customers(sources()) == []


def test_the_risk_of_a_customer_with_falling_usage() -> None:
    used = events(48.5, *[45] * 3) + [{**event, "event_name": "search", "event_id": "s"} for event in events(10)]
    paid = [
        subscription("100", "2026-01-01", "2026-09-01"),
        subscription("90", "2026-09-01", subscription_id="n", product_id="p"),
    ]
    asked = [ticket("2026-09-01", account_id="child")]
    products = [product(name="Hub"), product(product_id="q", unit_cost=Decimal(0))]
    (row,) = mart_churn_risk(sources(usage_events=used, subscriptions=paid, tickets=asked, products=products))
    assert values(row, "recency_part", "frequency_part", "holdings_part", "tickets_part") == (Fraction(3800, 83), 75, 100, 50)
    # The MRR fell from 100 to 90 in three months.
    assert values(row, "mrr_growth_pct", "revenue_part", "data_coverage") == (-10, 20, 100)
    assert values(row, "event_count", "earlier_event_count", "event_change_pct", "product_names") == (1, 4, -75, "Hub")
    score = 35 * Fraction(38, 83) + Fraction(75, 4) + 10 + Fraction(15, 2) + 3
    assert row["churn_risk_score"] == rounded(score, 9)
    # The only account of its organization is no top share of it. At the level active there is no action.
    assert values(row, "churn_risk_level", "risk_level_basis", "contact_within_days") == ("active", "ranked", None)
    assert values(row, "reason_1", "reason_2", "reason_3") == (
        *("use down 75 % on the month before", "no login for 45 days", "one product only"),
    )
    assert values(row, "recommended_action", "action_reason", "lifecycle_stage") == (None, None, "active")
    # Two full months of 100, then 90. The margin is 60 %. No customer of the segment left in a complete month.
    assert values(row, "arpa_amount", "arpa_month_count", "gross_margin_pct", "gross_margin_source") == (
        *(Fraction(290, 3), 3, 60, "products"),
    )
    assert values(row, "opening_logo_count", "churned_logo_count", "lifetime_months", "estimated_clv_amount") == (
        7,
        0,
        None,
        None,
    )
    # Seven account-months are no base.
    assert values(row, "logo_churn_source", "value_at_risk_amount") == ("unknown", None)


def test_recency_is_unknown_without_a_login() -> None:
    (row,) = mart_churn_risk(sources(subscriptions=[subscription("100", "2026-09-01")], products=[product(is_active=True)]))
    assert values(row, "recency_part", "frequency_part", "revenue_part", "data_coverage") == (None, None, None, 25)
    assert values(row, "churn_risk_score", "churn_risk_level", "risk_level_basis") == (40, None, "too_little_data")
    assert values(row, "reason_1", "reason_2", "recommended_action") == ("one product only", None, None)
    assert values(row, "is_churned_30d", "days_since_login", "lifecycle_stage") == (None, None, "onboarding")
    assert values(row, "gross_margin_source", "segment_logo_churn_pct", "estimated_clv_amount") == ("organization", None, None)


def test_the_first_of_ten_customers_is_at_risk() -> None:
    paid = [subscription("100", "2026-01-01", "2026-09-01"), subscription("10", "2026-09-01", subscription_id="n")]
    accounts, others = customers(9, "starter", 12)
    used = [event for row in accounts for event in events(1, account_id=row["account_id"])]
    given = {"accounts": [account(), *accounts], "subscriptions": paid + others, "usage_events": events(100) + used}
    row, *rest = sorted(mart_churn_risk(sources(**given)), key=lambda row: -row["churn_risk_score"])
    # Recency, holdings and revenue are 100, tickets are 0 and frequency is unknown: 60 of 75.
    assert values(row, "churn_risk_score", "churn_risk_level", "risk_level_basis") == (80, "high", "ranked")
    assert values(row, "lifecycle_stage", "contact_within_days") == ("at_risk", 7)
    assert values(row, "reason_1", "reason_3") == ("no login for 100 days", "one product only")
    assert values(row, "recommended_action", "action_reason") == (
        "Call the sponsor and bring the users back",
        "no login for 100 days",
    )
    # The nine others share a score, so each of them has the last place.
    assert {other["churn_risk_level"] for other in rest} == {"active"}


def test_an_action_needs_evidence() -> None:
    accounts, others = customers(9, "starter", 12)
    used = [event for row in accounts for event in events(1, account_id=row["account_id"])]
    used += events(1, *[2] * 70, *[40] * 100)
    asked = [ticket("2026-09-14", account_id="a")]
    given = {"accounts": [account(), *accounts], "usage_events": used, "tickets": asked}
    paid = [*others, *(subscription("1", "2026-01-01", subscription_id=key, product_id=key) for key in "pqr")]
    (row,) = (row for row in mart_churn_risk(sources(subscriptions=paid, **given)) if row["account_id"] == "a")
    # Use is down 29 %, which is the largest reason and no evidence. The ticket is open and late: 50.
    assert values(row, "frequency_part", "tickets_part", "churn_risk_level") == (29, 50, "high")
    assert values(row, "recommended_action", "action_reason") == (
        "Settle the open and late tickets and tell the customer",
        "1 open and 1 late tickets",
    )


def test_equal_reasons_keep_the_order_of_the_parts() -> None:
    given = [ticket(f"2026-09-1{number}", ticket_id=str(number), account_id="a") for number in range(2)]
    paid = [
        subscription(price, "2026-05-01", ended, subscription_id=price) for price, ended in (("25", "2026-07-01"), ("75", None))
    ]
    (row,) = mart_churn_risk(sources(tickets=given[:1], subscriptions=paid))
    # The tickets part and the revenue part are both 50.
    assert values(row, "tickets_part", "revenue_part", "open_ticket_count", "breached_ticket_count") == (50, 50, 1, 1)
    assert values(row, "reason_1", "reason_2", "reason_3") == (
        *("one product only", "1 open and 1 late tickets", "revenue down 25 % in three months"),
    )


def test_logos_are_counted_over_twelve_complete_months() -> None:
    paid = [
        subscription("1", "2025-01-01", "2026-08-20"),
        subscription("1", "2026-07-01", "2026-09-02", subscription_id="b", account_id="b"),
        subscription("1", "2026-05-01", "2026-08-02", subscription_id="x", account_id="stranger"),
    ]
    # The period is September to August. The first account had MRR at the start of all 12 months and left in the last one.
    # The other account had MRR at the start of one month and left after the period.
    assert logos(sources(subscriptions=paid)) == {("t", "smb"): Logos(13, 1)}


def test_logos_count_in_the_segment_of_the_month_before() -> None:
    accounts = [account(), account(employee_count=51, updated_at=datetime(2026, 8, 1, tzinfo=UTC))]
    accounts += [account(employee_count=501, updated_at=datetime(2026, 8, 20, tzinfo=UTC))]
    paid = [subscription("1", "2026-05-01", "2026-08-25")]
    # It was small at the end of May, June and July: the version of 1 August begins with August. It left in August.
    assert logos(sources(accounts=accounts, subscriptions=paid)) == {("t", "smb"): Logos(3, 1)}
    paid = [subscription("1", "2026-05-01", "2026-09-10")]
    accounts = [account(), account(employee_count=51, updated_at=datetime(2026, 7, 31, tzinfo=UTC))]
    assert logos(sources(accounts=accounts, subscriptions=paid)) == {("t", "smb"): Logos(2, 0), ("t", "mid_market"): Logos(1, 0)}


def customers(count: int, segment: str, months: int, *, left: int = 0) -> tuple[list[Row], list[Row]]:
    """Accounts of a plan tier that pay 100 a month and have been customers for `months` complete months; `left` of them left in August."""
    begun = datetime(2026 - (months > 8), (8 - months) % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)
    names = [f"{segment}{number}" for number in range(count)]
    accounts = [account(account_id=name, plan_tier=segment) for name in names]
    paid = [
        subscription("100", f"{begun:%Y-%m-%d}", "2026-08-15" if number < left else None, subscription_id=name, account_id=name)
        for number, name in enumerate(names)
    ]
    return accounts, paid


def clv(*groups: tuple[list[Row], list[Row]]) -> dict[str, tuple[Any, ...]]:
    """The base, the source of the logo churn, the lifetime and the value by account. Every account has logged in."""
    accounts = [row for group, _ in groups for row in group]
    paid = [row for _, group in groups for row in group]
    used = [event for row in accounts for event in events(1, account_id=row["account_id"])]
    rows = mart_churned_customers(sources(accounts=accounts, subscriptions=paid, usage_events=used, products=[product()]))
    columns = ("opening_logo_count", "logo_churn_source", "lifetime_months", "estimated_clv_amount")
    return {row["account_id"]: values(row, *columns) for row in rows}


def test_the_value_needs_a_base_of_account_months() -> None:
    # Two customers over twelve months are 24 account-months, in which nobody left. Nothing else is known.
    assert clv(customers(2, "growth", 12))["growth0"] == (24, "unknown", None, None)
    # 24 others over twelve months are 288, of which 3 left: 312 and 3 in the organization, so 104 months, at most 60. The margin is 60 %.
    found = clv(customers(2, "growth", 12), customers(24, "starter", 12, left=3))
    assert found["growth0"] == (24, "organization", 60, 3600)
    # 288 ÷ 3 is 96 months, so 60 too. A customer that left has no value.
    assert (found["starter0"], found["starter5"]) == ((288, "segment", 60, 0), (288, "segment", 60, 3600))
    # 15 customers are 180 account-months, of which 6 left: 30 months.
    assert clv(customers(15, "starter", 12, left=6))["starter9"] == (180, "segment", 30, 1800)
    assert clv(customers(15, "starter", 11, left=6))["starter9"] == (165, "unknown", None, None)


def test_priority_is_ranked_by_value_at_risk() -> None:
    accounts, others = customers(20, "starter", 12)
    paid = [
        subscription("10", "2026-01-01", subscription_id="1"),
        subscription("20", "2026-01-01", subscription_id="2", account_id="b"),
    ]
    products = [product()]
    family = [account(), account(account_id="b"), *accounts]
    ranked = mart_churn_risk(sources(accounts=family, subscriptions=paid + others, products=products))
    rows = [row for row in ranked if row["account_id"] in "ab"]
    assert [values(row, "priority_rank", "account_id") for row in rows] == [(21, "b"), (22, "a")]
    # Without a margin the value at risk is unknown, so the account id decides.
    assert [row["account_id"] for row in mart_churn_risk(sources(subscriptions=paid))] == ["a", "b"]
    assert [rounded(Fraction(value, 1000), 2) for value in (5, 4, -5)] == [Fraction(1, 100), 0, Fraction(-1, 100)]


def test_a_part_of_a_system_that_is_not_connected_is_unknown() -> None:
    bare = {"organizations": [organization()], "accounts": [account()]}
    (row,) = mart_churn_risk(SourceData.of(AS_OF, **bare, subscriptions=[subscription("1", "2026-01-01", product_id=None)]))
    # MRR did not fall in three months, so only the part of revenue is known, and it is 0. A product is in force, but not which.
    assert values(row, "data_coverage", "churn_risk_score", "revenue_part", "holdings_part") == (15, 0, 0, None)
    assert values(row, "product_count", "event_count", "open_ticket_count", "reason_1") == (None, None, None, None)
    (row,) = mart_churned_customers(SourceData.of(AS_OF, **bare, usage_events=events(1)))
    assert values(row, "is_paying", "mrr_amount", "estimated_clv_amount", "lifecycle_stage") == (None, None, None, "unknown")
    assert values(row, "risk_level_basis", "churn_risk_level") == ("too_little_data", None)
