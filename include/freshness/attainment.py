"""For how long a freshness SLA was met: computed from the changes of its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.freshness.evaluate import FreshnessEvent

Bounds = tuple[datetime, datetime]


def _week(at: datetime) -> Bounds:
    start = _midnight(at) - timedelta(days=at.weekday())
    return start, start + timedelta(days=7)


def _month(at: datetime) -> Bounds:
    start = _midnight(at).replace(day=1)
    return start, (start + timedelta(days=31)).replace(day=1)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


#: Period → the start of the one that contains a given time, and the start of the next.
PERIODS: dict[str, Callable[[datetime], Bounds]] = {"week": _week, "month": _month}


@dataclass(frozen=True)
class Attainment:
    """The attainment of a freshness SLA in a period, in minutes: the columns of `ops.freshness_attainment`."""

    minutes_monitored: float
    minutes_on_time: float
    breach_count: int
    longest_breach_minutes: float

    @property
    def attainment(self) -> float:
        """The share of the time in which the freshness SLA was met, 0 to 1."""
        return self.minutes_on_time / self.minutes_monitored


def attainment(events: Sequence[FreshnessEvent], start: datetime, end: datetime) -> Attainment | None:
    """The attainment of one table's freshness SLA from `start` to `end`; None if it was not monitored then.

    A breach lasts from its deadline to the publication that ended it. The time before the first event does not count.

    Args:
        events: the table's changes of state, oldest first: all from `start` on, and the last one before it.
        start, end: the period.
    """
    breaches = _breaches(events, end)
    first = min([event.measured_at for event in events[:1]] + [begun for begun, _ in breaches[:1]], default=end)
    start = max(start, first)
    if start >= end:
        return None
    inside = [(max(begun, start), min(over, end)) for begun, over in breaches]
    minutes = [(over - begun) / timedelta(minutes=1) for begun, over in inside if over > begun]
    monitored = (end - start) / timedelta(minutes=1)
    return Attainment(monitored, monitored - sum(minutes), len(minutes), max(minutes, default=0.0))


def _breaches(events: Sequence[FreshnessEvent], end: datetime) -> list[Bounds]:
    """When each breach began and ended. A breach that is still open ends at `end`."""
    found: list[Bounds] = []
    begun: datetime | None = None
    for event in events:
        if event.state == "breached":
            begun = begun or event.due_at
        elif begun is not None:
            found.append((begun, event.published_at or event.measured_at))
            begun = None
    return [*found, (begun, end)] if begun is not None else found
