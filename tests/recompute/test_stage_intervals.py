"""The stage intervals of a deal on hand-worked histories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.recompute.stage_intervals import StageInterval, stage_intervals


def day(number: int) -> datetime:
    return datetime(2026, 9, number, tzinfo=UTC)


DEAL = {"deal_id": "d", "stage": "proposal", "created_at": day(1)}


def change(identity: str, from_stage: str | None, to_stage: str, when: int) -> dict[str, Any]:
    return {"history_id": identity, "from_stage": from_stage, "to_stage": to_stage, "changed_at": day(when)}


def summary(found: list[StageInterval]) -> list[tuple[str, int, int | None, str]]:
    return [(s.stage, s.valid_from.day, s.valid_to.day if s.valid_to else None, s.movement) for s in found]


def test_a_deal_without_history_has_one_interval_from_its_creation() -> None:
    assert summary(stage_intervals(DEAL, [])) == [("proposal", 1, None, "entry")]


def test_a_first_change_with_a_from_stage_adds_the_interval_before_it() -> None:
    history = [change("a", "prospecting", "proposal", 5)]
    assert summary(stage_intervals(DEAL, history)) == [("prospecting", 1, 5, "entry"), ("proposal", 5, None, "forward")]


def test_a_first_change_without_a_from_stage_is_the_entry() -> None:
    history = [change("a", None, "prospecting", 2), change("b", "prospecting", "closed_lost", 4)]
    assert summary(stage_intervals(DEAL, history)) == [("prospecting", 2, 4, "entry"), ("closed_lost", 4, None, "lost")]


def test_a_stage_entered_again_is_a_new_interval() -> None:
    history = [
        change("a", None, "proposal", 1),
        change("b", "proposal", "qualification", 3),
        change("c", "qualification", "proposal", 8),
    ]
    assert summary(stage_intervals(DEAL, history)) == [
        ("proposal", 1, 3, "entry"),
        ("qualification", 3, 8, "backward"),
        ("proposal", 8, None, "forward"),
    ]


def test_changes_at_one_instant_are_ordered_by_history_id_and_give_an_empty_interval() -> None:
    history = [
        change("c", "proposal", "negotiation", 5),
        change("b", "qualification", "proposal", 5),
        change("a", None, "qualification", 1),
    ]
    found = stage_intervals(DEAL, history)
    assert summary(found) == [
        ("qualification", 1, 5, "entry"),
        ("proposal", 5, 5, "forward"),
        ("negotiation", 5, None, "forward"),
    ]
    assert [interval.is_instant for interval in found] == [False, True, False]


def test_a_change_to_the_current_stage_starts_no_interval() -> None:
    history = [
        change("a", "prospecting", "prospecting", 2),
        change("b", "prospecting", "proposal", 5),
        change("c", "proposal", "proposal", 7),
    ]
    assert summary(stage_intervals(DEAL, history)) == [("prospecting", 1, 5, "entry"), ("proposal", 5, None, "forward")]


def test_a_move_from_or_to_an_unknown_stage_has_no_direction() -> None:
    history = [change("a", "discovery", "demo", 2), change("b", "demo", "Closed Won", 4), change("c", "closed_won", "on ice", 6)]
    assert summary(stage_intervals(DEAL, history)) == [
        ("unknown", 1, 2, "entry"),
        ("unknown", 2, 4, "unknown"),
        ("closed_won", 4, 6, "unknown"),
        ("unknown", 6, None, "unknown"),
    ]
