"""mart_mrr_waterfall, mart_nrr_summary and mart_revenue_cohorts on hand-worked subscriptions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.recompute.attributes import AccountAttributes
from tests.recompute.factory import account, organization, subscription
from tests.recompute.golden import golden
from tests.recompute.retention import mart_mrr_waterfall, mart_nrr_summary, mart_revenue_cohorts
from tests.recompute.sources import Row, SourceData
from tests.recompute.test_mrr import rates

ACCOUNTS = [account(employee_count=501), account(account_id="b", plan_tier="growth"), account(account_id="c", region="APAC")]


def sources(*subscriptions: Row, as_of: datetime = datetime(2026, 7, 15, tzinfo=UTC), **tables: list[Row]) -> SourceData:
    given = {"organizations": [organization()], "accounts": ACCOUNTS, **tables}
    numbered = [{**row, "subscription_id": str(number)} for number, row in enumerate(subscriptions)]
    return SourceData.of(as_of, subscriptions=numbered, **given)


def paid(amount: str, begun: str, ended: str | None = None, by: str = "a", **given: Any) -> Row:
    return subscription(amount, begun, ended, account_id=by, **given)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_later_change_moves_no_movement_to_another_row() -> None:
    begun, changed = (datetime(2026, month, 2, tzinfo=UTC) for month in (5, 6))
    versions = [account(region="EMEA", updated_at=begun), account(region="APAC", updated_at=changed)]
    rows = mart_mrr_waterfall(sources(paid("100", "2026-05-02", "2026-06-20"), accounts=versions))
    assert [values(row, "movement", "region", "region_today") for row in rows[:2]] == [
        ("new", "EMEA", "APAC"),
        ("churn", "EMEA", "APAC"),
    ]


def test_an_account_counts_where_it_was_at_the_base() -> None:
    def versions(name: str, employees: int, region: str) -> list[Row]:
        """An account that was a small company in EMEA, and has changed on 15 January 2026."""
        before = account(organization_id="a", account_id=name, employee_count=9, updated_at=datetime(2026, 1, 1, tzinfo=UTC))
        after = {"employee_count": employees, "region": region, "updated_at": datetime(2026, 1, 15, tzinfo=UTC)}
        return [before, before | after]

    def line(name: str, amount: str, begun: str, ended: str | None, plan: str) -> Row:
        return paid(amount, begun, ended, by=name, organization_id="a", plan_tier=plan)

    rows = mart_nrr_summary(
        sources(
            *(line("moved", "100", "2025-01-02", "2026-01-02", "starter"), line("moved", "150", "2026-01-02", None, "growth")),
            *(line("stayed", "100", "2025-01-02", "2026-01-02", "starter"), line("stayed", "50", "2026-01-02", None, "starter")),
            *(line("won", "40", "2025-06-02", "2026-01-02", "growth"), line("won", "40", "2026-01-02", None, "enterprise")),
            line("moved", "7", "2026-01-02", None, "enterprise") | {"organization_id": "b"},
            as_of=datetime(2026, 2, 1, tzinfo=UTC),
            organizations=[organization(organization_id="a"), organization(organization_id="b")],
            accounts=[
                *versions("moved", 51, "APAC"),
                *versions("stayed", 9, "EMEA"),
                *versions("won", 501, "EMEA"),
                account(organization_id="b", account_id="moved", employee_count=501, region="LATAM"),
            ],
        )
    )
    key = ("organization_id", "month", "dimension", "dimension_value")
    found = {values(row, *key): row for row in rows if row["month"] in (date(2025, 1, 1), date(2026, 1, 1))}
    expected = golden("mart_nrr_summary", "an_account_counts_where_it_was_at_the_base").expected
    assert found.keys() == {values(row, *key) for row in expected}
    for row in expected:
        shown = {column: found[values(row, *key)][column] for column in row}
        assert {
            name: value if value is None or name in key else pytest.approx(float(value)) for name, value in row.items()
        } == shown


def test_the_plan_is_that_of_most_revenue_and_else_the_recorded_one() -> None:
    accounts = [account(plan_tier="enterprise"), account(account_id="b", plan_tier="growth")]
    lines = [
        paid("60", "2026-06-02", plan_tier="starter"),
        *(paid(amount, "2026-06-02", plan_tier="growth") for amount in ("50", "20")),
    ]
    lines += [paid("50", "2026-07-02", plan_tier="starter"), paid("40", "2026-07-02", plan_tier="growth")]
    given = sources(*lines, paid("5", "2026-06-02", "2026-07-02", by="b", plan_tier="starter"), accounts=accounts)
    attributes = AccountAttributes(given)
    plans = {
        place: attributes.at("t", *place)["plan_tier"]
        for place in ((name, date(2026, month, 1)) for name in "ab" for month in (6, 7))
    }
    # In July both plans of a have 110: the first by name counts. Nothing earns for b any more, so the recorded plan counts.
    assert list(plans.values()) == ["growth", "growth", "starter", "growth"]
    assert attributes.at("t", "c", date(2026, 7, 1)) == {"segment": None, "plan_tier": None, "region": None}


def test_a_version_counts_from_the_month_in_which_it_begins_and_the_first_one_before() -> None:
    moments = (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))
    regions = [account(region=region, updated_at=moment) for region, moment in zip(("A", "B", "C"), moments, strict=True)]
    attributes = AccountAttributes(sources(paid("1", "2026-05-02"), accounts=regions))
    assert [attributes.at("t", "a", date(2026, month, 1))["region"] for month in (1, 5, 6, 7)] == ["A", "A", "A", "B"]


def test_retention_uses_the_rates_of_the_base_month_and_counts_missing_rates() -> None:
    known = rates(date(2025, 6, 30), "1") + rates(date(2026, 6, 30), "2") + rates(date(2026, 6, 1), "1", "ZAR")
    rows = mart_nrr_summary(
        sources(
            paid("100", "2025-06-02", currency="USD"),
            *(paid("60", "2025-06-02", "2026-02-02", by="b", currency="ZAR"), paid("50", "2026-02-02", by="b", currency="USD")),
            paid("10", "2026-02-02", by="a", currency="ZAR"),
            fx_rates=known,
        )
    )
    june = next(row for row in rows if (row["dimension"], row["month"]) == ("total", date(2026, 6, 1)))
    assert values(june, "base_account_count", "base_mrr_amount", "retained_mrr_amount", "nrr_pct", "grr_pct") == (
        2,
        100,
        150,
        150,
        100,
    )
    assert values(june, "base_subscriptions_without_rate", "retained_subscriptions_without_rate") == (1, 1)


def test_exchange_rates_are_no_retention() -> None:
    ends = [(date(2026, 3, 31), "1"), (date(2026, 4, 30), "1.09"), (date(2026, 5, 31), "0.91"), (date(2026, 6, 30), "1.18")]
    known = [row for day, level in ends for row in rates(day, level)]
    dollars = [organization(reporting_currency="USD")]
    rows = mart_revenue_cohorts(
        sources(paid("100", "2026-03-02"), fx_rates=known, organizations=dollars, as_of=datetime(2026, 7, 1, tzinfo=UTC))
    )
    assert [row["revenue_retention_pct"] for row in rows] == [100, 100, 100, 100]
    assert [row["revenue_retention_at_month_rates_pct"] for row in rows] == [100, 109, 91, 118]
    waterfall = mart_mrr_waterfall(
        sources(paid("100", "2026-03-02"), fx_rates=known, organizations=dollars, as_of=datetime(2026, 7, 1, tzinfo=UTC))
    )
    assert [values(row, "opening_mrr_amount", "new_amount", "fx_amount", "closing_mrr_amount") for row in waterfall] == [
        *((0, 100, 0, 100), (100, 0, 9, 109), (109, 0, -18, 91), (91, 0, 27, 118)),
    ]
