"""Zendesk's organizations, people and settings: the rows of the demo company in Zendesk's shapes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from include.demo.vendors.common import Account, Row, iso, number_of

Object = dict[str, Any]

ANONYMOUS = "anonymous requester"
"""The key of the user who requests the tickets of which the company does not know the contact."""
#: Zendesk names time zones as Ruby on Rails does.
_ZONES = {
    "America/New_York": "Eastern Time (US & Canada)",
    "Asia/Tokyo": "Tokyo",
    "Europe/Berlin": "Berlin",
    "Europe/London": "London",
}
_ROLES = {"support_agent": "agent", "manager": "admin"}
#: The custom fields of tickets: the column of the company, the title, and the type of the field.
FIELDS = (
    ("facility_id", "Facility", "tagger"),
    ("product_id", "Product", "tagger"),
    ("category_id", "Category", "tagger"),
    ("root_cause_id", "Root cause", "tagger"),
    ("app_version", "App version", "text"),
)
ESCALATED = number_of("status/escalated")
"""The custom status for escalated tickets. Its category is open."""


def field_id(column: str) -> int:
    """The id of the custom field for a column of the company."""
    return number_of(f"field/{column}")


def organization(row: Row) -> Object:
    """An account of the company."""
    return {
        "id": number_of(row["account_id"]),
        "created_at": iso(row["created_at"]),
        "deleted_at": None,
        "details": None,
        "domain_names": [row["domain"]] if row["domain"] else [],
        "external_id": row["account_id"],
        "group_id": None,
        "name": row["name"],
        "notes": None,
        "organization_fields": {"industry": row["industry"], "plan": row["plan_tier"], "region": row["region"]},
        "shared_comments": False,
        "shared_tickets": False,
        "tags": [],
        "updated_at": iso(row["updated_at"]),
    }


def agents(account: Account) -> list[Object]:
    """The employees who work in the help desk."""
    zone = account.organization["timezone"]
    return [
        _user(row["user_id"], row["full_name"], row["email"], _ROLES[row["role"]], zone, row["created_at"], row["updated_at"])
        | {"active": row["is_active"], "default_group_id": number_of("group")}
        for row in account.tables["users"]
        if row["role"] in _ROLES
    ]


def end_user(row: Row, zone: str) -> Object:
    """A contact of the company."""
    name = f"{row['first_name']} {row['last_name']}"
    made = _user(row["contact_id"], name, row["email"], "end-user", zone, row["created_at"], row["updated_at"])
    fields = {"job_title": row["title"], "primary_contact": row["is_primary"]}
    return made | {"organization_id": number_of(row["account_id"]), "phone": row["phone"], "user_fields": fields}


def end_users(account: Account) -> list[Object]:
    """The contacts of the company, those of the day before as deleted users, and the one for unknown requesters."""
    zone, created = account.organization["timezone"], account.organization["created_at"]
    result = [end_user(row, zone) for row in account.tables["contacts"]]
    deleted = iso(account.now - timedelta(hours=19))
    result += [end_user(row, zone) | {"active": False, "updated_at": deleted} for row in account.gone.get("contacts", [])]
    return [*result, _user(ANONYMOUS, "Unknown requester", None, "end-user", zone, created, created) | {"external_id": None}]


def _user(key: str, name: str, email: str | None, role: str, zone: str, created: datetime, updated: datetime) -> Object:
    return {
        "id": number_of(key),
        "active": True,
        "alias": None,
        "created_at": iso(created),
        "custom_role_id": None,
        "default_group_id": None,
        "details": None,
        "email": email,
        "external_id": key,
        "iana_time_zone": zone,
        "last_login_at": None,
        "locale": "en-US",
        "locale_id": 1,
        "moderator": False,
        "name": name,
        "notes": None,
        "organization_id": None,
        "phone": None,
        "photo": None,
        "role": role,
        "shared": False,
        "shared_agent": False,
        "shared_phone_number": None,
        "signature": None,
        "suspended": False,
        "tags": [],
        "ticket_restriction": "requested" if role == "end-user" else None,
        "time_zone": rails_zone(zone),
        "updated_at": iso(updated),
        "user_fields": {},
        "verified": email is not None,
    }


def rails_zone(zone: str) -> str:
    """The name of a time zone at Zendesk."""
    return _ZONES.get(zone, zone)


def group(account: Account) -> Object:
    """The only group of agents."""
    created = iso(account.organization["created_at"])
    name = {"id": number_of("group"), "default": True, "deleted": False, "description": "", "is_public": True, "name": "Support"}
    return name | {"created_at": created, "updated_at": created}


def custom_statuses(account: Account) -> list[Object]:
    """The statuses that agents see: one per category, and one for escalated tickets, whose category is open."""
    created = iso(account.organization["created_at"])
    words = ("new", "open", "pending", "hold", "solved")
    rows = [(number_of(f"status/{word}"), word, word.title(), True) for word in words] + [(ESCALATED, "open", "Escalated", False)]
    return [
        {
            "id": id_,
            "active": True,
            "agent_label": label,
            "created_at": created,
            "default": default,
            "end_user_label": label,
            "status_category": category,
            "updated_at": created,
        }
        for id_, category, label, default in rows
    ]


def ticket_fields(account: Account) -> list[Object]:
    """The custom fields of tickets. The names of options show their parents: Billing::Refunds."""
    tables = account.tables
    created = account.organization["created_at"]
    parents = {row["name"]: row["parent_name"] for row in tables["ticket_categories"]}
    options: dict[str, list[tuple[str, str]]] = {
        "facility_id": [(row["name"], row["facility_id"]) for row in tables["facilities"]],
        "product_id": [(row["name"], row["product_id"]) for row in tables["products"]],
        "category_id": [(_path(row["name"], parents), row["category_id"]) for row in tables["ticket_categories"]],
        "root_cause_id": [(f"{row['category']}::{row['name']}", row["root_cause_id"]) for row in tables["root_causes"]],
    }
    return [
        {
            "id": field_id(column),
            "active": True,
            "agent_description": None,
            "created_at": iso(created),
            "description": title,
            "key": column,
            "position": position,
            "removable": True,
            "required": False,
            "tag": None,
            "title": title,
            "type": kind,
            "updated_at": iso(created),
        }
        | ({"custom_field_options": _options(options[column])} if kind == "tagger" else {})
        for position, (column, title, kind) in enumerate(FIELDS)
    ]


def _path(name: str, parents: dict[str, str | None]) -> str:
    parent = parents.get(name)
    return f"{parent}::{name}" if parent else name


def _options(options: list[tuple[str, str]]) -> list[Object]:
    """Options of a drop-down field. The value of an option is a tag: lower case, without spaces."""
    return [
        {"id": number_of(f"option/{value}"), "default": False, "name": name, "raw_name": name, "value": value}
        for name, value in options
    ]


def _current(rows: list[Row], today: date) -> list[Row]:
    """The rows of the newest day of validity."""
    newest = max((row["valid_from"] for row in rows if row["valid_from"] <= today), default=None)
    return [row for row in rows if row["valid_from"] == newest]


def sla_policy(account: Account) -> Object:
    """The SLA policy of today. Zendesk keeps no earlier targets."""
    rows = _current(account.tables["sla_policies"], account.now.date())
    metrics = {"first_reply_time": "first_response_minutes", "total_resolution_time": "resolution_minutes"}
    created = account.organization["created_at"]
    priorities = {"critical": "urgent", "high": "high", "medium": "normal", "low": "low"}
    return {
        "id": number_of("policy"),
        "created_at": iso(created),
        "description": "Targets for all tickets",
        "filter": {"all": [{"field": "ticket_type_id", "operator": "is_not", "value": "4"}], "any": []},
        "policy_metrics": [
            {
                "business_hours": row["clock"] == "business",
                "metric": metric,
                "priority": priorities[row["priority"]],
                "target": row[column],
                "target_in_seconds": 60 * row[column],
            }
            for row in rows
            for metric, column in metrics.items()
        ],
        "position": 1,
        "title": "Standard",
        "updated_at": iso(created),
    }


def schedule(account: Account) -> Object:
    """The opening hours of today, in minutes since Sunday 00:00, local time."""
    rows = _current(account.tables["business_hours"], account.now.date())
    created = iso(account.organization["created_at"])
    intervals = [
        {
            "start_time": row["weekday"] % 7 * 1440 + _minutes(row["opens_at"]),
            "end_time": row["weekday"] % 7 * 1440 + _minutes(row["closes_at"]),
        }
        for row in rows
    ]
    return {
        "id": number_of("schedule"),
        "created_at": created,
        "intervals": sorted(intervals, key=lambda interval: interval["start_time"]),
        "name": "Opening hours",
        "time_zone": rails_zone(account.organization["timezone"]),
        "updated_at": created,
    }


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def holidays(account: Account) -> list[Object]:
    """The holidays of the schedule."""
    return [
        {
            "id": number_of(f"holiday/{row['holiday_date']}"),
            "end_date": row["holiday_date"].isoformat(),
            "name": row["name"],
            "start_date": row["holiday_date"].isoformat(),
        }
        for row in account.tables["holidays"]
    ]
