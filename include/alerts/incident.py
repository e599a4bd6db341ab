"""One incident: the occurrences that belong together, and the alerts about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from include.alerts.occurrence import Occurrence
from include.alerts.outbox import Alert, Route


@dataclass
class Incident:
    """Occurrences that belong together, and the alerts about them.

    Attributes:
        incident_id: deterministic.
        opened_at: when its first occurrence was seen.
        causes: the cause keys of its occurrences.
        open: scope → its latest occurrence, while it is not resolved.
        recovered: scope → the recovery that resolved it.
        alerts: all its rows of `ops.alerts`, in any state.
    """

    incident_id: str
    opened_at: datetime
    causes: set[str] = field(default_factory=set)
    open: dict[str, Occurrence] = field(default_factory=dict)
    recovered: dict[str, Occurrence] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)

    def record(self, occurrence: Occurrence) -> None:
        """Open the occurrence's scope, or resolve it if the occurrence is a recovery."""
        if occurrence.recovers:
            ended = self.open.pop(occurrence.scope, None)
            if ended is not None and not occurrence.cause:
                # The recovery message repeats the cause, so that readers recognize the incident.
                occurrence = occurrence.model_copy(update={"cause": ended.cause, "log_url": ended.log_url})
            self.recovered[occurrence.scope] = occurrence
        else:
            self.open[occurrence.scope] = occurrence
            self.recovered.pop(occurrence.scope, None)
            self.causes.add(occurrence.cause_key)

    def notified(self, route: Route) -> list[Alert]:
        """The alerts of a route since its last recovery message, without recoveries and suppressed alerts."""
        mine = [alert for alert in self.alerts if alert.route == route]
        recoveries = [alert.created_at for alert in mine if alert.message.recovers]
        return [
            alert
            for alert in mine
            if not alert.message.recovers
            and alert.state != "suppressed"
            and (not recoveries or alert.created_at > max(recoveries))
        ]


def sort_key(occurrence: Occurrence) -> tuple[datetime, bool, str]:
    """Sort by time. At the same time, a recovery comes after the problem that it resolves."""
    return occurrence.at, occurrence.recovers, occurrence.name


def needs_recovery(route: Route, history: Sequence[Alert]) -> bool:
    """True if the route gets the recovery message.

    Send the recovery to every route that was notified, and to routes whose first message is still pending.
    PagerDuty is an exception: without a page there is nothing to resolve.
    """
    if any(alert.state in {"sent", "substituted"} for alert in history):
        return True
    return route[0] != "pagerduty" and any(alert.state == "pending" and alert.message.step == 0 for alert in history)
