"""What is told of what happened: occurrences become incidents, and incidents messages. No clock, no warehouse, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from include.alerts.incident import Incident, in_order, worth_a_recovery
from include.alerts.occurrence import Message, Occurrence, identifier, severest
from include.alerts.outbox import Alert, Route
from include.alerts.routing import Routing
from include.terms import CRITICALITIES

OVER = "over before it was told"
TOLD = "these people have been told of the incident"


class Plan:
    """Takes up occurrences on top of what `ops.alerts` holds.

    Attributes:
        added: the rows to add.
        silenced: ids of rows that need not be told any more.
    """

    def __init__(self, alerts: Iterable[Alert], routing: Routing, now: datetime) -> None:
        self.routing = routing
        self.now = now
        self.added: list[Alert] = []
        self.silenced: list[str] = []
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
        for incident_id, occurrence in sorted(seen, key=lambda pair: in_order(pair[1])):
            self.incidents[incident_id].take(occurrence)

    def take(self, occurrences: Iterable[Occurrence]) -> Plan:
        """Take up what is new of some occurrences, in the order in which they happened."""
        new = {o.event_id: o for o in occurrences if o.event_id not in self.known}
        self.known |= set(new)
        for recovering, group in groupby(sorted(new.values(), key=in_order), key=lambda o: o.recovers):
            if recovering:
                self._recover(list(group))
            else:
                self._open(list(group))
        return self

    def _incident(self, incident_id: str, opened_at: datetime) -> Incident:
        return self.incidents.setdefault(incident_id, Incident(incident_id, opened_at))

    def _incident_of(self, occurrence: Occurrence) -> Incident:
        """The open incident that holds the same thing, or has the same cause; else a new one."""
        going_on = [incident for incident in self.incidents.values() if incident.open]
        for incident in going_on:
            if occurrence.scope in incident.open:
                return incident
        for incident in going_on:
            if occurrence.cause_key in incident.causes:
                return incident
        over = sum(occurrence.cause_key in incident.causes for incident in self.incidents.values())
        return self._incident(identifier(occurrence.cause_key, over), occurrence.at)

    def _open(self, occurrences: list[Occurrence]) -> None:
        incidents: dict[str, list[Occurrence]] = {}
        for occurrence in occurrences:
            incident = self._incident_of(occurrence)
            if self._is_old_news(incident, occurrence):
                continue
            incident.take(occurrence)
            incidents.setdefault(incident.incident_id, []).append(occurrence)
        for incident_id, group in incidents.items():
            self._tell(self.incidents[incident_id], group)

    def _is_old_news(self, incident: Incident, occurrence: Occurrence) -> bool:
        """Whether rows are still set aside as everybody knows. Gates find them at every run: not even a note is made."""
        before = incident.open.get(occurrence.scope)
        return (
            occurrence.kind == "quarantined"
            and before is not None
            and before.weight >= occurrence.weight
            and all(self._knows(incident, route, occurrence) for route in self._routes(occurrence))
        )

    def _tell(self, incident: Incident, group: list[Occurrence]) -> None:
        told: set[str] = set()
        routes: dict[Route, list[Occurrence]] = {}
        for occurrence in group:
            if silence := self.routing.silence(occurrence.name, self.now):
                told.add(occurrence.event_id)
                self._note(incident, occurrence, f"silenced until {silence.until:%Y-%m-%d %H:%M} UTC: {silence.reason}")
                continue
            for route in self._routes(occurrence):
                if not self._knows(incident, route, occurrence):
                    routes.setdefault(route, []).append(occurrence)
        for route, untold in routes.items():
            told |= {o.event_id for o in untold}
            message = self._message(incident, untold)
            self._add(incident, route, message, self.routing.tell_at(message.severity, self.now))
        self._escalate(incident, [o for untold in routes.values() for o in untold])
        for occurrence in group:
            if occurrence.event_id not in told:
                self._note(incident, occurrence, TOLD)

    def _escalate(self, incident: Incident, untold: Sequence[Occurrence]) -> None:
        """Plan the repetitions of an incident; its end silences those that are left."""
        urgent = list({o.event_id: o for o in untold if o.kind != "sla_at_risk"}.values())
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
                    self._add(incident, route, message, self.routing.tell_at(severity, self.now + step.after))

    def _recover(self, occurrences: list[Occurrence]) -> None:
        ended: dict[str, list[Occurrence]] = {}
        for occurrence in occurrences:
            for incident in self.incidents.values():
                going_on = incident.open.get(occurrence.scope)
                # Reported again, an earlier recovery does not end what has happened since.
                if going_on is not None and going_on.at <= occurrence.at:
                    incident.take(occurrence)
                    ended.setdefault(incident.incident_id, []).append(occurrence)
        for incident_id, group in ended.items():
            self._close(self.incidents[incident_id], group)

    def _close(self, incident: Incident, group: list[Occurrence]) -> None:
        """Tell every route all of whose things are well again, once; note the others."""
        said: set[str] = set()
        routes = {alert.route: None for alert in incident.alerts if alert.route is not None}
        for route in routes:
            history = incident.told(route)
            mine = self._concerns(route, history)
            if not history or any(mine(occurrence) for occurrence in incident.open.values()):
                continue
            for alert in history:
                if alert.state == "pending":
                    self._silence(incident, alert)
            well = [occurrence for occurrence in incident.recovered.values() if mine(occurrence)]
            if well and worth_a_recovery(route, history):
                said |= {o.event_id for o in well}
                message = self._message(incident, well)
                self._add(incident, route, message, self.routing.tell_at(message.severity, self.now))
        for occurrence in group:
            if occurrence.event_id not in said:
                self._note(incident, occurrence, None)

    def _concerns(self, route: Route, history: Sequence[Alert]) -> Callable[[Occurrence], bool]:
        """Whether an occurrence is one that a route was told of, or would have been if it had not known already."""
        scopes = {occurrence.scope for alert in history for occurrence in alert.message.occurrences}
        reminded = any(alert.message.step for alert in history)
        return lambda occurrence: reminded or occurrence.scope in scopes or route in self._all_routes(occurrence)

    def _knows(self, incident: Incident, route: Route, occurrence: Occurrence) -> bool:
        """Whether a route has been told as much already. Not too long ago: only rows set aside may stay so for long."""
        return any(
            alert.message.weight >= occurrence.weight
            and CRITICALITIES.index(alert.severity) >= CRITICALITIES.index(occurrence.severity)
            for alert in (incident.told(route) if occurrence.kind == "quarantined" else self._recent(incident, route))
        )

    def _recent(self, incident: Incident, route: Route) -> list[Alert]:
        return [alert for alert in incident.told(route) if alert.created_at > self.now - self.routing.remind_after]

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
        weightiest = max(occurrences, key=lambda o: (o.weight, CRITICALITIES.index(o.severity)))
        return Message(
            incident_id=incident.incident_id,
            opened_at=incident.opened_at,
            kind=weightiest.kind,
            severity=severest([o.severity for o in occurrences]),
            step=step,
            after=after,
            owners=tuple(sorted(set(owners) or {o.owner for o in occurrences})),
            occurrences=tuple(sorted(occurrences, key=lambda o: (-CRITICALITIES.index(o.severity), o.name))),
        )

    def _add(self, incident: Incident, route: Route, message: Message, when: datetime) -> None:
        alike = [a for a in incident.alerts if (a.route, a.kind, a.message.step) == (route, message.kind, message.step)]
        alert = Alert.of(message, route, len(alike), self.now, when)
        incident.alerts.append(alert)
        self.added.append(alert)

    def _note(self, incident: Incident, occurrence: Occurrence, why: str | None) -> None:
        """A row that nobody is sent: it keeps what is known of the incident."""
        alert = Alert.of(self._message(incident, [occurrence]), None, occurrence.event_id, self.now, self.now)
        alert = replace(alert, state="silent", error=why)
        incident.alerts.append(alert)
        self.added.append(alert)

    def _silence(self, incident: Incident, alert: Alert) -> None:
        quiet = replace(alert, state="silent", error=OVER)
        incident.alerts[incident.alerts.index(alert)] = quiet
        if alert in self.added:
            self.added[self.added.index(alert)] = quiet
        else:
            self.silenced.append(alert.alert_id)
