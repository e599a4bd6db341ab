"""fct_deals and mart_sales_forecast on hand-worked deals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.recompute.deals import fct_deals
from tests.recompute.factory import account, deal, facility, organization, user
from tests.recompute.pipeline import mart_sales_forecast
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def sources(*deals: Row) -> SourceData:
    named = [{**row, "deal_id": str(number)} for number, row in enumerate(deals)]
    known = {"organizations": [organization()], "accounts": [account()], "facilities": [facility()], "users": [user()]}
    return SourceData.of(AS_OF, deals=named, **known)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_won_deal_counts_fully_a_lost_one_not_and_an_open_one_by_probability() -> None:
    rows = fct_deals(sources(deal("closed_won", "2026-09-01"), deal("closed_lost", "2026-09-01"), deal("proposal", "2026-09-01")))
    assert [row["weighted_amount"] for row in rows] == [100, 0, 50]


def test_a_stage_is_known_in_any_case_and_by_its_synonyms() -> None:
    rows = fct_deals(
        sources(*(deal(stage, "2026-09-01") for stage in ("Closed Won", "closedlost", "Negotiation/Review", "discovery")))
    )
    assert [values(row, "stage", "is_open", "is_closed", "is_won", "weighted_amount") for row in rows] == [
        ("closed_won", False, True, True, 100),
        ("closed_lost", False, True, False, 0),
        ("negotiation", True, False, False, 50),
        ("unknown", False, False, False, None),
    ]


def test_days_run_to_the_close_or_to_as_of() -> None:
    rows = fct_deals(
        sources(
            deal("closed_won", "2026-09-01", closed_at="2026-09-03T12:00"),
            deal("proposal", "2026-09-01", closed_at="2026-09-03"),
            deal("closed_lost", "2026-09-01"),
        )
    )
    assert [values(row, "days_in_pipeline", "sales_cycle_days", "closed_date") for row in rows] == [
        (2.5, 2.5, date(2026, 9, 3)),
        (14, None, None),
        (None, None, None),
    ]


def test_an_open_deal_is_overdue_after_its_expected_close() -> None:
    rows = fct_deals(
        sources(
            deal("proposal", "2026-09-01", expected_close_date=date(2026, 9, 14)),
            deal("proposal", "2026-09-01", expected_close_date=date(2026, 9, 15)),
            deal("closed_won", "2026-09-01", expected_close_date=date(2026, 9, 14)),
        )
    )
    assert [row["is_overdue"] for row in rows] == [True, False, False]


def test_the_forecast_is_grouped_by_the_week_of_expected_close() -> None:
    sunday, monday = date(2026, 9, 13), date(2026, 9, 14)
    deals = [
        deal("proposal", "2026-09-01", "100", expected_close_date=sunday),
        deal("proposal", "2026-09-01", "300", expected_close_date=sunday, probability_pct=25),
        deal("closed_won", "2026-09-01", "100", expected_close_date=monday),
        deal("proposal", "2026-09-01", "100"),
    ]
    rows = {(row["expected_close_week"], row["scenario"]): row for row in mart_sales_forecast(sources(*deals))}
    weighted = rows[date(2026, 9, 7), "weighted"]
    # The forecast is 100 × 0.5 + 300 × 0.25. The mean weighs 100 and 300 at 2 to 1.
    assert values(weighted, "forecast_amount", "deal_amount", "is_complete", "overdue_deal_count") == (125, 400, True, 2)
    assert float(weighted["mean_amount"]) == 500 / 3
    assert values(rows[date(2026, 9, 7), "unweighted"], "forecast_amount", "mean_amount") == (400, 200)
    assert values(rows[date(2026, 9, 7), "committed"], "counted_deal_count", "forecast_amount", "mean_amount") == (0, 0, None)
    assert values(rows[monday, "committed"], "forecast_amount", "is_complete") == (100, False)
    assert values(rows[None, "weighted"], "forecast_amount", "is_complete") == (50, False)
