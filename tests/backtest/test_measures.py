"""The measures of the back-test, compared with numbers computed by hand."""

from __future__ import annotations

import pytest

from tests.backtest.measures import Outcome, found, gains, precision, separation, wilson
from tests.backtest.page import document
from tests.backtest.picture import picture
from tests.backtest.study import Account, Study, pooled


def outcomes(*scored: tuple[float, bool]) -> list[Outcome]:
    return [Outcome(score, left) for score, left in scored]


TWENTY = outcomes((90, True), (80, False), *[(70.0 - n, n in (3, 9)) for n in range(18)])


def test_precision_lift_and_recall_of_the_top_decile() -> None:
    top = precision(TWENTY)
    assert (top.called, top.hits, top.pct) == (2, 1, 50)
    assert (top.base_pct, top.leavers) == (15, 3)
    assert top.lift == pytest.approx(10 / 3)
    assert top.recall_pct == pytest.approx(100 / 3)


def test_the_number_of_calls_is_rounded_up() -> None:
    assert precision(TWENTY[:11]).called == 2
    assert precision(TWENTY[:10]).called == 1
    assert precision(TWENTY[:3]).called == 1


def test_equal_scores_share_the_last_places() -> None:
    tied = outcomes((9, True), (5, True), (5, False), (5, False), (5, True), (1, True))
    assert found(tied, 1) == 1
    assert found(tied, 2) == 1.5
    assert found(tied, 3) == 2
    assert found(tied, 6) == 4
    assert found(list(reversed(tied)), 2) == 1.5, "the order of the rows does not matter"


def test_without_leavers_there_is_no_lift() -> None:
    quiet = precision(outcomes((2, False), (1, False)))
    assert (quiet.pct, quiet.lift, quiet.recall_pct) == (0, None, None)
    assert separation(outcomes((2, False), (1, False))) is None
    assert separation(outcomes((2, True))) is None


def test_separation_is_the_share_of_pairs_in_the_right_order() -> None:
    assert separation(outcomes((3, True), (2, True), (1, False))) == 1
    assert separation(outcomes((1, True), (2, False))) == 0
    assert separation(outcomes((3, True), (1, True), (2, False), (1, False))) == pytest.approx((1 + 1 + 0 + 0.5) / 4)


def test_gains_begin_at_zero_and_end_at_one() -> None:
    curve = gains(TWENTY, steps=10)
    assert curve[0] == (0, 0)
    assert curve[1] == (0.1, pytest.approx(1 / 3))
    assert curve[-1] == (1, 1)


def test_an_interval_is_wide_for_few_accounts() -> None:
    assert wilson(5, 10) == (pytest.approx(23.66, abs=0.01), pytest.approx(76.34, abs=0.01))
    low, high = wilson(500, 1000)
    assert (low, high) == (pytest.approx(46.91, abs=0.01), pytest.approx(53.09, abs=0.01))
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(100)


WEIGHTS = {"recency": 60.0, "tickets": 40.0}


def account(
    level: str | None, score: float, days: float | None, left_after: int | None, tickets: float = 0, contact: float | None = None
) -> Account:
    """An account whose recency part is its score."""
    return Account(level, score, days, left_after, {"recency": score, "tickets": tickets}, {"days_since_contact": contact})


def study(*accounts: Account) -> Study:
    return Study("2026-04-01", "2026-10-01", ("demo company, scale 0.05, seed 1",), WEIGHTS, tuple(accounts))


FOUR = study(
    account("critical", 85.0, 60, 1, tickets=20, contact=90),
    account("high", 65.0, 10, 5, tickets=100, contact=10),
    account("active", 10.0, 95, None, tickets=50),
    account(None, 5.0, None, None),
)


def test_the_accounts_that_left_within_a_horizon() -> None:
    assert [outcome.left for outcome in FOUR.outcomes(3)] == [True, False, False, False]
    assert [outcome.left for outcome in FOUR.outcomes(6)] == [True, True, False, False]


def test_an_account_without_a_value_comes_last() -> None:
    assert [outcome.score for outcome in FOUR.baseline(6)] == [60, 10, 95, -1]
    assert [outcome.score for outcome in FOUR.other(6, "days_since_contact")] == [90, 10, -1, -1]


def test_a_part_alone_and_the_score_without_it() -> None:
    assert [outcome.score for outcome in FOUR.part(3, "tickets")] == [20, 100, 50, 0]
    assert [outcome.score for outcome in FOUR.without(3, "tickets")] == [85, 65, 10, 5]
    partly = Account("low", 50.0, 1, None, {"recency": None, "tickets": 30, "revenue": 70}, {})
    three = Study("", "", ("",), {"recency": 50, "tickets": 10, "revenue": 30}, (partly,))
    # (10 × 30 + 30 × 70) ÷ 40
    assert [outcome.score for outcome in three.without(3, "recency")] == [60]
    only = Account("low", 50.0, 1, None, {"recency": 50, "tickets": None}, {})
    assert [outcome.score for outcome in study(only).without(3, "recency")] == [-1]


def test_the_document_has_a_sentence_for_every_result() -> None:
    page = document(FOUR)
    assert "| churn score | 6 months | 1 | 1.0 | 100 % (21–100) | 50 % | 2.0 | 50 % | 1.00 |" in page
    assert "| recency only | 6 months | 1 | 0.0 | 0 % (0–79) | 50 % | 0.0 | 0 % |" in page
    assert "| critical | 1 | 85 | 1 | 1 | 100 % (21–100) |" in page
    assert "| unknown | 1 | 5 | 0 | 0 | 0 % (0–79) |" in page
    assert "found more" in page
    assert "No account had the level low or medium. The score" in page
    worse = study(*(account("active", 5.0, 95 - n, 1 if n == 0 else None) for n in range(9)), account("high", 65.0, 1, None))
    assert "found fewer" in document(worse)
    same = study(account("high", 65.0, 90, 1), account("active", 5.0, 1, None))
    assert "found as many" in document(same)
    quiet = study(account("active", 5.0, 95, None), account("active", 6.0, 5, None))
    assert "No account left" in document(quiet)
    assert "| 3 months | 0 | 0 | – | – | – | – |" in document(quiet)


def test_companies_are_pooled() -> None:
    other = Study("2026-04-01", "2026-10-01", ("demo company, scale 0.05, seed 2",), WEIGHTS, (account("high", 70.0, 5, 2),))
    both = pooled([FOUR, other])
    assert [outcome.left for outcome in both.outcomes(3)] == [True, False, False, False, True]
    page = document(both)
    assert "- demo company, scale 0.05, seed 1\n- demo company, scale 0.05, seed 2\n" in page
    assert "scores all 5 accounts" in page
    assert "| high | 2 | 68 | 1 | 2 | 100 % (34–100) |" in page


def test_the_document_shows_the_alarm_and_what_each_part_adds() -> None:
    page = document(FOUR)
    assert "| 3 months | 2 | 1 | 50 % (9–91) | 25 % | 2.0 | 100 % |" in page
    assert "| 6 months | 2 | 2 | 100 % (34–100) | 50 % | 2.0 | 100 % |" in page
    # Within three months only the first left. By tickets it is above one of three: 0.33.
    assert "| tickets | 40 % | 0.33 | 1.00 | +0.00 | 1.0 |" in page
    assert "| recency | 60 % | 1.00 | 0.33 | +0.67 | 0.0 |" in page
    assert "| days_since_contact | 2 | 1.00 |" in page
    assert "Few accounts left (1), so these figures say little." in page
    many = study(*(account("high", 50.0 + n, n, 1) for n in range(20)), account("active", 5.0, 1, None))
    assert "say little" not in document(many)


def test_the_picture_has_both_curves_and_every_level() -> None:
    from xml.etree import ElementTree

    drawn = picture(FOUR)
    root = ElementTree.fromstring(drawn)
    lines = [element.get("class") for element in root.iter("{http://www.w3.org/2000/svg}polyline")]
    assert lines == ["chance", "recency", "score"]
    words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"critical", "high", "active"} <= words
