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
from tests.recompute.test_mrr import GOLDEN, rates

ACCOUNTS = [account(employee_count=501), account(account_id="b", plan_tier="growth"), account(account_id="c", region="APAC")]


def sources(*subscriptions: Row, as_of: datetime = datetime(2026, 7, 15, tzinfo=UTC), **tables: list[Row]) -> SourceData:
    given = {"organizations": [organization()], "accounts": ACCOUNTS, **tables}
    numbered = [{**row, "subscription_id": str(number)} for number, row in enumerate(subscriptions)]
    return SourceData.of(as_of, subscriptions=numbered, **given)


def paid(amount: str, begun: str, ended: str | None = None, by: str = "a", **given: Any) -> Row:
    return subscription(amount, begun, ended, account_id=by, **given)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_the_waterfall_of_the_golden_account() -> None:
    rows = mart_mrr_waterfall(sources(*GOLDEN, as_of=datetime(2026, 7, 1, tzinfo=UTC)))
    expected = [
        row for row in golden("mart_mrr_waterfall", "the_golden_account_by_movement").expected if row["account_id"] == "golden"
    ]
    amounts = [column for column in expected[0] if column == "month" or column.endswith("_amount")]
    assert [values(row, *amounts) for row in rows] == [values(row, *amounts) for row in expected]
    # The plan is that of the subscriptions at the base, else that of the account.
    assert values(rows[0], "segment", "plan_tier", "owner_name") == ("enterprise", "growth", "unknown")


def test_a_later_change_moves_no_movement_to_another_row() -> None:
    begun, changed = (datetime(2026, month, 2, tzinfo=UTC) for month in (5, 6))
    versions = [account(region="EMEA", updated_at=begun), account(region="APAC", updated_at=changed)]
    rows = mart_mrr_waterfall(sources(paid("100", "2026-05-02", "2026-06-20"), accounts=versions))
    assert [values(row, "movement", "region", "region_today") for row in rows[:2]] == [
        ("new", "EMEA", "APAC"),
        ("churn", "EMEA", "APAC"),
    ]


def test_an_unknown_account_has_unknown_attributes() -> None:
    (row,) = mart_mrr_waterfall(sources(paid("5", "2026-07-01", by="stranger")))
    assert values(row, "account_key", "account_name", "segment", "region") == (None, "unknown", "unknown", "unknown")


def test_retention_follows_the_base_of_twelve_months_before() -> None:
    rows = mart_nrr_summary(
        sources(
            # Account a has grown, b left and came back smaller, c left. Account d started a month later.
            *(paid("100", "2025-06-02", "2026-02-02"), paid("150", "2026-02-02")),
            *(paid("100", "2025-06-02", "2025-09-02", by="b"), paid("40", "2026-06-02", by="b")),
            paid("100", "2025-06-02", "2026-06-20", by="c"),
            paid("70", "2025-07-02", by="d"),
        )
    )
    total = {row["month"]: row for row in rows if row["dimension"] == "total"}
    june = total[date(2026, 6, 1)]
    assert values(june, "account_count", "base_account_count", "retained_account_count") == (3, 3, 2)
    assert values(june, "base_mrr_amount", "retained_mrr_amount", "retained_base_mrr_amount") == (300, 190, 140)
    assert (june["nrr_pct"] * 3, june["grr_pct"] * 3) == (190, 140)
    # Account b left in September and came back in June with 40: 13 1/3 points of NRR.
    assert values(june, "returned_account_count", "returned_mrr_amount") == (1, 40)
    assert june["returned_mrr_pct"] * 3 == 40
    # May ended with 320. In June 100 churned, and the reactivation of 40 is no expansion.
    assert values(june, "opening_mrr_amount", "expansion_amount", "contraction_amount", "churn_amount") == (320, 0, 0, 100)
    assert june["flow_nrr_pct"] == june["flow_grr_pct"] == 68.75
    assert values(total[date(2026, 5, 1)], "base_account_count", "nrr_pct", "grr_pct", "is_complete") == (0, None, None, True)
    july = total[date(2026, 7, 1)]
    assert values(july, "base_account_count", "base_mrr_amount", "retained_mrr_amount", "is_complete") == (4, 370, 260, False)
    assert values(total[date(2025, 6, 1)], "flow_nrr_pct", "flow_grr_pct") == (None, None)


def test_dimension_values_add_up_to_the_total_and_start_with_their_first_account() -> None:
    rows = mart_nrr_summary(sources(paid("100", "2026-05-02"), paid("20", "2026-07-02", by="c")))
    june, july = date(2026, 6, 1), date(2026, 7, 1)
    attributes = {("segment", "enterprise", june, 1), ("segment", "enterprise", july, 1), ("segment", "smb", july, 1)}
    attributes |= {("plan_tier", "growth", june, 1), ("plan_tier", "growth", july, 2)}
    attributes |= {("region", "EMEA", june, 1), ("region", "EMEA", july, 1), ("region", "APAC", july, 1)}
    assert {values(row, "dimension", "dimension_value", "month", "account_count") for row in rows if row["month"].month > 5} == {
        *(("total", "total", june, 1), ("total", "total", july, 2)),
        *attributes,
        *((f"{dimension}_today", *others) for dimension, *others in attributes),
    }


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


def test_every_cohort_has_the_same_number_of_months() -> None:
    known = rates(date(2026, 4, 30), "1") + rates(date(2026, 5, 31), "1") + rates(date(2026, 6, 30), "2")
    rows = mart_revenue_cohorts(
        sources(
            *(paid("100", "2026-04-02", "2026-05-02"), paid("50", "2026-06-02")),
            paid("100", "2026-04-02", by="b", currency="USD", quantity=3),
            paid("10", "2026-06-02", by="c"),
            fx_rates=known,
        )
    )
    assert [values(row, "cohort_month", "months_since", "month", "is_complete", "cohort_account_count") for row in rows[3:6]] == [
        (date(2026, 4, 1), 3, date(2026, 7, 1), False, 2),
        (date(2026, 6, 1), 0, date(2026, 6, 1), True, 1),
        (date(2026, 6, 1), 1, date(2026, 7, 1), False, 1),
    ]
    assert len(rows) == 8
    columns = (
        *("retained_account_count", "retained_mrr_amount", "logo_retention_pct", "revenue_retention_pct"),
        "revenue_retention_at_month_rates_pct",
    )
    # 300 dollars are 300 euros at the rates of April, and 150 at those of June. An account that came back counts again.
    assert [values(row, *columns) for row in rows[:4]] == [
        (2, 400, 100, 100, 100),
        (1, 300, 50, 75, 75),
        (2, 350, 100, 87.5, 50),
        (None, None, None, None, None),
    ]


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
