"""The times at which a table must take in new data: its cadence on its calendar. All times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.terms import NIGHTLY_START, cadence_interval

#: Calendar → the days on which the freshness SLA applies, Monday = 0.
CALENDARS: dict[str, frozenset[int]] = {
    "every_day": frozenset(range(7)),
    "business_days": frozenset(range(5)),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """The scheduled times of one cadence on one calendar.

    Attributes:
        cadence: as in `meta.sla`.
        calendar: a key of `CALENDARS`.
    """

    cadence: str
    calendar: str

    @property
    def interval(self) -> timedelta:
        return cadence_interval(self.cadence)

    @property
    def lag(self) -> timedelta:
        """The age of due data at its scheduled time: a nightly run starts hours after its as-of time."""
        return NIGHTLY_START if self.cadence == "daily" else timedelta(0)

    def last(self, at: datetime) -> datetime:
        """The latest scheduled time that is not after `at`."""
        scheduled = at - (at - _EPOCH - self.lag) % self.interval
        while scheduled.weekday() not in CALENDARS[self.calendar]:
            scheduled -= self.interval
        return scheduled

    def next(self, after: datetime) -> datetime:
        """The earliest scheduled time after `after`."""
        scheduled = after - (after - _EPOCH - self.lag) % self.interval + self.interval
        while scheduled.weekday() not in CALENDARS[self.calendar]:
            scheduled += self.interval
        return scheduled

    def data_due(self, scheduled: datetime) -> datetime:
        """Up to when the data must reach for a scheduled time."""
        return scheduled - self.lag

    def met_by(self, data_at: datetime) -> datetime:
        """The latest scheduled time whose data is there if the data reaches up to `data_at`."""
        return self.last(data_at + self.lag)

    def unmet_by(self, data_at: datetime) -> datetime:
        """The earliest scheduled time whose data is not there if the data reaches up to `data_at`."""
        return self.next(data_at + self.lag)
