"""SLA policies, priorities and states on hand-worked tickets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from tests.recompute.sla import Policy, own_priorities, policy, priority_at, state


def hour(number: int) -> datetime:
    return datetime(2026, 9, 21, number, tzinfo=UTC)


def row(valid_from: date, response: int) -> dict[str, Any]:
    return {
        "priority": "high",
        "first_response_minutes": response,
        "resolution_minutes": 600,
        "clock": "business",
        "valid_from": valid_from,
    }


POLICIES = [row(date(2026, 1, 1), 90), row(date(2026, 9, 22), 30)]


def test_the_policy_in_force_at_ticket_creation_applies() -> None:
    assert policy(POLICIES, "high", date(2026, 9, 21)) == Policy(90, 600, "business", "policy")
    assert policy(POLICIES, "high", date(2026, 9, 22)) == Policy(30, 600, "business", "policy")


@pytest.mark.parametrize(
    ("priority", "targets"),
    [("critical", (60, 240)), ("high", (120, 1440)), ("medium", (240, 4320)), ("low", (480, 7200))],
)
def test_without_a_policy_the_default_targets_apply_on_the_calendar_clock(priority: str, targets: tuple[int, int]) -> None:
    assert policy([], priority, date(2026, 9, 21)) == Policy(*targets, "calendar", "default")
    assert policy(POLICIES, "high", date(2025, 12, 31)) == Policy(120, 1440, "calendar", "default")


def test_the_priority_in_force_at_the_event_applies() -> None:
    ticket = {"priority": "critical"}
    changes = [
        {"from_priority": "low", "to_priority": "high", "changed_at": hour(10)},
        {"from_priority": "high", "to_priority": "critical", "changed_at": hour(12)},
    ]
    assert [priority_at(ticket, changes, hour(h)) for h in (9, 10, 11, 12)] == [
        "low",
        "high",
        "high",
        "critical",
    ]
    assert priority_at(ticket, [], hour(9)) == "critical"


def test_a_priority_that_a_policy_names_is_known() -> None:
    own = own_priorities([{"priority": "P-1"}, {"priority": "Urgent"}])
    assert own == {"p_1", "critical"}
    assert [priority_at({"priority": word}, [], hour(9), own) for word in ("p-1", "P-2", "low")] == ["p_1", "unknown", "low"]


@pytest.mark.parametrize(
    ("minutes", "is_over", "expected"),
    [
        (Fraction(60), True, "met"),
        (Fraction(3601, 60), True, "breached"),
        (Fraction(60), False, "pending"),
        (Fraction(3601, 60), False, "breached"),
        (None, True, "unknown"),
    ],
)
def test_state(minutes: Fraction | None, is_over: bool, expected: str) -> None:
    assert state(minutes, 60, is_over) == expected


def test_an_unknown_priority_has_no_policy_and_an_unknown_state() -> None:
    assert priority_at({"priority": None}, [], hour(9)) == "unknown"
    assert policy(POLICIES, "unknown", hour(9)) is None
    assert state(Fraction(1), None, True) == "unknown"
