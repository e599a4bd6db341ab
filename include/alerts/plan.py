"""Groups occurrences into incidents and decides which alerts follow. Uses no clock, no warehouse and no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from include.alerts.incident import Incident, needs_recovery, sort_key
from include.alerts.occurrence import Message, Occurrence, identifier, severest
from include.alerts.outbox import RESOLVED_FIRST, Alert, Route
from include.alerts.routing import Routing
from include.terms import CRITICALITIES

ALREADY_NOTIFIED = "its routes were already notified of the incident"


class Plan:
    """Decides which alerts follow from new occurrences, given the alerts in `ops.alerts`.

    Attributes:
        added: the alerts to add.
        suppressed: ids of stored alerts that must not be sent any more.
    """

    def __init__(self, alerts: Iterable[Alert], routing: Routing, now: datetime) -> None:
        self.routing = routing
        self.now = now
        self.added: list[Alert] = []
        self.suppressed: list[str] = []
        self.known: set[str] = set()
        self.incidents: dict[str, Incident] = {}
        seen: list[tuple[str, Occurrence]] = []
        for alert in alerts:
            incident = self._incident(alert.incident_id, alert.message.opened_at)
            incident.alerts.append(alert)
            for occurrence in alert.message.occurrences:
                if occurrence.event_id not in self.known:
                    self.known.add(occurrence.event_id)
                    seen.append((alert.incident_id, occurrence))
        for incident_id, occurrence in sorted(seen, key=lambda pair: sort_key(pair[1])):
            self.incidents[incident_id].record(occurrence)

    def record(self, occurrences: Iterable[Occurrence]) -> Plan:
        """Record the occurrences that are not known yet, in order of time. Returns the plan itself."""
        new = {o.event_id: o for o in occurrences if o.event_id not in self.known}
        self.known |= set(new)
        for recovering, group in groupby(sorted(new.values(), key=sort_key), key=lambda o: o.recovers):
            if recovering:
                self._resolve(list(group))
            else:
                self._open(list(group))
        return self

    def _incident(self, incident_id: str, opened_at: datetime) -> Incident:
        return self.incidents.setdefault(incident_id, Incident(incident_id, opened_at))

    def _incident_of(self, occurrence: Occurrence) -> Incident:
        """The open incident with the same scope, else the one with the same cause, else a new incident."""
        unresolved = [incident for incident in self.incidents.values() if incident.open]
        for incident in unresolved:
            if occurrence.scope in incident.open:
                return incident
        for incident in unresolved:
            if occurrence.cause_key in incident.causes:
                return incident
        earlier = sum(occurrence.cause_key in incident.causes for incident in self.incidents.values())
        return self._incident(identifier(occurrence.cause_key, earlier), occurrence.at)

    def _open(self, occurrences: list[Occurrence]) -> None:
        incidents: dict[str, list[Occurrence]] = {}
        for occurrence in occurrences:
            incident = self._incident_of(occurrence)
            if self._is_reported_quarantine(incident, occurrence):
                continue
            incident.record(occurrence)
            incidents.setdefault(incident.incident_id, []).append(occurrence)
        for incident_id, group in incidents.items():
            self._notify(self.incidents[incident_id], group)

    def _is_reported_quarantine(self, incident: Incident, occurrence: Occurrence) -> bool:
        """True if this quarantine was already reported to every route and has not grown.

        It is not recorded again, because the gates find the same rows in every run.
        """
        before = incident.open.get(occurrence.scope)
        return (
            occurrence.kind == "quarantined"
            and before is not None
            and before.weight >= occurrence.weight
            and all(self._already_notified(incident, route, occurrence) for route in self._routes(occurrence))
        )

    def _notify(self, incident: Incident, group: list[Occurrence]) -> None:
        handled: set[str] = set()
        routes: dict[Route, list[Occurrence]] = {}
        for occurrence in group:
            if silence := self.routing.silence(occurrence.name, self.now):
                handled.add(occurrence.event_id)
                self._record_only(incident, occurrence, f"muted until {silence.until:%Y-%m-%d %H:%M} UTC: {silence.reason}")
                continue
            for route in self._routes(occurrence):
                if not self._already_notified(incident, route, occurrence):
                    routes.setdefault(route, []).append(occurrence)
        for route, new in routes.items():
            handled |= {o.event_id for o in new}
            message = self._message(incident, new)
            self._add(incident, route, message, self.routing.notify_at(message.severity, self.now))
        self._escalate(incident, [o for new in routes.values() for o in new])
        for occurrence in group:
            if occurrence.event_id not in handled:
                self._record_only(incident, occurrence, ALREADY_NOTIFIED)

    def _escalate(self, incident: Incident, new: Sequence[Occurrence]) -> None:
        """Add the reminders of an incident. Those still pending are suppressed when it is resolved."""
        urgent = list({o.event_id: o for o in new if o.kind != "sla_at_risk"}.values())
        if not urgent:
            return
        severity = severest([o.severity for o in urgent])
        urgent = [o for o in urgent if o.severity == severity]
        for number, step in enumerate(self.routing.criticality[severity].escalation, start=1):
            owners: dict[Route, set[str]] = {}
            for owner in {o.owner for o in urgent} | set(step.owners):
                for channel in step.channels:
                    owners.setdefault((channel, self.routing.recipient(channel, owner)), set()).add(owner)
            for route in sorted(owners):
                message = self._message(incident, urgent, number, step.after, owners[route])
                if not any(a.message.step == number and a.severity == severity for a in self._recent(incident, route)):
                    self._add(incident, route, message, self.routing.notify_at(severity, self.now + step.after))

    def _resolve(self, occurrences: list[Occurrence]) -> None:
        resolved: dict[str, list[Occurrence]] = {}
        for occurrence in occurrences:
            for incident in self.incidents.values():
                problem = incident.open.get(occurrence.scope)
                # An old recovery may be reported again. It does not resolve a newer problem.
                if problem is not None and problem.at <= occurrence.at:
                    incident.record(occurrence)
                    resolved.setdefault(incident.incident_id, []).append(occurrence)
        for incident_id, group in resolved.items():
            self._send_recovery(self.incidents[incident_id], group)

    def _send_recovery(self, incident: Incident, group: list[Occurrence]) -> None:
        """Add one recovery message for each route whose occurrences are all resolved. Record the other recoveries."""
        sent: set[str] = set()
        routes = {alert.route: None for alert in incident.alerts if alert.route is not None}
        for route in routes:
            history = incident.notified(route)
            mine = self._concerns(route, history)
            if not history or any(mine(occurrence) for occurrence in incident.open.values()):
                continue
            for alert in history:
                if alert.state == "pending":
                    self._suppress(incident, alert)
            recoveries = [occurrence for occurrence in incident.recovered.values() if mine(occurrence)]
            if recoveries and needs_recovery(route, history):
                sent |= {o.event_id for o in recoveries}
                message = self._message(incident, recoveries)
                self._add(incident, route, message, self.routing.notify_at(message.severity, self.now))
        for occurrence in group:
            if occurrence.event_id not in sent:
                self._record_only(incident, occurrence, None)

    def _concerns(self, route: Route, history: Sequence[Alert]) -> Callable[[Occurrence], bool]:
        """A test for occurrences: true if they concern the route.

        A reminder covers the whole incident. Otherwise the route was notified of the scope, or the routing selects the route.
        """
        scopes = {occurrence.scope for alert in history for occurrence in alert.message.occurrences}
        reminded = any(alert.message.step for alert in history)
        return lambda occurrence: reminded or occurrence.scope in scopes or route in self._all_routes(occurrence)

    def _already_notified(self, incident: Incident, route: Route, occurrence: Occurrence) -> bool:
        """True if the route was notified of a problem that is at least as serious and as critical.

        Only notifications within `remind_after` count, except for quarantined rows: they may stay in quarantine for long.
        """
        return any(
            alert.message.weight >= occurrence.weight
            and CRITICALITIES.index(alert.severity) >= CRITICALITIES.index(occurrence.severity)
            for alert in (incident.notified(route) if occurrence.kind == "quarantined" else self._recent(incident, route))
        )

    def _recent(self, incident: Incident, route: Route) -> list[Alert]:
        return [alert for alert in incident.notified(route) if alert.created_at > self.now - self.routing.remind_after]

    def _all_routes(self, occurrence: Occurrence) -> list[Route]:
        channels = occurrence.channels or self.routing.criticality[occurrence.severity].channels
        return [(channel, self.routing.recipient(channel, occurrence.owner)) for channel in channels]

    def _routes(self, occurrence: Occurrence) -> list[Route]:
        routes = self._all_routes(occurrence)
        if occurrence.kind == "sla_at_risk":
            return [route for route in routes if route[0] in self.routing.at_risk.channels] or routes[:1]
        return routes

    def _message(
        self,
        incident: Incident,
        occurrences: Sequence[Occurrence],
        step: int = 0,
        after: timedelta = timedelta(0),
        owners: Iterable[str] = (),
    ) -> Message:
        most_serious = max(occurrences, key=lambda o: (o.weight, CRITICALITIES.index(o.severity)))
        return Message(
            incident_id=incident.incident_id,
            opened_at=incident.opened_at,
            kind=most_serious.kind,
            severity=severest([o.severity for o in occurrences]),
            step=step,
            after=after,
            owners=tuple(sorted(set(owners) or {o.owner for o in occurrences})),
            occurrences=tuple(sorted(occurrences, key=lambda o: (-CRITICALITIES.index(o.severity), o.name))),
        )

    def _add(self, incident: Incident, route: Route, message: Message, when: datetime) -> None:
        earlier = [a for a in incident.alerts if (a.route, a.kind, a.message.step) == (route, message.kind, message.step)]
        alert = Alert.of(message, route, len(earlier), self.now, when)
        incident.alerts.append(alert)
        self.added.append(alert)

    def _record_only(self, incident: Incident, occurrence: Occurrence, reason: str | None) -> None:
        """Add a row that is not sent. Later plans read the occurrence from it."""
        alert = Alert.of(self._message(incident, [occurrence]), None, occurrence.event_id, self.now, self.now)
        alert = replace(alert, state="suppressed", error=reason)
        incident.alerts.append(alert)
        self.added.append(alert)

    def _suppress(self, incident: Incident, alert: Alert) -> None:
        suppressed = replace(alert, state="suppressed", error=RESOLVED_FIRST)
        incident.alerts[incident.alerts.index(alert)] = suppressed
        if alert in self.added:
            self.added[self.added.index(alert)] = suppressed
        else:
            self.suppressed.append(alert.alert_id)
