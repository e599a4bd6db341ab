"""One incident: what has one cause, and who has been told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from include.alerts.occurrence import Occurrence
from include.alerts.outbox import Alert, Route


@dataclass
class Incident:
    """What has one cause, for as long as something of it is not well.

    Attributes:
        incident_id: deterministic.
        opened_at: when its first occurrence was seen.
        causes: the cause keys of its occurrences.
        open, recovered: scope → latest occurrence, of what is not well and of what is well again.
        alerts: what was told, or is to be.
    """

    incident_id: str
    opened_at: datetime
    causes: set[str] = field(default_factory=set)
    open: dict[str, Occurrence] = field(default_factory=dict)
    recovered: dict[str, Occurrence] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)

    def take(self, occurrence: Occurrence) -> None:
        if occurrence.recovers:
            ended = self.open.pop(occurrence.scope, None)
            if ended is not None and not occurrence.cause:
                occurrence = occurrence.model_copy(update={"cause": ended.cause, "log_url": ended.log_url})
            self.recovered[occurrence.scope] = occurrence
        else:
            self.open[occurrence.scope] = occurrence
            self.recovered.pop(occurrence.scope, None)
            self.causes.add(occurrence.cause_key)

    def told(self, route: Route) -> list[Alert]:
        """What a route was told, or is to be, since it was last told that all is well."""
        mine = [alert for alert in self.alerts if alert.route == route]
        ends = [alert.created_at for alert in mine if alert.message.recovers]
        return [
            alert
            for alert in mine
            if not alert.message.recovers and alert.state != "silent" and (not ends or alert.created_at > max(ends))
        ]


def in_order(occurrence: Occurrence) -> tuple[datetime, bool, str]:
    """What occurrences are sorted by: when they were seen, a recovery after what it ends."""
    return occurrence.at, occurrence.recovers, occurrence.name


def worth_a_recovery(route: Route, history: Sequence[Alert]) -> bool:
    """Who was told hears of the end; so does who was to be told and was not: it says all. There is no page to close, though."""
    if any(alert.state in {"sent", "substituted"} for alert in history):
        return True
    return route[0] != "pagerduty" and any(alert.state == "pending" and alert.message.step == 0 for alert in history)
