"""fct_leads, and the marts over leads, on hand-worked leads."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.recompute.factory import facility, lead, organization, user
from tests.recompute.funnel import mart_cohort_retention
from tests.recompute.kpis import mart_pipeline_kpis
from tests.recompute.leads import fct_leads
from tests.recompute.pipeline import mart_weighted_pipeline_scenarios
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def sources(*leads: Row, **tables: list[Row]) -> SourceData:
    named = [{**row, "lead_id": str(number)} for number, row in enumerate(leads)]
    known = {"organizations": [organization()], "facilities": [facility()], "users": [user()]}
    return SourceData.of(AS_OF, leads=named, **known, **tables)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_nobody_knows_whether_a_lead_of_an_unknown_stage_is_open_won_or_lost() -> None:
    given = sources(
        lead("discovery", "2026-07-01", "100", sql_at="2026-07-02"), lead("Won ", "2026-07-01"), lead("sql", "2026-07-01")
    )
    row, won, _ = fct_leads(given)
    assert values(row, "stage", "is_open", "is_won", "is_lost", "win_probability", "stage_weight") == (
        *("unknown", None, None, None, None, None),
    )
    assert values(row, "reached_sql", "reached_opportunity") == (True, None)
    assert values(won, "stage", "is_won") == ("won", True)
    scenarios = {(row["stage"], row["scenario"]): row for row in mart_weighted_pipeline_scenarios(given)}
    unknown = [row for (stage, _), row in scenarios.items() if stage == "unknown"]
    assert {
        values(row, "lead_count", "counted_lead_count", "lead_amount", "pipeline_amount", "mean_amount") for row in unknown
    } == {(1, None, 100, None, None)}
    (kpis,) = mart_pipeline_kpis(given)
    assert values(kpis, "lead_count", "open_lead_count", "won_lead_count", "lost_lead_count", "unknown_stage_lead_count") == (
        *(3, 1, 1, 0, 1),
    )
    assert kpis["weighted_lead_amount"] == Decimal("107.5")
    # Nobody knows if the lead is lost, so it is retained in no month.
    assert values(mart_cohort_retention(given)[0], "lead_count", "unknown_stage_lead_count", "retained_count") == (3, 1, 2)


def test_the_exchange_rate_is_taken_on_the_day_of_creation() -> None:
    rates = [
        {"rate_date": date(2026, 9, day), "currency": "EUR", "rate_to_usd": Decimal(rate)}
        for day, rate in ((1, "1.25"), (9, "2"))
    ]
    (row,) = fct_leads(sources(lead("won", "2026-09-03", currency="USD", closed_at="2026-09-10"), fx_rates=rates))
    assert row["amount_reporting"] == 80
