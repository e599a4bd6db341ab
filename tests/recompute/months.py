"""Calendar months in UTC. A month is represented by its first day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time


def month_of(moment: datetime) -> date:
    """The month that contains an instant."""
    return moment.astimezone(UTC).date().replace(day=1)


def shifted(month: date, count: int) -> date:
    """The month `count` months later, or earlier if `count` is negative."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def month_end(month: date) -> datetime:
    """The first instant after the month."""
    return datetime.combine(shifted(month, 1), time.min, UTC)


def months_between(first: date, last: date) -> Iterator[date]:
    """Every month from the first to the last, both included."""
    while first <= last:
        yield first
        first = shifted(first, 1)
