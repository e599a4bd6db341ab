"""mart_customer_health_scores on hand-worked customers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.recompute.factory import account, organization, subscription, ticket, usage_event
from tests.recompute.health_scores import mart_customer_health_scores, scored
from tests.recompute.sources import Row, SourceData
from tests.recompute.test_mrr import rates

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)
NAMES = ("a", "b", "c", "child")


def sources(as_of: datetime = AS_OF, **tables: list[Row]) -> SourceData:
    accounts = [account(account_id=name, parent_account_id="a" if name == "child" else None) for name in NAMES]
    paid = [subscription("100", "2026-05-01", subscription_id=name, account_id=name) for name in NAMES[:3]]
    given = {"organizations": [organization()], "accounts": accounts, "subscriptions": paid, **tables}
    return SourceData.of(as_of, **{name: _numbered(rows) for name, rows in given.items()})


def _numbered(rows: list[Row]) -> list[Row]:
    keys = {"ticket_id", "event_id", "subscription_id"}
    return [{**row, **{key: f"{key}{number}" for key in keys & row.keys()}} for number, row in enumerate(rows)]


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def by_account(given: SourceData) -> dict[str, Row]:
    return {row["account_id"]: row for row in scored(given)}


def test_usage_is_ranked_and_active_days_are_24_hour_periods() -> None:
    events = [
        # The last thirty days begin with the 16th of August.
        *(usage_event("2026-08-15T23:59:59"), usage_event("2026-08-16"), usage_event("2026-09-14T23:59:59", account_id="child")),
        *(usage_event("2026-09-14", account_id="child", event_category="reporting"), usage_event("2026-09-01", account_id="b")),
        usage_event("2026-09-13T23:59:59", account_id="b", event_category="gardening"),
    ]
    rows = by_account(sources(usage_events=events))
    columns = ("event_count", "used_category_count", "active_day_count", "usage_score", "engagement_score")
    assert values(rows["a"], *columns) == (3, 2, 2, 100, 24 + Fraction(8, 3))
    assert values(rows["b"], *columns) == (2, 1, 2, 50, 12 + Fraction(8, 3))
    assert values(rows["c"], *columns) == (0, 0, 0, None, None)
    assert {row["segment_account_count"] for row in rows.values()} == {3}
    # Only the revenue of the third account is known. It has not grown.
    assert values(rows["c"], "data_coverage", "health_score", "health_tier", "usage_contribution") == (25, 60, "healthy", None)


def test_the_support_part_uses_tickets_of_ninety_days() -> None:
    tickets = [
        ticket("2026-06-17", account_id="a", status="closed", resolved_at="2026-06-17T01:00:00", csat_score=5),
        ticket("2026-06-20", account_id="child", csat_score=2),
        ticket("2026-06-16", account_id="a", csat_score=1),
        ticket("2026-06-21", account_id="a", status="merged", csat_score=1),
    ]
    row = by_account(sources(tickets=tickets))["a"]
    assert values(row, "open_ticket_count", "ticket_count", "breached_ticket_count", "breached_ticket_pct") == (2, 2, 1, 50)
    assert values(row, "csat_response_count", "mean_csat_score") == (2, Fraction(7, 2))
    assert row["support_score"] == 100 - 20 - 15 - 5
    # Support has a weight of 20 of 45, revenue the other 25.
    assert row["health_score"] == Fraction(20 * 60 + 25 * 60, 45)


def test_the_revenue_part_uses_growth_over_three_months() -> None:
    paid = [
        *(subscription("100", "2026-05-01", "2026-08-01"), subscription("105", "2026-08-01")),
        *(subscription("100", "2026-05-01", account_id="b"), subscription("10", "2026-08-01", account_id="b", currency="ZAR")),
        subscription("100", "2026-07-01", account_id="c"),
    ]
    rows = by_account(sources(subscriptions=paid))
    assert values(rows["a"], "mrr_amount", "mrr_3_months_ago_amount", "mrr_growth_pct", "revenue_score") == (105, 100, 5, 80)
    # Without an exchange rate the growth is unknown, and so is the score.
    assert values(rows["b"], "mrr_amount", "mrr_growth_pct", "revenue_score", "health_score", "health_tier") == (
        *(100, None, None, None, "unknown"),
    )
    assert values(rows["c"], "mrr_3_months_ago_amount", "mrr_growth_pct", "revenue_score") == (0, None, 60)
    june, september = date(2026, 6, 30), date(2026, 9, 14)
    known = [*rates(june, "1"), *rates(september, "2"), *rates(june, "1", "ZAR"), *rates(september, "1", "ZAR")]
    assert by_account(sources(subscriptions=paid, fx_rates=known))["b"]["mrr_growth_pct"] == 10


def test_a_new_subscription_needs_the_rate_of_three_months_ago() -> None:
    """100 EUR become 100 ZAR in August. ZAR has its first rate in September."""
    paid = [
        *(subscription("100", "2026-05-01", "2026-08-01"), subscription("100", "2026-08-01", currency="ZAR")),
        subscription("100", "2026-08-01", account_id="b", currency="ZAR"),
    ]
    september = date(2026, 9, 14)
    rows = by_account(sources(subscriptions=paid, fx_rates=[*rates(september, "2"), *rates(september, "2", "ZAR")]))
    columns = ("mrr_amount", "mrr_3_months_ago_amount", "mrr_at_rate_of_3_months_ago_amount", "mrr_growth_pct", "revenue_score")
    assert values(rows["a"], *columns) == (100, 100, 0, None, None)
    # This account had no revenue three months ago, so there is nothing to compare.
    assert values(rows["b"], *columns) == (100, 0, 0, None, 60)


def test_only_paying_customers_are_scored() -> None:
    rows = by_account(
        sources(subscriptions=[subscription("1", "2026-05-01", "2026-09-14"), subscription("1", "2026-09-14", account_id="b")])
    )
    assert values(rows.pop("b"), "score_date", "is_complete", "is_current") == (date(2026, 9, 14), True, True)
    assert not rows


def test_the_history_includes_earlier_runs(tmp_path: Path) -> None:
    header = "organization_id,account_id,plan_tier,employee_count,annual_revenue,currency,status,account_type,owner_user_id,"
    for day in ("2026-09-14", "2026-09-15"):
        folder = tmp_path / day
        folder.mkdir()
        (folder / "organizations.csv").write_text("organization_id,reporting_currency,timezone\nt,EUR,UTC\n")
        optional = ("merged_into_account_id", "parent_account_id", "name", "domain", "industry", "region", "country", "city")
        columns = (*optional, "signup_date", "created_at", "updated_at")
        moments = f"{day}T00:00:00,2026-01-01T00:00:00"
        (folder / "accounts.csv").write_text(f"{header}{','.join(columns)}\nt,a,,,,EUR,active,customer,,,,A,,,,,,,{moments}\n")
        (folder / "subscriptions.csv").write_text(
            "subscription_id,organization_id,account_id,billing_interval,interval_count,quantity,unit_amount,discount_pct,"
            "currency,status,started_at,trial_ends_at,ended_at,product_id,updated_at\n"
            "s,t,a,month,1,1,100,0,EUR,active,2026-01-01,,,,2026-01-01\n"
        )
    rows = mart_customer_health_scores(tmp_path / "2026-09-15", AS_OF)
    assert [values(row, "score_date", "is_current") for row in rows] == [(date(2026, 9, 14), True), (date(2026, 9, 13), False)]
    (only,) = mart_customer_health_scores(tmp_path / "2026-09-14", datetime(2026, 9, 14, tzinfo=UTC))
    assert only["is_current"]
