"""What one Zendesk account holds: its lists, the rows of each export with their times, and the audits of each ticket."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from include.demo.vendors.common import Account, Row, iso, number_of, seconds
from include.demo.vendors.zendesk import objects
from include.demo.vendors.zendesk.history import Past, audits, metric_events, ticket_event
from include.demo.vendors.zendesk.objects import Object
from include.demo.vendors.zendesk.tickets import metrics, satisfaction_rating, survey_response, ticket

ARCHIVED_AFTER = timedelta(days=120)
"""A ticket that has been closed for so long is only in exports, and can be read by its id."""
_TOUCHED_AFTER = timedelta(hours=36)
_TOUCHED_EVERY = 50

Exported = tuple[int, Object]
"""A row of an export, with the second by which the export selects it."""


@dataclass
class Book:
    """The objects of a Zendesk account.

    Attributes:
        lists: the objects of each list.
        exports: the rows of each export, oldest first.
        by_id: single objects by list and id, among them those that are in no list.
        audits: the audits of each ticket.
        metrics: the metrics of each ticket, also of deleted and archived ones.
    """

    account: Account
    lists: dict[str, list[Object]] = field(default_factory=dict)
    exports: dict[str, list[Exported]] = field(default_factory=dict)
    by_id: dict[tuple[str, int], Object] = field(default_factory=dict)
    audits: dict[int, list[Object]] = field(default_factory=dict)
    metrics: dict[int, Object] = field(default_factory=dict)


def book_of(account: Account, with_ratings: bool) -> Book:
    """The company at Zendesk.

    Args:
        with_ratings: the account asks for good or bad ratings, as accounts from before 2025 do, and not for scores in surveys.
    """
    book = Book(account)
    users = [*objects.agents(account), *objects.end_users(account), *_merged_user(account)]
    organizations = [objects.organization(row) for row in account.tables["accounts"]]
    if account.spare is not None and account.second:
        deleted = iso(account.now - timedelta(hours=19))
        spare = account.spare["account_id"]
        organizations = [
            {**row, "deleted_at": deleted, "updated_at": deleted} if row["external_id"] == spare else row for row in organizations
        ]
    pasts = _pasts(account)
    surveys = [survey for past in pasts for survey in past.surveys]
    rows = {past.row["ticket_id"]: past.row for past in pasts}
    ratings = [satisfaction_rating(survey, rows[survey["ticket_id"]]) for survey in surveys] if with_ratings else []
    answered = [survey for survey in surveys if survey["responded_at"] is not None and not with_ratings]
    policy = objects.sla_policy(account)
    rated = {rating["ticket_id"]: rating for rating in ratings}
    touched = {past.row["ticket_id"]: _generated(past.row, account) for past in pasts}
    tickets = [ticket(past.row, touched[past.row["ticket_id"]], rated.get(number_of(past.row["ticket_id"]))) for past in pasts]
    for past, made in zip(pasts, tickets, strict=True):
        book.audits[made["id"]] = audits(past)
        book.metrics[made["id"]] = metrics(past.row)
    listed = [made for past, made in zip(pasts, tickets, strict=True) if _is_listed(past.row, account.now)]
    book.lists = {
        "business_hours/schedules": [objects.schedule(account)],
        "custom_statuses": objects.custom_statuses(account),
        "groups": [objects.group(account)],
        "guide/survey_responses": [survey_response(survey, rows[survey["ticket_id"]]) for survey in answered],
        "organizations": [row for row in organizations if row["deleted_at"] is None],
        "satisfaction_ratings": ratings,
        "slas/policies": [policy],
        "ticket_audits": [shown(audit) for made in listed for audit in book.audits[made["id"]]],
        "ticket_fields": objects.ticket_fields(account),
        "ticket_metrics": [book.metrics[made["id"]] for made in listed],
        "tickets": listed,
        "users": [user for user in users if user["active"]],
    }
    everything = {**book.lists, "tickets": tickets, "users": users, "organizations": organizations}
    book.by_id = {(name, row["id"]): row for name, items in everything.items() for row in items}
    events = [(audit["created_at"], ticket_event(audit)) for items in book.audits.values() for audit in items]
    book.exports = {
        "tickets": _sorted((row["generated_timestamp"], row) for row in tickets),
        "users": _sorted((second(row["updated_at"]), row) for row in users),
        "organizations": _sorted((second(row["updated_at"]), row) for row in organizations),
        "ticket_events": _sorted((seconds(at), event) for at, event in events),
        "ticket_metric_events": _sorted((second(row["time"]), row) for past in pasts for row in metric_events(past, policy)),
    }
    return book


def shown(audit: Object) -> Object:
    """An audit in JSON."""
    return {**audit, "created_at": iso(audit["created_at"])}


def _sorted(rows: Any) -> list[Exported]:
    return sorted(rows, key=lambda row: (row[0], row[1]["id"]))


def second(text: str) -> int:
    """The second of an instant that is written in ISO 8601."""
    return seconds(datetime.fromisoformat(text))


def _is_listed(row: Row, now: datetime) -> bool:
    is_archived = row["status"] in ("closed", "merged") and row["updated_at"] < now - ARCHIVED_AFTER
    return row["status"] != "deleted" and not is_archived


def _generated(row: Row, account: Account) -> datetime:
    """When Zendesk last touched a ticket. It touches some tickets without an update, and the oldest one between the two days."""
    updated: datetime = row["updated_at"]
    first = account.before or account
    if account.second and row["ticket_id"] == min(first.tables["tickets"], key=lambda each: each["created_at"])["ticket_id"]:
        return account.now - timedelta(hours=22)
    is_touched = number_of(row["ticket_id"]) % _TOUCHED_EVERY == 0 and updated + _TOUCHED_AFTER < account.now
    return updated + _TOUCHED_AFTER if is_touched else updated


def _pasts(account: Account) -> list[Past]:
    """All tickets with their past, the company's and four more."""
    tables = account.tables
    priorities, surveys = defaultdict(list), defaultdict(list)
    reports: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in sorted(tables["ticket_priority_changes"], key=lambda row: row["changed_at"]):
        if row["from_priority"] is not None:
            priorities[row["ticket_id"]].append(row)
    for row in tables["survey_responses"]:
        if row["survey_type"] == "csat":
            surveys[row["ticket_id"]].append(row)
    for row in tables["ticket_sla_events"]:
        reports[row["ticket_id"]][row["metric"]] = row
    first = (account.before or account).tables
    changed = {row["ticket_id"] for row in tables["ticket_priority_changes"]}
    late = min(row["ticket_id"] for row in first["tickets"] if row["ticket_id"] not in changed)
    return [
        Past(row, priorities[id_], reports[id_], surveys[id_], id_ == late)
        for row in [*tables["tickets"], *_extra_tickets(account)]
        for id_ in [row["ticket_id"]]
    ]


def _merged_user(account: Account) -> list[Object]:
    """A duplicate of a contact, whom an agent merges into the contact on the second day. Merged users are deleted."""
    row = (account.before or account).tables["contacts"][0]
    made = objects.end_user(row, account.organization["timezone"])
    made |= {"id": number_of("user/merged"), "email": None, "external_id": None, "verified": False}
    return [{**made, "active": False, "updated_at": iso(account.now - timedelta(hours=18))} if account.second else made]


def _extra_tickets(account: Account) -> list[Row]:
    """Tickets of nobody's figures.

    One is deleted on the first day and restored on the second, one is deleted on the second day, one is deleted for good, and the last was
    never given a priority.
    """
    first = (account.before or account).now
    created, second = first - timedelta(days=5), account.second
    return [
        _extra_ticket("restored", created, first + timedelta(hours=3) if second else created, "open" if second else "deleted"),
        _extra_ticket("deleted", created, first + timedelta(hours=4) if second else created, "deleted" if second else "open"),
        {**_extra_ticket("scrubbed", created, created, "deleted"), "scrubbed": True},
        {**_extra_ticket("no priority", created, created, "open"), "priority": None},
    ]


def _extra_ticket(name: str, created: datetime, updated: datetime, status: str) -> Row:
    empty = (
        "account_id contact_id facility_id product_id category_id root_cause_id assignee_user_id app_version first_responded_at"
    )
    empty += " resolved_at merged_into_ticket_id"
    values = {"ticket_id": f"extra_{name}", "channel": "web", "priority": "low", "status": status, "subject": f"Test: {name}"}
    return {**dict.fromkeys(empty.split()), **values, "created_at": created, "updated_at": updated, "reopened_count": 0}
