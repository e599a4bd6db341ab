"""The parts of the health and risk scores, on hand-worked inputs."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.recompute import scores

F = Fraction


def test_usage_is_the_percent_rank_in_the_group() -> None:
    assert [scores.usage(events, [0, 5, 5, 9]) for events in (0, 5, 9)] == [0, F(100, 3), 100]
    assert scores.usage(7, [7]) == 50


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ((0, 0, 0, None), None),
        ((1, 0, 0, None), 90),
        ((0, 4, 1, F(5)), F(185, 2)),
        ((2, 4, 4, F(5, 2)), 35),
        ((11, 1, 1, F(1)), 0),
    ],
)
def test_support(given: tuple[int, int, int, Fraction | None], score: Fraction | None) -> None:
    assert scores.support(*given) == score


@pytest.mark.parametrize(
    ("growth", "score"), [(None, 60), (F(0), 60), (F(1, 20), 80), (F(1, 5), 100), (F(-1, 10), 30), (F(-1), 0)]
)
def test_revenue(growth: Fraction | None, score: int) -> None:
    assert scores.revenue(growth) == score


def test_engagement() -> None:
    assert [scores.engagement(0, 0), scores.engagement(2, 15), scores.engagement(5, 30)] == [0, 44, 100]


@pytest.mark.parametrize(("days", "score"), [(0, 0), (7, 0), (F(97, 2), 50), (90, 100), (400, 100)])
def test_recency(days: Fraction, score: int) -> None:
    assert scores.recency(F(days)) == score


def test_frequency_holdings_tickets_and_contraction() -> None:
    assert [scores.frequency(*events) for events in ((3, 4), (5, 4), (0, 4), (3, 0), (0, 0))] == [25, 0, 100, 0, None]
    assert [scores.holdings(products) for products in range(5)] == [100, 100, 50, 0, 0]
    assert [scores.tickets(*counts) for counts in ((0, 0), (1, 1), (3, 2))] == [0, 50, 100]
    assert [scores.contraction(F(growth, 100)) for growth in (20, 0, -25, -90)] == [0, 0, 50, 100]


def test_unknown_parts_are_left_out() -> None:
    parts = {"usage": F(50), "support": None, "revenue": F(60), "engagement": F(80)}
    contributions = scores.weighted(parts, scores.HEALTH_WEIGHTS)
    assert scores.covered(parts, scores.HEALTH_WEIGHTS) == 80
    assert contributions == {"usage": F(75, 4), "support": None, "revenue": F(75, 4), "engagement": 25}


def test_a_tier_includes_its_lower_bound() -> None:
    tiers = [scores.health_tier(F(score)) for score in (80, 60, 40, 20, 19)]
    assert tiers == ["champion", "healthy", "neutral", "at_risk", "critical"]
