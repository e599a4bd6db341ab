"""For how long a promise was kept: worked out from the changes of its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.freshness.evaluate import SlaEvent

Bounds = tuple[datetime, datetime]


def _week(at: datetime) -> Bounds:
    start = _midnight(at) - timedelta(days=at.weekday())
    return start, start + timedelta(days=7)


def _month(at: datetime) -> Bounds:
    start = _midnight(at).replace(day=1)
    return start, (start + timedelta(days=31)).replace(day=1)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


#: Period → first instant of the one that an instant lies in, and of the next.
PERIODS: dict[str, Callable[[datetime], Bounds]] = {"week": _week, "month": _month}


@dataclass(frozen=True)
class Attainment:
    """How a promise was kept in a stretch of time. Minutes; the columns of `ops.sla_attainment`."""

    minutes_promised: float
    minutes_on_time: float
    breach_count: int
    longest_breach_minutes: float

    @property
    def attainment(self) -> float:
        """The share of the time in which it was kept, 0 to 1."""
        return self.minutes_on_time / self.minutes_promised


def attainment(events: Sequence[SlaEvent], start: datetime, end: datetime) -> Attainment | None:
    """How the promise of one table was kept from `start` to `end`; None if it was not watched then.

    A breach lasts from its due instant to the publication that ended it. Before the first event nothing is known.

    Args:
        events: the table's changes of state, oldest first: all from `start` on, and the last one before it.
        start, end: the stretch of time.
    """
    breaches = _breaches(events, end)
    first = min([event.measured_at for event in events[:1]] + [begun for begun, _ in breaches[:1]], default=end)
    start = max(start, first)
    if start >= end:
        return None
    inside = [(max(begun, start), min(over, end)) for begun, over in breaches]
    minutes = [(over - begun) / timedelta(minutes=1) for begun, over in inside if over > begun]
    promised = (end - start) / timedelta(minutes=1)
    return Attainment(promised, promised - sum(minutes), len(minutes), max(minutes, default=0.0))


def _breaches(events: Sequence[SlaEvent], end: datetime) -> list[Bounds]:
    """When each breach began and ended; one that goes on ends at `end`."""
    found: list[Bounds] = []
    begun: datetime | None = None
    for event in events:
        if event.state == "breached":
            begun = begun or event.due_at
        elif begun is not None:
            found.append((begun, event.published_at or event.measured_at))
            begun = None
    return [*found, (begun, end)] if begun is not None else found
