"""The business clock: minutes inside an organization's opening hours, exact over daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.recompute.world import Row, World

Window = tuple[datetime, datetime]


class BusinessClock:
    """Opening hours and holidays of one organization, in its own timezone."""

    def __init__(self, timezone: str, hours: list[Row], holidays: set[date]) -> None:
        self._zone = ZoneInfo(timezone)
        self._hours = hours
        self._holidays = holidays
        self._days: dict[date, list[Window]] = {}

    @property
    def has_hours(self) -> bool:
        """Whether the organization has any opening hours; without them only the calendar clock exists."""
        return bool(self._hours)

    def _instant(self, day: date, at: object) -> datetime:
        # A wall time that a spring switch skips reads with the offset before the switch, one that an autumn
        # switch repeats reads as the first of the two (fold=0 in both cases).
        return datetime.combine(day, at, self._zone).astimezone(UTC)  # type: ignore[arg-type]

    def windows(self, day: date) -> list[Window]:
        """The opening windows of a local day as UTC instants, overlapping rows united."""
        if day not in self._days:
            self._days[day] = self._open(day)
        return self._days[day]

    def _open(self, day: date) -> list[Window]:
        if day in self._holidays:
            return []
        # A schedule is whole: a newer one without rows for a weekday closes that weekday.
        latest = max((row["valid_from"] for row in self._hours if row["valid_from"] <= day), default=None)
        spans = sorted(
            (self._instant(day, row["opens_at"]), self._instant(day, row["closes_at"]))
            for row in self._hours
            if row["valid_from"] == latest and row["weekday"] == day.isoweekday()
        )
        united: list[Window] = []
        for opens, closes in spans:
            if closes <= opens:
                continue
            if united and opens <= united[-1][1]:
                united[-1] = (united[-1][0], max(united[-1][1], closes))
            else:
                united.append((opens, closes))
        return united

    def minutes(self, start: datetime, end: datetime) -> Fraction:
        """Open minutes in `[start, end)`, exact; 0 if the end is not after the start."""
        day = start.astimezone(self._zone).date()
        last = end.astimezone(self._zone).date()
        total = timedelta(0)
        while day <= last:
            for opens, closes in self.windows(day):
                total += max(min(closes, end) - max(opens, start), timedelta(0))
            day += timedelta(days=1)
        return exact_minutes(total)


def exact_minutes(length: timedelta) -> Fraction:
    """A length of time in minutes, exact."""
    return Fraction(length // timedelta(microseconds=1), 60_000_000)


def clocks(world: World) -> dict[str, BusinessClock]:
    """The business clock of every organization, by organization_id."""
    return {
        organization["organization_id"]: BusinessClock(
            organization["timezone"],
            [row for row in world["business_hours"] if row["organization_id"] == organization["organization_id"]],
            {
                row["holiday_date"]
                for row in world["holidays"]
                if row["organization_id"] == organization["organization_id"]
            },
        )
        for organization in world["organizations"]
    }
