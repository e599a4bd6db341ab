"""fct_leads, and the marts over leads, on hand-worked leads."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.recompute.factory import facility, lead, organization, user
from tests.recompute.funnel import mart_cohort_retention, mart_conversion_funnel
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


def test_a_later_stage_implies_the_earlier_ones_and_a_lost_lead_keeps_its_stages() -> None:
    rows = fct_leads(
        sources(
            lead("opportunity", "2026-01-01", opportunity_at="2026-01-05"),
            lead("won", "2026-01-01", closed_at="2026-01-09"),
            lead("lost", "2026-01-01", sql_at="2026-01-03", closed_at="2026-01-09"),
            lead("lead", "2026-01-01"),
        )
    )
    assert [values(row, "reached_sql", "reached_opportunity", "reached_won") for row in rows] == [
        (True, True, False),
        (True, True, True),
        (True, False, False),
        (False, False, False),
    ]


def test_timestamps_from_as_of_on_are_null() -> None:
    (row,) = fct_leads(sources(lead("sql", "2026-09-14", sql_at="2026-09-15")))
    assert values(row, "sql_at", "reached_sql") == (None, False)


def test_missing_facilities_and_reps_are_unknown() -> None:
    (row,) = fct_leads(sources(lead("lead", "2026-09-01", facility_id="gone", rep_user_id=None)))
    assert values(row, "facility_id", "facility_key") == ("unknown", "t|unknown")
    assert values(row, "rep_user_id", "rep_user_key") == ("unknown", "t|unknown")


def test_each_scenario_applies_its_own_factors() -> None:
    leads = [lead("sql", "2026-09-01", "400"), lead("sql", "2026-09-02", "400", currency="XXX")]
    rows = {row["scenario"]: row for row in mart_weighted_pipeline_scenarios(sources(*leads))}
    # 400 × 0.30 × 0.25, then 400 × 0.30, then 400. The committed scenario leaves open leads out.
    assert {name: row["pipeline_amount"] for name, row in rows.items()} == {
        "weighted": 30,
        "probability_only": 120,
        "unweighted": 400,
        "committed": 0,
    }
    assert values(rows["weighted"], "lead_count", "counted_lead_count", "leads_without_rate", "lead_amount") == (2, 2, 1, 400)
    assert values(rows["committed"], "counted_lead_count", "mean_amount") == (0, None)
    assert rows["weighted"]["mean_amount"] == 400


def test_a_won_lead_counts_fully_and_a_lost_one_not_in_every_scenario() -> None:
    rows = mart_weighted_pipeline_scenarios(sources(lead("won", "2026-09-01"), lead("lost", "2026-09-01")))
    assert {(row["stage"], row["pipeline_amount"]) for row in rows} == {("won", 100), ("lost", 0)}


def test_an_unknown_stage_is_neither_open_won_nor_lost() -> None:
    given = sources(
        lead("discovery", "2026-07-01", "100", sql_at="2026-07-02"), lead("Won ", "2026-07-01"), lead("sql", "2026-07-01")
    )
    row, won, _ = fct_leads(given)
    assert values(row, "stage", "is_open", "is_won", "is_lost", "win_probability", "stage_weight") == (
        *("unknown", False, False, False, None, None),
    )
    assert values(row, "reached_sql", "reached_opportunity") == (True, False)
    assert values(won, "stage", "is_won") == ("won", True)
    scenarios = {(row["stage"], row["scenario"]): row for row in mart_weighted_pipeline_scenarios(given)}
    unknown = [row for (stage, _), row in scenarios.items() if stage == "unknown"]
    assert {
        values(row, "lead_count", "counted_lead_count", "lead_amount", "pipeline_amount", "mean_amount") for row in unknown
    } == {(1, 0, 100, 0, None)}
    (kpis,) = mart_pipeline_kpis(given)
    assert values(kpis, "lead_count", "open_lead_count", "won_lead_count", "lost_lead_count", "unknown_stage_lead_count") == (
        *(3, 1, 1, 0, 1),
    )
    assert kpis["weighted_lead_amount"] == Decimal("107.5")
    # Nobody knows if the lead is lost, so it is retained in no month.
    assert values(mart_cohort_retention(given)[0], "lead_count", "unknown_stage_lead_count", "retained_count") == (3, 1, 2)


def test_the_funnel_counts_each_stage_and_the_next() -> None:
    leads = [
        lead("lead", "2026-08-01"),
        lead("lost", "2026-08-02", closed_at="2026-08-09"),
        lead("lost", "2026-08-03", sql_at="2026-08-09"),
        lead("won", "2026-08-31", closed_at="2026-09-09"),
    ]
    rows = {row["stage"]: row for row in mart_conversion_funnel(sources(*leads))}
    columns = ("reached_count", "next_reached_count", "lost_count", "conversion_to_next_pct", "conversion_from_lead_pct")
    assert [values(rows[stage], *columns) for stage in ("lead", "sql", "opportunity", "won")] == [
        (4, 2, 1, 50, 100),
        (2, 1, 1, 50, 50),
        (1, 1, 0, 100, 25),
        (1, None, 0, None, 25),
    ]


def test_a_cohort_is_measured_at_the_end_of_each_month() -> None:
    leads = [
        lead("lost", "2026-07-02", closed_at="2026-08-01"),
        lead("lost", "2026-07-02", opportunity_at="2026-07-09", closed_at="2026-07-31T23:59:59"),
        lead("won", "2026-07-02", closed_at="2026-08-31"),
        lead("lost", "2026-07-02"),
    ]
    rows = mart_cohort_retention(sources(*leads))
    assert [values(row, "month", "retained_count", "progressed_count", "retention_pct") for row in rows] == [
        (date(2026, 7, 1), 2, 1, 50),
        (date(2026, 8, 1), 1, 2, 25),
        (date(2026, 9, 1), None, None, None),
    ]
    assert rows[0]["undated_loss_count"] == 1


def test_the_exchange_rate_is_taken_on_the_day_of_creation() -> None:
    rates = [
        {"rate_date": date(2026, 9, day), "currency": "EUR", "rate_to_usd": Decimal(rate)}
        for day, rate in ((1, "1.25"), (9, "2"))
    ]
    (row,) = fct_leads(sources(lead("won", "2026-09-03", currency="USD", closed_at="2026-09-10"), fx_rates=rates))
    assert row["amount_reporting"] == 80
