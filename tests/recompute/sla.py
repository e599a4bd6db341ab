"""Promises of support: the policy and the priority in force, and whether a clock kept its target."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from fractions import Fraction

from tests.recompute.world import Row

# First response and resolution targets in minutes where an organization has no policy (the calendar clock).
DEFAULT_TARGETS = {"critical": (60, 240), "high": (120, 1440), "medium": (240, 4320), "low": (480, 7200)}

RESOLVED = {"resolved", "closed"}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Policy:
    """The targets in minutes for one priority, the clock that decides, and their source (policy, default)."""

    response: int
    resolution: int
    clock: str
    source: str

    def minutes(self, promise: str) -> int:
        """The target of a promise: `response` or `resolution`."""
        return self.response if promise == "response" else self.resolution


def policy(rows: Sequence[Row], priority: str, created_at: datetime) -> Policy | None:
    """The policy for a priority in force when the ticket was created; `rows` are those of its organization.

    None for an unknown priority.
    """
    in_force = [
        row for row in rows if row["priority"] == priority and datetime.combine(row["valid_from"], time.min, UTC) <= created_at
    ]
    if in_force:
        latest = max(in_force, key=lambda row: row["valid_from"])
        return Policy(latest["first_response_minutes"], latest["resolution_minutes"], latest["clock"], "policy")
    if priority in DEFAULT_TARGETS:
        return Policy(*DEFAULT_TARGETS[priority], "calendar", "default")
    return None


def priority_at(ticket: Row, changes: Sequence[Row], moment: datetime) -> str:
    """The ticket's priority in force at an instant; `changes` are its own, by (changed_at, change_id)."""
    before = bisect_right(changes, moment, key=lambda row: row["changed_at"])
    if before:
        return changes[before - 1]["to_priority"] or UNKNOWN
    if changes and changes[0]["from_priority"] is not None:
        return str(changes[0]["from_priority"])
    return ticket["priority"] or UNKNOWN


def state(minutes: Fraction | None, target: int | None, is_over: bool) -> str:
    """Whether a promise is met, breached, pending or unknown.

    Args:
        minutes: on the deciding clock, to the event or, while it has not come, to as_of; None if unknown.
        target: in minutes; None if there is none.
        is_over: whether the event has come.
    """
    if minutes is None or target is None:
        return UNKNOWN
    if minutes > target:
        return "breached"
    return "met" if is_over else "pending"
