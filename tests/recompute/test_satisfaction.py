"""mart_satisfaction_rollups on hand-worked survey responses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.recompute.factory import at, facility, organization, survey
from tests.recompute.satisfaction import mart_satisfaction_rollups
from tests.recompute.sources import Row, SourceData

JULY, AUGUST, SEPTEMBER = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)


def rollups(*surveys: tuple[str, int, str, str | None], **given: Any) -> list[Row]:
    """The rows for surveys, each given by its type, its score, and the times of sending and answering."""
    sent = [
        survey(kind, score, answered_at, response_id=str(number), sent_at=at(sent_at), **given)
        for number, (kind, score, sent_at, answered_at) in enumerate(surveys)
    ]
    as_of = datetime(2026, 9, 15, tzinfo=UTC)
    return mart_satisfaction_rollups(
        SourceData.of(as_of, organizations=[organization()], facilities=[facility()], survey_responses=sent)
    )


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_score_counts_in_the_month_of_its_answer_and_the_response_rate_in_the_month_of_sending() -> None:
    july, august, september = rollups(
        ("csat", 5, "2026-07-30", "2026-07-31T23:59"),
        ("csat", 2, "2026-07-30", "2026-08-01"),
        ("csat", 1, "2026-07-31", None),
        ("csat", 3, "2026-07-31", "2026-09-20"),
    )
    assert values(july, "month", "sent_count", "answered_count", "response_rate_pct", "response_count") == (JULY, 4, 2, 50, 1)
    assert values(july, "satisfied_pct", "satisfied_pct_change", "mean_csat_score", "nps") == (100, None, 5, None)
    assert values(august, "month", "sent_count", "response_rate_pct", "response_rate_change") == (AUGUST, 0, None, None)
    assert values(august, "satisfied_pct", "satisfied_pct_change", "dissatisfied_pct", "mean_csat_score") == (0, -100, 100, 2)
    assert values(september, "month", "is_complete", "response_count", "satisfied_pct", "satisfied_pct_change") == (
        SEPTEMBER,
        False,
        0,
        None,
        None,
    )


def test_nps_is_computed_from_counts() -> None:
    scores = [("nps", score, "2026-08-01", "2026-08-02") for score in (10, 9, 8, 6, 0)]
    later = [("nps", score, "2026-09-01", "2026-09-02") for score in (9, 7)]
    august, september = rollups(*scores, *later)
    assert values(august, "promoter_count", "passive_count", "detractor_count", "promoter_pct", "detractor_pct") == (
        2,
        1,
        2,
        40,
        40,
    )
    assert values(august, "nps", "nps_change", "satisfied_pct", "mean_csat_score", "dissatisfied_pct") == (
        0,
        None,
        None,
        None,
        None,
    )
    assert values(september, "nps", "nps_change", "response_rate_pct", "response_rate_change") == (50, 50, 100, 0)


def test_a_score_outside_its_scale_is_in_no_rate() -> None:
    (row,) = rollups(("csat", 9, "2026-09-01", "2026-09-02"), ("csat", 4, "2026-09-01", "2026-09-02"), facility_id="gone")
    assert values(row, "facility_id", "facility_name", "answered_count", "response_count") == ("unknown", "Unknown", 2, 1)
    assert values(row, "unscored_response_count", "satisfied_pct") == (1, 100)


def test_a_survey_sent_after_as_of_is_left_out() -> None:
    assert rollups(("csat", 4, "2026-09-20", None)) == []
