"""Fields that several of Salesforce's objects have, and values that Salesforce derives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from include.demo.vendors.common import Account, Row
from include.demo.vendors.salesforce import words
from include.demo.vendors.salesforce.ids import record_id
from include.demo.vendors.salesforce.shape import Field, Source, reference

AUTOMATED = "automated process"
"""The key of the user who owns what no employee owns: in Salesforce each record has an owner."""
FACILITY = "a00"


def owner(name: str, column: str) -> Field:
    """An owner or other user. What no employee owns belongs to the automated process."""
    return Field(name, lambda row, account: record_id("005", row.get(column) or AUTOMATED), "reference", to="User")


def plain(name: str, column: str) -> Field:
    """A text."""
    return Field(name, column)


def pick(name: str, column: str, values: dict[str, str] | None = None) -> Field:
    """A picklist."""
    return Field(name, column, "picklist", values)


def stamps(created: str = "created_at", modified: str = "updated_at") -> tuple[Field, ...]:
    """The system fields of a record. `created` is the column of its creation, `modified` of its last change by a user."""
    return (
        Field("CreatedDate", lambda row, account: row.get(created) or row["updated_at"], "datetime"),
        Field("LastModifiedDate", modified, "datetime"),
        Field("SystemModstamp", "updated_at", "datetime"),
    )


def money(name: str, column: str) -> Field:
    """An amount of money."""
    return Field(name, column, "currency")


def number(name: str, source: Source) -> Field:
    """A number."""
    return Field(name, source, "double")


ISO = Field("CurrencyIsoCode", "currency", "picklist")
AT_FACILITY = reference("Facility__c", "facility_id", "Facility__c", FACILITY)
MASTER_ACCOUNT = reference("MasterRecordId", "merged_into_account_id", "Account", "001")


def name_part(row: Row, position: int) -> str | None:
    """A part of an employee's name: the first word, or the rest."""
    parts = (row["full_name"] or "").split(" ", 1)
    return parts[position] if position < len(parts) else None


def address(row: Row, account: Account) -> dict[str, Any] | None:
    """The compound address of an account."""
    if row["country"] is None and row["city"] is None:
        return None
    return {"city": row["city"], "country": row["country"], "postalCode": None, "state": None, "street": None}


def full_name(row: Row, account: Account) -> str:
    """The compound name of a contact."""
    return " ".join(part for part in (row["first_name"], row["last_name"]) if part)


def close_date(row: Row, account: Account) -> Any:
    """An opportunity always has a close date: 90 days from its creation, unless somebody wrote another."""
    return row["expected_close_date"] or (row["created_at"] + timedelta(days=90)).date()


def is_closed(row: Row, account: Account) -> bool:
    """Whether an opportunity is won or lost."""
    return bool(row["stage"].startswith("closed"))


def age(row: Row, account: Account) -> Any:
    """A formula: the days from the creation of an opportunity to its end, or until now."""
    return ((row["closed_at"] or account.now) - row["created_at"]).days


def is_closed_activity(row: Row, account: Account) -> bool:
    """Whether an activity is completed or cancelled."""
    return row["status"] in ("completed", "cancelled")


def is_archived(row: Row, account: Account) -> bool:
    """Closed activities that are a year old are archived: only queryAll finds them."""
    due = row["due_at"] or row["created_at"]
    return is_closed_activity(row, account) and due < account.now - timedelta(days=365)


def what(row: Row, account: Account) -> str | None:
    """What an activity is about: an opportunity, else an account."""
    if row["deal_id"] is not None:
        return record_id("006", row["deal_id"])
    return row["account_id"] and record_id("001", row["account_id"])


def due_day(row: Row, account: Account) -> Any:
    """The day at which a task is due."""
    return row["due_at"] and row["due_at"].date()


def call_seconds(row: Row, account: Account) -> int | None:
    """The duration of a call."""
    return None if row["duration_minutes"] is None else row["duration_minutes"] * 60


def starts(row: Row, account: Account) -> Any:
    """The start of an event."""
    return row["completed_at"] or row["due_at"] or row["created_at"]


def ends(row: Row, account: Account) -> Any:
    """The end of an event. It is the start, if nobody wrote a duration."""
    return starts(row, account) + timedelta(minutes=row["duration_minutes"] or 0)


ACTIVITY = (
    reference("WhoId", "contact_id", "Contact", "003"),
    Field("WhatId", what, "reference", to="Opportunity"),
    reference("AccountId", "account_id", "Account", "001"),
    owner("OwnerId", "user_id"),
    plain("Subject", "subject"),
    pick("Outcome__c", "outcome", words.OUTCOMES),
    Field("Due__c", "due_at", "datetime"),
    Field("IsArchived", is_archived, "boolean"),
    *stamps(),
)


def target_date(row: Row, account: Account) -> Any:
    """The time at which a milestone is violated."""
    return row["breached_at"] or row["created_at"] + timedelta(minutes=row["target_minutes"])
