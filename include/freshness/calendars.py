"""The instants at which a table must take up new data: its cadence on its calendar. Everything is UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.terms import NIGHTLY_START, cadence_interval

#: Calendar → the days that have instants, Monday = 0.
CALENDARS: dict[str, frozenset[int]] = {
    "every_day": frozenset(range(7)),
    "business_days": frozenset(range(5)),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ticks:
    """The instants of one cadence on one calendar.

    Attributes:
        cadence: as `meta.sla` says it.
        calendar: a key of `CALENDARS`.
    """

    cadence: str
    calendar: str

    @property
    def interval(self) -> timedelta:
        return cadence_interval(self.cadence)

    @property
    def lag(self) -> timedelta:
        """How much older than its instant the data may be: the nightly run starts hours after the midnight up to which it reads."""
        return NIGHTLY_START if self.cadence == "daily" else timedelta(0)

    def last(self, at: datetime) -> datetime:
        """The latest instant that is not after `at`."""
        tick = at - (at - _EPOCH - self.lag) % self.interval
        while tick.weekday() not in CALENDARS[self.calendar]:
            tick -= self.interval
        return tick

    def next(self, after: datetime) -> datetime:
        """The earliest instant after `after`."""
        tick = after - (after - _EPOCH - self.lag) % self.interval + self.interval
        while tick.weekday() not in CALENDARS[self.calendar]:
            tick += self.interval
        return tick

    def wanted(self, tick: datetime) -> datetime:
        """Up to when the data must reach that an instant asks for."""
        return tick - self.lag

    def met_by(self, data_at: datetime) -> datetime:
        """The latest instant whose data is there when the data reaches up to `data_at`."""
        return self.last(data_at + self.lag)

    def unmet_by(self, data_at: datetime) -> datetime:
        """The earliest instant whose data is not there when the data reaches up to `data_at`."""
        return self.next(data_at + self.lag)
