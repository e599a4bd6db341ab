"""Is a freshness SLA met? A state machine over times. It reads neither clock nor warehouse. docs/freshness.md explains it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from include.freshness.slas import FreshnessSla

State = Literal["on_time", "at_risk", "breached", "recovered"]

#: For deadlines that passed within this time, the monitor also checks what the table showed at the deadline itself. The monitor
#: runs every five minutes, and a table may be late between two runs only.
CHECK_DEADLINES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Publication:
    """One publication of a table.

    Attributes:
        run_id, as_of: the run that published it, and its as-of time.
        published_at: when analysts could read it.
        data_at: up to when its data reaches: the oldest of its sources counts. None if a source had never been loaded.
    """

    run_id: str
    as_of: datetime
    published_at: datetime
    data_at: datetime | None


@dataclass(frozen=True)
class Measurement:
    """The measured facts about one table.

    Attributes:
        publications: the latest ones, newest first.
        applies_since: when the freshness SLA was first recorded with these terms; earlier times do not count. None: all count.
        dropped_at: when the table was dropped, if it was.
    """

    publications: tuple[Publication, ...] = ()
    applies_since: datetime | None = None
    dropped_at: datetime | None = None

    def shown_at(self, instant: datetime) -> Publication | None:
        """The publication that analysts read at an instant. None if there was none, or if it is older than the known ones."""
        if self.dropped_at is not None and self.dropped_at <= instant:
            return None
        return next((p for p in self.publications if p.published_at <= instant), None)


@dataclass(frozen=True)
class Running:
    """The run that is refreshing the table: when it began, and its as-of time."""

    started_at: datetime
    as_of: datetime | None


@dataclass(frozen=True)
class FreshnessEvent:
    """A row of `ops.freshness_events`: a change of state of a freshness SLA. `include/ops/freshness.py` describes the columns."""

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
    sla_minutes: int
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
    sla: FreshnessSla,
    measurement: Measurement,
    previous: FreshnessEvent | None,
    now: datetime,
    usual_duration: timedelta | None = None,
    running: Running | None = None,
) -> FreshnessEvent | None:
    """The change of state to record at `now`; None if there is none.

    Args:
        sla: the freshness SLA.
        measurement: what is published, and how new it is.
        previous: the last recorded change. Times up to it are not evaluated again.
        now: the time to evaluate.
        usual_duration: how long the run that refreshes the table usually takes. None: unknown, so there is no estimate.
        running: that run, if it is active.
    """
    if previous is not None and previous.measured_at >= now:
        return None
    schedule, since = sla.schedule, measurement.applies_since
    shown = measurement.shown_at(now)
    due = schedule.last(now - sla.fresh_within)
    binding = since is None or due >= since
    met = _holds(sla, shown, due)
    state = previous.state if previous else None

    if binding and not met:
        return None if state == "breached" else _event(sla, "breached", _missed_since(sla, measurement, shown, due), shown, now)
    if previous is not None and state == "breached":
        return _event(sla, "recovered", previous.due_at, shown, now) if met else None
    if binding and _was_late(sla, measurement, previous, due, now):
        deadline = due + sla.fresh_within
        return _event(sla, "breached", deadline, measurement.shown_at(deadline), now)

    awaited = _first_unmet(sla, shown, since, due)
    deadline = awaited + sla.fresh_within
    if awaited <= now and _expected(schedule.data_due(awaited), now, usual_duration, running) > deadline:
        return None if state == "at_risk" else _event(sla, "at_risk", deadline, shown, now)
    if not met or state == "on_time":
        return None
    if previous is None:
        assert shown is not None and shown.data_at is not None
        return _event(sla, "on_time", schedule.met_by(shown.data_at) + sla.fresh_within, shown, now)
    if state == "at_risk" and deadline <= previous.due_at:
        # The table stays at risk until the data is there. A better estimate does not withdraw the warning.
        return None
    return _event(sla, "on_time", previous.due_at, shown, now)


def _holds(sla: FreshnessSla, shown: Publication | None, scheduled: datetime) -> bool:
    """Whether a publication holds the data that is due for a scheduled time."""
    return shown is not None and shown.data_at is not None and shown.data_at >= sla.schedule.data_due(scheduled)


def _first_unmet(sla: FreshnessSla, shown: Publication | None, since: datetime | None, due: datetime) -> datetime:
    """The first scheduled time that counts and whose data is not published."""
    schedule = sla.schedule
    if shown is not None and shown.data_at is not None:
        first = schedule.unmet_by(shown.data_at)
    else:
        first = due if since is None else schedule.last(since)
    if since is None or first >= since:
        return first
    first = schedule.last(since)
    return first if first == since else schedule.next(first)


def _missed_since(sla: FreshnessSla, measurement: Measurement, shown: Publication | None, due: datetime) -> datetime:
    """Since when the freshness SLA is missed: the first missed deadline, or when data that met it was replaced or dropped."""
    deadline = _first_unmet(sla, shown, measurement.applies_since, due) + sla.fresh_within
    since = shown.published_at if shown is not None else measurement.dropped_at
    return deadline if since is None else max(deadline, since)


def _was_late(sla: FreshnessSla, measurement: Measurement, previous: FreshnessEvent | None, due: datetime, now: datetime) -> bool:
    """Whether the deadline of `due` was missed since the last recorded change, and the data was published shortly after it."""
    deadline = due + sla.fresh_within
    if previous is None or deadline <= previous.measured_at or now - deadline > CHECK_DEADLINES_WITHIN:
        return False
    return not _holds(sla, measurement.shown_at(deadline), due)


def _expected(data_due: datetime, now: datetime, usual: timedelta | None, running: Running | None) -> datetime:
    """When the data is likely to be published.

    A run that has taken longer than usual is expected to take that much longer again. A run with an as-of time before
    `data_due` does not count, because another run must follow it.
    """
    if usual is None:
        return now
    if running is None or (running.as_of is not None and running.as_of < data_due):
        return now + usual
    return now + abs(usual - (now - running.started_at))


def _event(sla: FreshnessSla, state: State, due_at: datetime, shown: Publication | None, now: datetime) -> FreshnessEvent:
    data_at = shown.data_at if shown else None
    return FreshnessEvent(
        event_id=f"{sla.key}@{due_at:%Y-%m-%dT%H%M%SZ}:{state}",
        dataset=sla.dataset,
        table_name=sla.table,
        state=state,
        due_at=due_at,
        measured_at=now,
        data_at=data_at,
        published_at=shown.published_at if shown else None,
        as_of=shown.as_of if shown else None,
        age_minutes=(now - data_at) / timedelta(minutes=1) if data_at else None,
        sla_minutes=int(sla.fresh_within / timedelta(minutes=1)),
        criticality=sla.criticality,
        owner=sla.owner,
        run_id=shown.run_id if shown else None,
    )
