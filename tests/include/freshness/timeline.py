"""Timelines written by hand: instants as people write them, publications, and the states that follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from include.freshness import FreshnessEvent, FreshnessSla, Measurement, Publication, Running, evaluate


def at(text: str) -> datetime:
    """`21 08:05` is 08:05 UTC on Saturday, 21 November 2026; `12-01 08:05` is in December."""
    day, clock = text.split()
    month, _, date = day.rpartition("-")
    return datetime.fromisoformat(f"2026-{month or '11'}-{date}T{clock}+00:00").astimezone(UTC)


def daily(hours: int = 6, calendar: str = "every_day", criticality: str = "high") -> FreshnessSla:
    return FreshnessSla("marts", "mart_a", "daily", timedelta(hours=hours), criticality, "finance", calendar=calendar)


def every(cadence: str, minutes: int, calendar: str = "every_day") -> FreshnessSla:
    return FreshnessSla("marts", "mart_a", cadence, timedelta(minutes=minutes), "high", "finance", calendar=calendar)


@dataclass
class Timeline:
    """The publications and events of one table. `check` is one run of the monitor."""

    sla: FreshnessSla
    since: datetime | None = None
    usual: timedelta | None = None
    running: Running | None = None
    publications: list[Publication] = field(default_factory=list)
    events: list[FreshnessEvent] = field(default_factory=list)

    def publish(self, published: str, data: str | None) -> None:
        data_at = at(data) if data else None
        self.publications.append(Publication(f"run-{published}", data_at or at(published), at(published), data_at))

    def check(self, instant: datetime | str) -> str | None:
        """The state recorded at an instant, with its deadline; None for no change."""
        now = at(instant) if isinstance(instant, str) else instant
        newest_first = sorted((p for p in self.publications if p.published_at <= now), key=lambda p: p.published_at, reverse=True)
        measurement = Measurement(tuple(newest_first), self.since)
        event = evaluate(self.sla, measurement, self.events[-1] if self.events else None, now, self.usual, self.running)
        if event is None:
            return None
        self.events.append(event)
        return f"{event.state} {event.due_at:%d %H:%M}"

    def changes(self, start: str, end: str, minutes: int = 5) -> list[str]:
        """Every change from one instant to another: the time of the check, the state, and its deadline."""
        now, seen = at(start), []
        while now <= at(end):
            change = self.check(now)
            seen += [f"{now:%d %H:%M} {change}"] if change else []
            now += timedelta(minutes=minutes)
        return seen
