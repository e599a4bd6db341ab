"""Is a promise kept? A state machine over instants: it reads no clock and no warehouse. docs/freshness.md tells it in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from include.freshness.promises import Promise

State = Literal["on_time", "at_risk", "breached", "recovered"]

#: A deadline that passed this short a while ago is judged by what the table showed at that instant, not only by what it shows
#: now: the monitor looks every five minutes, and a table may be late for two of them.
LOOK_BACK = timedelta(minutes=15)


@dataclass(frozen=True)
class Publication:
    """One publication of a table.

    Attributes:
        run_id, as_of: the run that published it, and the instant that it looked at.
        published_at: when analysts could read it.
        data_at: up to when its data reaches: the oldest of its sources counts. None if a source had never landed.
    """

    run_id: str
    as_of: datetime
    published_at: datetime
    data_at: datetime | None


@dataclass(frozen=True)
class Measurement:
    """What is known of one table.

    Attributes:
        publications: the latest ones, newest first.
        promised_since: when the promise was first recorded with these terms: earlier instants are not held against it. None: all are.
        taken_away_at: when the table was taken away again, if it was.
    """

    publications: tuple[Publication, ...] = ()
    promised_since: datetime | None = None
    taken_away_at: datetime | None = None

    def shown_at(self, instant: datetime) -> Publication | None:
        """What analysts read at an instant; None if there was nothing, or it is longer ago than the publications known."""
        if self.taken_away_at is not None and self.taken_away_at <= instant:
            return None
        return next((p for p in self.publications if p.published_at <= instant), None)


@dataclass(frozen=True)
class Running:
    """The run that is refreshing the table: when it began, and the instant that it looks at."""

    started_at: datetime
    as_of: datetime | None


@dataclass(frozen=True)
class SlaEvent:
    """A row of `ops.sla_events`: the state of a promise has changed. The columns are described in `include/ops/tables.py`."""

    event_id: str
    dataset: str
    table_name: str
    state: State
    due_at: datetime
    measured_at: datetime
    data_at: datetime | None
    published_at: datetime | None
    as_of: datetime | None
    age_minutes: float | None
    promised_minutes: int
    criticality: str
    owner: str
    cause: str | None = None
    cause_kind: str | None = None
    run_id: str | None = None
    log_url: str | None = None

    @property
    def key(self) -> str:
        """The table's qualified name."""
        return f"{self.dataset}.{self.table_name}"


def evaluate(
    promise: Promise,
    measurement: Measurement,
    previous: SlaEvent | None,
    now: datetime,
    usual_duration: timedelta | None = None,
    running: Running | None = None,
) -> SlaEvent | None:
    """The change of a promise's state that is to be noted at `now`; None if there is none.

    Args:
        promise: what is promised.
        measurement: what is published, and how new it is.
        previous: the last change noted. An instant up to it is never judged again.
        now: the instant to judge.
        usual_duration: how long the run that refreshes the table usually takes. None: unknown, nothing is foretold.
        running: that run, if it is under way.
    """
    if previous is not None and previous.measured_at >= now:
        return None
    ticks, since = promise.ticks, measurement.promised_since
    shown = measurement.shown_at(now)
    due = ticks.last(now - promise.fresh_within)
    binding = since is None or due >= since
    met = _holds(promise, shown, due)
    state = previous.state if previous else None

    if binding and not met:
        return (
            None
            if state == "breached"
            else _event(promise, "breached", _late_since(promise, measurement, shown, due), shown, now)
        )
    if previous is not None and state == "breached":
        return _event(promise, "recovered", previous.due_at, shown, now) if met else None
    if binding and _was_late(promise, measurement, previous, due, now):
        deadline = due + promise.fresh_within
        return _event(promise, "breached", deadline, measurement.shown_at(deadline), now)

    awaited = _first_unmet(promise, shown, since, due)
    deadline = awaited + promise.fresh_within
    if awaited <= now and _expected(ticks.wanted(awaited), now, usual_duration, running) > deadline:
        return None if state == "at_risk" else _event(promise, "at_risk", deadline, shown, now)
    if not met or state == "on_time":
        return None
    if previous is None:
        assert shown is not None and shown.data_at is not None
        return _event(promise, "on_time", ticks.met_by(shown.data_at) + promise.fresh_within, shown, now)
    if state == "at_risk" and deadline <= previous.due_at:
        # It stays at risk until the data is there: an estimate that has become better takes no warning back.
        return None
    return _event(promise, "on_time", previous.due_at, shown, now)


def _holds(promise: Promise, shown: Publication | None, tick: datetime) -> bool:
    """Whether a publication holds the data that an instant asks for."""
    return shown is not None and shown.data_at is not None and shown.data_at >= promise.ticks.wanted(tick)


def _first_unmet(promise: Promise, shown: Publication | None, since: datetime | None, due: datetime) -> datetime:
    """The first instant that counts and whose data is not published."""
    ticks = promise.ticks
    if shown is not None and shown.data_at is not None:
        first = ticks.unmet_by(shown.data_at)
    else:
        first = due if since is None else ticks.last(since)
    if since is None or first >= since:
        return first
    first = ticks.last(since)
    return first if first == since else ticks.next(first)


def _late_since(promise: Promise, measurement: Measurement, shown: Publication | None, due: datetime) -> datetime:
    """From when on the promise is broken: the first deadline missed, or when what had kept it was replaced or taken away."""
    deadline = _first_unmet(promise, shown, measurement.promised_since, due) + promise.fresh_within
    since = shown.published_at if shown is not None else measurement.taken_away_at
    return deadline if since is None else max(deadline, since)


def _was_late(promise: Promise, measurement: Measurement, previous: SlaEvent | None, due: datetime, now: datetime) -> bool:
    """Whether the deadline of `due` passed unmet since the last change was noted, just now, and the data came after it."""
    deadline = due + promise.fresh_within
    if previous is None or deadline <= previous.measured_at or now - deadline > LOOK_BACK:
        return False
    return not _holds(promise, measurement.shown_at(deadline), due)


def _expected(wanted: datetime, now: datetime, usual: timedelta | None, running: Running | None) -> datetime:
    """When the data is likely to be published.

    A run that takes longer than usual is expected to take as much longer again. One that looks at an earlier instant
    than is wanted does not count: another must follow it.
    """
    if usual is None:
        return now
    if running is None or (running.as_of is not None and running.as_of < wanted):
        return now + usual
    return now + abs(usual - (now - running.started_at))


def _event(promise: Promise, state: State, due_at: datetime, shown: Publication | None, now: datetime) -> SlaEvent:
    data_at = shown.data_at if shown else None
    return SlaEvent(
        event_id=f"{promise.key}@{due_at:%Y-%m-%dT%H%M%SZ}:{state}",
        dataset=promise.dataset,
        table_name=promise.table,
        state=state,
        due_at=due_at,
        measured_at=now,
        data_at=data_at,
        published_at=shown.published_at if shown else None,
        as_of=shown.as_of if shown else None,
        age_minutes=(now - data_at) / timedelta(minutes=1) if data_at else None,
        promised_minutes=int(promise.fresh_within / timedelta(minutes=1)),
        criticality=promise.criticality,
        owner=promise.owner,
        run_id=shown.run_id if shown else None,
    )
