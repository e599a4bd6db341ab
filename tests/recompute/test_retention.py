"""mart_mrr_waterfall, mart_nrr_summary and mart_revenue_cohorts on hand-worked subscriptions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

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
    assert values(rows[0], "segment", "plan_tier", "owner_name") == ("enterprise", "unknown", "unknown")


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
    assert {values(row, "dimension", "dimension_value", "month", "account_count") for row in rows if row["month"].month > 5} == {
        *(("total", "total", date(2026, 6, 1), 1), ("total", "total", date(2026, 7, 1), 2)),
        *(("segment", "enterprise", date(2026, 6, 1), 1), ("segment", "enterprise", date(2026, 7, 1), 1)),
        ("segment", "smb", date(2026, 7, 1), 1),
        *(("plan_tier", "unknown", date(2026, 6, 1), 1), ("plan_tier", "unknown", date(2026, 7, 1), 2)),
        *(("region", "EMEA", date(2026, 6, 1), 1), ("region", "EMEA", date(2026, 7, 1), 1)),
        ("region", "APAC", date(2026, 7, 1), 1),
    }


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
