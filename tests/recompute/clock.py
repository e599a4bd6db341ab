"""The business clock: minutes inside an organization's opening hours, exact across daylight-saving changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.recompute.seeds import iana_name
from tests.recompute.sources import Row, SourceData

Window = tuple[datetime, datetime]


class BusinessClock:
    """Opening hours and holidays of one organization, in its own timezone.

    The clock is unknown if the timezone is (None), or if the weekday or a time of any row cannot be read.
    """

    def __init__(self, timezone: str | None, hours: list[Row], holidays: set[date]) -> None:
        self._zone = ZoneInfo(timezone or "UTC")
        self.is_known = timezone is not None and all(
            row["weekday"] in range(1, 8) and row["opens_at"] is not None and row["closes_at"] is not None for row in hours
        )
        self._hours = hours
        self._holidays = holidays
        self._days: dict[date, list[Window]] = {}

    def day(self, moment: datetime) -> date:
        """The local day of an instant; its UTC day if the timezone is unknown."""
        return moment.astimezone(self._zone).date()

    def has_hours(self, moment: datetime) -> bool:
        """Whether the organization has opening hours on the local day of an instant."""
        return any(row["valid_from"] <= self.day(moment) for row in self._hours)

    def _instant(self, day: date, at: time) -> datetime:
        # fold=0 decides both daylight-saving cases. A local time that spring skips uses the offset before the change.
        # A local time that autumn repeats means its first occurrence.
        return datetime.combine(day, at, self._zone).astimezone(UTC)

    def windows(self, day: date) -> list[Window]:
        """The windows that open on a local day, in UTC. A closing time before the opening time belongs to the next day."""
        if day not in self._days:
            self._days[day] = self._opening_on(day)
        return self._days[day]

    def _opening_on(self, day: date) -> list[Window]:
        if day in self._holidays:
            return []
        # A new schedule replaces the old one completely. A weekday without a row in it is closed.
        latest = max((row["valid_from"] for row in self._hours if row["valid_from"] <= day), default=None)
        return [
            (
                self._instant(day, row["opens_at"]),
                self._instant(day + timedelta(days=row["closes_at"] <= row["opens_at"]), row["closes_at"]),
            )
            for row in self._hours
            if row["valid_from"] == latest and row["weekday"] == day.isoweekday()
        ]

    def elapsed(self, start: datetime, end: datetime) -> Fraction | None:
        """Open minutes in `[start, end)`; None if the clock is unknown."""
        return self.minutes(start, end) if self.is_known else None

    def minutes(self, start: datetime, end: datetime) -> Fraction:
        """Open minutes in `[start, end)`, exact. They are negative if the end is before the start, as on the calendar clock."""
        if end < start:
            return -self.minutes(end, start)
        # The day before may have a window that runs past midnight.
        day = start.astimezone(self._zone).date() - timedelta(days=1)
        last = end.astimezone(self._zone).date()
        total, counted_to = timedelta(0), start
        while day <= last:
            for opens, closes in sorted(self.windows(day)):
                # Overlapping windows must not count the same minute twice.
                opens, closes = max(opens, counted_to), min(closes, end)
                if closes > opens:
                    total += closes - opens
                    counted_to = closes
            day += timedelta(days=1)
        return exact_minutes(total)


def exact_minutes(length: timedelta) -> Fraction:
    """A length of time in minutes, exact."""
    return Fraction(length // timedelta(microseconds=1), 60_000_000)


def clocks(sources: SourceData) -> dict[str, BusinessClock]:
    """The business clock of every organization, by organization_id."""
    return {
        organization["organization_id"]: BusinessClock(
            iana_name(organization["timezone"]),
            [row for row in sources["business_hours"] if row["organization_id"] == organization["organization_id"]],
            {row["holiday_date"] for row in sources["holidays"] if row["organization_id"] == organization["organization_id"]},
        )
        for organization in sources["organizations"]
    }
