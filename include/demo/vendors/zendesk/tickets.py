"""Zendesk's tickets, their metrics, satisfaction ratings and survey responses."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.demo.vendors.common import Row, iso, number_of, seconds
from include.demo.vendors.zendesk.objects import ANONYMOUS, ESCALATED, FIELDS, Object, field_id

PRIORITIES = {"critical": "urgent", "high": "high", "medium": "normal", "low": "low", None: None}
STATUSES = {
    "open": "open",
    "pending": "pending",
    "on_hold": "hold",
    "escalated": "open",
    "resolved": "solved",
    "closed": "closed",
    "merged": "closed",
    "deleted": "deleted",
}
_CHANNELS = {"email": "email", "chat": "chat", "phone": "voice", "social": "facebook", "web": "web", "app": "mobile_sdk"}
SCRUBBED = "SCRUBBED"
#: A survey may be answered so long after it was sent.
SURVEY_OPEN_FOR = timedelta(days=28)
GOOD_FROM = 4
"""The lowest score of 1 to 5 that is a good rating."""


def requester_id(row: Row) -> int:
    """The user who requests a ticket."""
    return number_of(row["contact_id"] or ANONYMOUS)


def via(row: Row) -> Object:
    """Where a ticket came from."""
    return {"channel": _CHANNELS[row["channel"]], "source": {"from": {}, "rel": None, "to": {}}}


def ticket(row: Row, generated: datetime, rating: Object | None) -> Object:
    """A ticket of the company.

    Args:
        row: a row of tickets. It may also have `scrubbed`.
        generated: when Zendesk last touched the ticket, which may be later than its last update.
        rating: its satisfaction rating; None if it was never asked for.
    """
    scrubbed = row.get("scrubbed", False)
    status = STATUSES[row["status"]]
    values = [{"id": field_id(column), "value": None if scrubbed else row[column]} for column, _, _ in FIELDS]
    is_merged = row["merged_into_ticket_id"] is not None
    subject = SCRUBBED if scrubbed else row["subject"]
    return {
        "id": number_of(row["ticket_id"]),
        "allow_attachments": True,
        "allow_channelback": False,
        "assignee_id": number_of(row["assignee_user_id"]) if row["assignee_user_id"] else None,
        "brand_id": number_of("brand"),
        "collaborator_ids": [],
        "created_at": iso(row["created_at"]),
        "custom_fields": values,
        "custom_status_id": ESCALATED if row["status"] == "escalated" else number_of(f"status/{status}"),
        "description": subject,
        "due_at": None,
        "email_cc_ids": [],
        "external_id": row["ticket_id"],
        "fields": values,
        "follower_ids": [],
        "followup_ids": [],
        "forum_topic_id": None,
        "from_messaging_channel": False,
        "generated_timestamp": seconds(generated),
        "group_id": number_of("group"),
        "has_incidents": False,
        "is_public": True,
        "organization_id": number_of(row["account_id"]) if row["account_id"] else None,
        "priority": PRIORITIES[row["priority"]],
        "problem_id": None,
        "raw_subject": subject,
        "recipient": None,
        "requester_id": requester_id(row),
        "satisfaction_rating": {"score": "unoffered"} if rating is None else {"id": rating["id"], "score": rating["score"]},
        "sharing_agreement_ids": [],
        "status": status,
        "subject": subject,
        "submitter_id": requester_id(row),
        "tags": ["closed_by_merge"] if is_merged else [],
        "ticket_form_id": number_of("form"),
        "type": "incident",
        "updated_at": iso(row["updated_at"]),
        "via": via(row),
    }


def metrics(row: Row) -> Object:
    """The metrics of a ticket, which an export shows with `include=metric_sets`. Minutes of business hours are those of the calendar."""
    created, replied, solved = row["created_at"], row["first_responded_at"], row["resolved_at"]
    return {
        "id": number_of(f"metrics/{row['ticket_id']}"),
        "agent_wait_time_in_minutes": _minutes(None, None),
        "assigned_at": iso(created),
        "assignee_stations": 1,
        "assignee_updated_at": iso(replied),
        "created_at": iso(created),
        "first_resolution_time_in_minutes": _minutes(created, solved),
        "full_resolution_time_in_minutes": _minutes(created, solved),
        "group_stations": 1,
        "initially_assigned_at": iso(created),
        "latest_comment_added_at": iso(replied or created),
        "on_hold_time_in_minutes": _minutes(None, None),
        "reopens": row["reopened_count"],
        "replies": 0 if replied is None else 1,
        "reply_time_in_minutes": _minutes(created, replied),
        "requester_updated_at": iso(created),
        "requester_wait_time_in_minutes": _minutes(created, solved),
        "solved_at": iso(solved),
        "status_updated_at": iso(row["updated_at"]),
        "ticket_id": number_of(row["ticket_id"]),
        "updated_at": iso(row["updated_at"]),
    }


def _minutes(begin: datetime | None, end: datetime | None) -> Object:
    minutes = None if begin is None or end is None else int((end - begin).total_seconds()) // 60
    return {"business": minutes, "calendar": minutes}


def satisfaction_rating(row: Row, ticket: Row) -> Object:
    """The rating of a ticket, good or bad, which accounts from before 2025 have."""
    score = "offered"
    if row["responded_at"] is not None:
        score = "good" if row["score"] >= GOOD_FROM else "bad"
    return {
        "id": number_of(row["response_id"]),
        "assignee_id": number_of(ticket["assignee_user_id"]) if ticket["assignee_user_id"] else None,
        "comment": row["comment"],
        "created_at": iso(row["sent_at"]),
        "group_id": number_of("group"),
        "reason": None,
        "reason_code": 0,
        "requester_id": requester_id(ticket),
        "score": score,
        "ticket_id": number_of(row["ticket_id"]),
        "updated_at": iso(row["updated_at"]),
    }


def survey_response(row: Row, ticket: Row) -> Object:
    """An answered survey with a score of 1 to 5. Zendesk lists no survey that nobody has answered."""
    at = iso(row["responded_at"])
    question = {"id": "01RATING", "type": "rating_scale", "sub_type": "numeric"}
    category = "good" if row["score"] >= GOOD_FROM else "bad" if row["score"] < 3 else "neutral"
    times = {"created_at": at, "updated_at": at}
    answers = [{"type": "rating_scale", "question": question, "rating": row["score"], "rating_category": category, **times}]
    if row["comment"] is not None:
        question = {"id": "02COMMENT", "type": "open_ended"}
        answers.append({"type": "open_ended", "question": question, "value": row["comment"], **times})
    id_ = number_of(row["ticket_id"])
    return {
        "id": row["response_id"],
        "answers": answers,
        "expires_at": iso(row["sent_at"] + SURVEY_OPEN_FOR),
        "responder_id": requester_id(ticket),
        "subjects": [{"id": str(id_), "type": "ticket", "zrn": f"zen:ticket:{id_}"}],
        "survey_id": "01SURVEY",
        "survey_version": 1,
    }
