"""Turns the state changes of freshness SLAs into occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from include.alerts.occurrence import Kind, Occurrence, plain
from include.terms import Channel, Criticality

if TYPE_CHECKING:
    from include.freshness import FreshnessEvent

_KINDS: dict[str, Kind] = {
    "at_risk": "sla_at_risk",
    "breached": "sla_breached",
    "recovered": "sla_recovered",
    # Resolves a warning. It has no effect on a table without a warning.
    "on_time": "sla_recovered",
}


def from_freshness_event(event: FreshnessEvent, channels: Mapping[str, tuple[str, ...]]) -> Occurrence:
    """The occurrence for a state change of a freshness SLA.

    Args:
        event: the row of `ops.freshness_events`.
        channels: table → the channels in its `meta.sla`, if it names any.
    """
    return Occurrence(
        event_id=event.event_id,
        kind=_KINDS[event.state],
        scope=event.key,
        cause_key=_cause_key(event),
        name=event.key,
        owner=event.owner,
        severity=cast("Criticality", event.criticality),
        channels=cast("tuple[Channel, ...]", channels.get(event.key, ())),
        at=event.measured_at,
        expected=f"new data within {span(timedelta(minutes=event.sla_minutes))}, due {moment(event.due_at)}",
        actual=_actual(event),
        cause=event.cause or "",
        log_url=event.log_url,
    )


def moment(at: datetime) -> str:
    """A time for messages, such as `1 Oct 2026 06:00 UTC`."""
    return f"{at.day} {at:%b %Y %H:%M} UTC"


def span(length: timedelta) -> str:
    """A duration for messages, such as `1 d 4 h` or `25 min`."""
    minutes = max(round(length / timedelta(minutes=1)), 0)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{value} {unit}" for value, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if value]
    return " ".join(parts[:2]) or "0 min"


def _actual(event: FreshnessEvent) -> str:
    if event.data_at is None or event.published_at is None:
        return "nothing published yet"
    shown = f"data up to {moment(event.data_at)}, published {moment(event.published_at)}"
    if event.state == "recovered":
        return f"{shown}, {span(event.published_at - event.due_at)} late"
    return f"{shown}, now {span(event.measured_at - event.data_at)} old"


def _cause_key(event: FreshnessEvent) -> str:
    """The same key for tables with the same cause. Without a known cause, for tables found late in the same monitor run."""
    cause = event.log_url or event.cause
    return plain(f"late {event.cause_kind} {cause}" if cause else f"late {event.measured_at.isoformat()}", 500)
