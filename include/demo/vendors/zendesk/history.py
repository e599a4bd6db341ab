"""The history of Zendesk's tickets: audits, the events of the export, and the events of the metrics, which are Zendesk's view of SLAs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from include.demo.vendors.common import Row, iso, number_of, seconds
from include.demo.vendors.zendesk.objects import Object
from include.demo.vendors.zendesk.tickets import PRIORITIES, STATUSES, requester_id, via

_CLOSED_AFTER = timedelta(days=7)
_METRICS = {"first_response": "reply_time", "resolution": "resolution_time"}
PRIORITY_LATER = timedelta(minutes=10)
"""How long after its creation a ticket without a priority gets one."""


@dataclass(frozen=True)
class Past:
    """A ticket with what the company knows of its past.

    Attributes:
        priorities: its changes of priority after the creation, oldest first.
        reports: what the help desk measured, by metric.
        surveys: its surveys.
        late_priority: whether the ticket began without a priority.
    """

    row: Row
    priorities: list[Row] = field(default_factory=list)
    reports: dict[str, Row] = field(default_factory=dict)
    surveys: list[Row] = field(default_factory=list)
    late_priority: bool = False

    @property
    def solutions(self) -> list[tuple[datetime, datetime | None]]:
        """When the ticket was solved, and when it was reopened after that. The company knows the last solution only, and the number."""
        row, last = self.row, self.row["resolved_at"]
        result: list[tuple[datetime, datetime | None]] = []
        end = last or row["updated_at"]
        if row["reopened_count"]:
            known = self.reports.get("resolution", {}).get("fulfilled_at")
            begin = row["first_responded_at"] or row["created_at"]
            first = known if known is not None and known < end else begin + (end - begin) / 2
            result.append((first, first + (end - first) / 2))
        return [*result, (last, None)] if last is not None else result


def audits(past: Past) -> list[Object]:
    """The audits of a ticket, oldest first. Each is one update, with the events that belong to it. `created_at` is a datetime."""
    row = past.row
    steps = sorted(_steps(past), key=lambda step: step[0])
    result = []
    for number, (at, author, events) in enumerate(steps):
        key = f"audit/{row['ticket_id']}/{seconds(at)}/{number}"
        is_merge = row["merged_into_ticket_id"] is not None and number == len(steps) - 1
        result.append(
            {
                "id": number_of(key),
                "author_id": author,
                "created_at": at,
                "events": [{"id": number_of(f"{key}/{position}"), **event} for position, event in enumerate(events)],
                "metadata": {"custom": {}, "system": {}},
                "ticket_id": number_of(row["ticket_id"]),
                "via": _merge_source(row) if is_merge else via(row),
            }
        )
    return result


def _merge_source(row: Row) -> Object:
    target = {"ticket_id": number_of(row["merged_into_ticket_id"])}
    return {"channel": "web", "source": {"from": target, "rel": "merge", "to": {}}}


def _steps(past: Past) -> Iterator[tuple[datetime, int, list[Object]]]:
    row = past.row
    agent = number_of(row["assignee_user_id"]) if row["assignee_user_id"] else -1
    created = row["created_at"]
    priority = past.priorities[0]["from_priority"] if past.priorities else row["priority"]
    first = None if past.late_priority else PRIORITIES[priority]
    opening = [
        {"type": "Comment", **_comment(requester_id(row), row["subject"])},
        _create("subject", row["subject"]),
        _create("status", "open"),
        _create("requester_id", str(requester_id(row))),
        _create("assignee_id", str(agent) if agent > 0 else None),
    ]
    yield created, requester_id(row), [*opening, *([_create("priority", first)] if first else [])]
    if past.late_priority and row["priority"] is not None:
        yield created + PRIORITY_LATER, agent, [_change("priority", PRIORITIES[row["priority"]], None)]
    for change in past.priorities:
        before, after = PRIORITIES[change["from_priority"]], PRIORITIES[change["to_priority"]]
        yield change["changed_at"], agent, [_change("priority", after, before)]
    if row["first_responded_at"] is not None:
        yield row["first_responded_at"], agent, [{"type": "Comment", **_comment(agent, "Thank you, we look into it.")}]
    for survey in past.surveys:
        yield (
            survey["sent_at"],
            -1,
            [{"type": "SurveyOffered", "survey_id": "01SURVEY", "survey_response_id": survey["response_id"]}],
        )
        if survey["responded_at"] is not None:
            answered: Object = {"type": "SurveyResponseSubmitted", "survey_response_id": survey["response_id"]}
            yield survey["responded_at"], requester_id(row), [answered]
    yield from _status_steps(past, agent)


def _status_steps(past: Past, agent: int) -> Iterator[tuple[datetime, int, list[Object]]]:
    row, status = past.row, "open"
    for solved, reopened in past.solutions:
        yield solved, agent, [_change("status", "solved", status)]
        status = "solved"
        if reopened is not None:
            yield reopened, requester_id(row), [_change("status", "open", "solved")]
            status = "open"
    now = STATUSES[row["status"]]
    if now != status:
        solved = row["resolved_at"]
        at = row["updated_at"]
        if now == "closed" and solved is not None:
            at = min(at, solved + _CLOSED_AFTER)
        yield at, agent, [_change("status", now, status)]


def _create(name: str, value: Any) -> Object:
    return {"type": "Create", "field_name": name, "value": value}


def _change(name: str, value: Any, previous: Any) -> Object:
    return {"type": "Change", "field_name": name, "previous_value": previous, "value": value}


def _comment(author: int, body: str) -> Object:
    return {"attachments": [], "author_id": author, "body": body, "html_body": body, "plain_body": body, "public": True}


def ticket_event(audit: Object) -> Object:
    """An audit as the export of ticket events shows it: a changed field is a key of its own, and its name is nowhere else."""
    children = []
    for event in audit["events"]:
        child = {"id": event["id"], "event_type": event["type"], "via": "Web form", "via_reference_id": None}
        if event["type"] == "Comment":
            child |= {**event, "created_at": iso(audit["created_at"])}
        elif "field_name" in event:
            child[event["field_name"]] = event["value"]
            child |= {"previous_value": event["previous_value"]} if event["type"] == "Change" else {}
        children.append(child)
    return {
        "id": audit["id"],
        "child_events": children,
        "created_at": iso(audit["created_at"]),
        "event_type": "Audit",
        "system": audit["metadata"]["system"],
        "ticket_id": audit["ticket_id"],
        "timestamp": seconds(audit["created_at"]),
        "updater_id": audit["author_id"],
        "via": "Web form",
    }


def metric_events(past: Past, policy: Object) -> list[Object]:
    """The events of a ticket's metrics, oldest first.

    Every ticket has them. Only tickets that the help desk measured against an SLA have `apply_sla`, `breach` and `update_status`.
    An SLA of which the company does not know whether it was breached has a breach that was deleted.
    """
    row = past.row
    replied, solutions = row["first_responded_at"], past.solutions
    events: list[tuple[datetime, str, int, str, Object]] = []
    for metric in ("reply_time", "resolution_time", "requester_wait_time", "agent_work_time"):
        events.append((row["created_at"], metric, 1, "activate", {}))
    if replied is not None:
        events.append((replied, "reply_time", 1, "fulfill", {}))
    for number, (solved, reopened) in enumerate(solutions, 1):
        for metric in ("resolution_time", "requester_wait_time", "agent_work_time"):
            events.append((solved, metric, number, "fulfill", {}))
            if reopened is not None:
                events.append((reopened, metric, number + 1, "activate", {}))
    if row["status"] in ("pending", "on_hold"):
        events.append((row["updated_at"], "agent_work_time", len(solutions) + 1, "pause", {}))
    for name, report in past.reports.items():
        events += _measured(_METRICS[name], row, report, policy)
    events.sort(key=lambda event: event[0])
    return [
        {
            "id": number_of(f"metric/{row['ticket_id']}/{metric}/{instance}/{kind}/{seconds(at)}"),
            "instance_id": instance,
            "metric": metric,
            "ticket_id": number_of(row["ticket_id"]),
            "time": iso(at),
            "type": kind,
            **values,
        }
        for at, metric, instance, kind, values in events
    ]


def _measured(metric: str, row: Row, report: Row, policy: Object) -> Iterator[tuple[datetime, str, int, str, Object]]:
    target, stopped = report["target_minutes"], report["fulfilled_at"]
    sla: Object = {"business_hours": False, "policy": {"id": policy["id"], "title": policy["title"]}}
    yield row["created_at"], metric, 1, "apply_sla", {"sla": {**sla, "target": target, "target_in_seconds": 60 * target}}
    if report["breached"]:
        yield report["breached_at"], metric, 1, "breach", {}
    elif report["breached"] is None:
        yield stopped or row["created_at"], metric, 1, "breach", {"deleted": True}
    if stopped is not None:
        minutes = int(report["elapsed_minutes"])
        yield stopped, metric, 1, "update_status", {"status": {"business": minutes, "calendar": minutes}}
