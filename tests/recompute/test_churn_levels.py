"""The levels of the churn risk, on hand-worked scores and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.recompute import churn_levels
from tests.recompute.churn_levels import Outcome, is_settled, outcomes, with_levels
from tests.recompute.factory import account, organization, subscription
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def scored(*scores: float, basis: Row | None = None) -> list[Row]:
    known = {"organization_id": "t", "is_paying": True, "data_coverage": 100, "lifecycle_stage": "active"}
    action = {"recommended_action": "call", "action_reason": "why"}
    return [{**known, **action, "churn_risk_score": score, **(basis or {})} for score in scores]


def levels(rows: Sequence[Row]) -> list[str | None]:
    return [row["churn_risk_level"] for row in rows]


def test_a_level_never_has_more_accounts_than_its_share() -> None:
    ranked = with_levels(scored(*range(100, 0, -1)), {})
    assert levels(ranked) == ["critical"] * 2 + ["high"] * 8 + ["medium"] * 15 + ["low"] * 25 + ["active"] * 50
    assert [row["lifecycle_stage"] for row in ranked[9:11]] == ["at_risk", "active"]
    assert levels(with_levels(scored(*range(49, 0, -1)), {})).count("critical") == 0
    # Three share the second place of 50, so each has the fourth.
    assert levels(with_levels(scored(60, 50, 50, 50, *[0] * 46), {}))[:5] == ["critical", "high", "high", "high", "active"]
    assert levels(with_levels(scored(*[70] * 20), {})) == ["active"] * 20


def test_without_revenue_or_data_there_is_no_level_and_no_place() -> None:
    left, little = scored(99, basis={"is_paying": False}), scored(98, basis={"data_coverage": 49})
    rows = with_levels([*left, *little, *scored(*range(50, 0, -1))], {})
    assert [(row["risk_level_basis"], row["churn_risk_level"]) for row in rows[:3]] == [
        ("without_mrr", None),
        ("too_little_data", None),
        ("ranked", "critical"),
    ]
    assert [row["recommended_action"] for row in rows[:3]] == [None, None, "call"]


def past(*groups: tuple[float, int, int]) -> dict[str, list[Outcome]]:
    """Outcomes from (score, accounts that left, accounts that stayed)."""
    return {
        "t": [
            Outcome(f"{score}/{number}", {"churn_risk_score": score}, number < left)
            for score, left, stayed in groups
            for number in range(left + stayed)
        ]
    }


def test_a_calibrated_level_begins_where_enough_accounts_left() -> None:
    # From 90 on 20 of 20 left, which is too few accounts. From 80 on 40 of 100, from 70 on 60 of 300, from 60 on 90 of 900, from 50 on 5 %.
    history = past((90, 20, 0), (80, 20, 60), (70, 20, 180), (60, 30, 570), (50, 10, 1090), (40, 0, 1))
    now = with_levels(scored(100, 80, 79, 70, 69, 60, 59, 50, 49), history)
    assert levels(now) == ["critical", "critical", "high", "high", "medium", "medium", "low", "low", "active"]
    assert {row["risk_level_basis"] for row in now} == {"calibrated"}
    assert now[-1]["recommended_action"] is None
    # 99 leavers are too few.
    assert with_levels(scored(1), past((90, 99, 1)))[0]["risk_level_basis"] == "ranked"


def test_the_last_score_of_a_month_counts_and_three_months_follow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [is_settled(datetime(2026, month, 1, tzinfo=UTC), AS_OF) for month in (6, 7)] == [True, False]
    assert is_settled(datetime(2026, 5, 31, tzinfo=UTC), AS_OF)
    paid = [
        subscription("1", "2026-01-01", "2026-08-20"),
        subscription("1", "2026-01-01", "2026-09-03", account_id="b", subscription_id="b"),
    ]
    accounts = [account(), account(account_id="b"), account(account_id="child", parent_account_id="a")]
    sources = SourceData.of(AS_OF, organizations=[organization()], accounts=accounts, subscriptions=paid)
    kept = [
        {
            "organization_id": "t",
            "account_id": name,
            "scored_at": datetime(2026, 5, day, tzinfo=UTC),
            "data_coverage": data,
            "churn_risk_score": day,
        }
        for name, day, data in (("a", 2, 100), ("a", 9, 49), ("b", 3, 100), ("b", 2, 100), ("child", 4, 50), ("deleted", 5, 100))
    ]
    found = [(one.account, one.score["churn_risk_score"], one.has_left) for one in outcomes(sources, kept)["t"]]
    # a left in August, the third month after May; b in September, the fourth.
    assert sorted(found) == [("a", 2, True), ("a", 4, True), ("b", 3, False)]
    monkeypatch.setattr(churn_levels, "LEAST_LEAVERS", 2)
    # The leaver has two scores, and is one account.
    assert with_levels(scored(1), outcomes(sources, kept))[0]["risk_level_basis"] == "ranked"
