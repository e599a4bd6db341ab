"""Time in the demo company. Instants are whole seconds since 1970 UTC. Months are numbered from 0, October 2023."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache

MINUTE = 60
HOUR = 3600
DAY = 86_400


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """The instant of a UTC wall-clock time, in seconds."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


EPOCH = at(2023, 10, 1)
"""The start of the company's systems. Older rows are imported order history."""

EARLIEST = at(2023, 11, 1)
"""The first as-of time with enough data."""


@cache
def month_start(month: int) -> int:
    """The first instant of month `month` (0 is October 2023; negative months are before the epoch)."""
    years, months = divmod(9 + month, 12)
    return at(2023 + years, months + 1, 1)


def month_of(instant: int) -> int:
    """The month that contains an instant."""
    moment = datetime.fromtimestamp(instant, UTC)
    return (moment.year - 2023) * 12 + moment.month - 10


def add_months(instant: int, months: int) -> int:
    """The same day and time some months later. If that day does not exist, it is the last day of the month."""
    moment = datetime.fromtimestamp(instant, UTC)
    years, index = divmod(moment.month - 1 + months, 12)
    first = at(moment.year + years, index + 1, 1)
    following = at(moment.year + years + (index == 11), (index + 1) % 12 + 1, 1)
    day = min(moment.day - 1, (following - first) // DAY - 1)
    return first + day * DAY + instant % DAY


def day_of(instant: int) -> date:
    """The UTC calendar day of an instant."""
    return date(1970, 1, 1) + timedelta(days=instant // DAY)


def complete(day: date) -> int:
    """The instant at which a UTC calendar day ends."""
    return ((day - date(1970, 1, 1)).days + 1) * DAY


def weekday(instant: int) -> int:
    """The UTC weekday of an instant, Monday 0."""
    return (instant // DAY + 3) % 7


def iso(instant: int) -> str:
    """ISO 8601 text of an instant, as 2026-10-01T00:00:00Z."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def latest(values: list[int], instant: int) -> int:
    """The index of the last value at or before `instant`, or -1. `values` is sorted."""
    return bisect_right(values, instant) - 1


def parse_as_of(text: str | None) -> datetime:
    """The as-of time for a text: a date (00:00 UTC of it) or an ISO instant. None is today 00:00 UTC.

    Raises:
        ValueError: the text is not a date, or lies before the company's history.
    """
    if text is None:
        return check_as_of(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date: write 2026-10-01 or 2026-10-01T06:00:00Z.") from None
    return check_as_of(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))


def check_as_of(as_of: datetime) -> datetime:
    """The same as-of time, if the company has a history at that time.

    Raises:
        ValueError: the as-of time is too early.
    """
    if as_of.timestamp() < EARLIEST:
        raise ValueError(
            f"The demo company's history begins in October 2023: choose an as-of of 2023-11-01 or later, not {as_of:%Y-%m-%d}."
        )
    return as_of
