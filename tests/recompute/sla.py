"""Ticket SLAs: the policy and the priority in force, and whether a target is met."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from tests.recompute.seeds import known_as
from tests.recompute.sources import Row

# Targets in minutes for first response and resolution. They apply on the calendar clock if an organization has no policy.
DEFAULT_TARGETS = {"critical": (60, 240), "high": (120, 1440), "medium": (240, 4320), "low": (480, 7200)}

OPEN = {"open", "pending", "on_hold", "escalated"}
CLOCKS = {"calendar", "business"}
RESOLVED = {"resolved", "closed", "merged"}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Policy:
    """The targets in minutes for one priority, the clock they are measured on (calendar, business, unknown), and their source (policy, default)."""

    response: int | None
    resolution: int | None
    clock: str
    source: str

    def minutes(self, sla: str) -> int | None:
        """The target of an SLA: `response` or `resolution`. None if the policy has none."""
        return self.response if sla == "response" else self.resolution


def policy(rows: Sequence[Row], priority: str, day: date) -> Policy | None:
    """The policy for a priority, in force on the local day on which the ticket was created. `rows` are the policies of its organization.

    Without a policy the default targets apply. The result is None for an unknown priority.
    """
    in_force = [
        row for row in rows if known_as(row["priority"], "ticket_priority_synonyms") == priority and row["valid_from"] <= day
    ]
    if in_force:
        latest = max(in_force, key=lambda row: row["valid_from"])
        clock = known_as(latest["clock"], "sla_clock_synonyms")
        return Policy(
            latest["first_response_minutes"], latest["resolution_minutes"], clock if clock in CLOCKS else UNKNOWN, "policy"
        )
    if priority in DEFAULT_TARGETS:
        return Policy(*DEFAULT_TARGETS[priority], "calendar", "default")
    return None


def own_priorities(policies: Sequence[Row]) -> set[str]:
    """The priorities that the SLA policies of an organization name."""
    named = {known_as(row["priority"], "ticket_priority_synonyms") for row in policies}
    return {word for word in named if word is not None}


def priority_at(ticket: Row, changes: Sequence[Row], moment: datetime, own: Collection[str] = ()) -> str:
    """The priority of a ticket at an instant. `changes` are its priority changes, sorted by (changed_at, change_id).

    A word that is neither a priority of the platform, nor a synonym of one, nor one of the organization's `own`, is `unknown`.
    """
    before = bisect_right(changes, moment, key=lambda row: row["changed_at"])
    if before:
        word = changes[before - 1]["to_priority"]
    elif changes and changes[0]["from_priority"] is not None:
        word = changes[0]["from_priority"]
    else:
        word = ticket["priority"]
    found = known_as(word, "ticket_priority_synonyms")
    return found if found is not None and (found in DEFAULT_TARGETS or found in own) else UNKNOWN


def state(minutes: Fraction | None, target: int | None, is_over: bool) -> str:
    """The state of an SLA: met, breached, pending or unknown.

    Args:
        minutes: the minutes on the SLA's clock up to the event, or up to as_of if it has not happened. None if unknown.
        target: the target in minutes; None without a target.
        is_over: whether the event has happened.
    """
    if minutes is None or target is None:
        return UNKNOWN
    if minutes > target:
        return "breached"
    return "met" if is_over else "pending"
