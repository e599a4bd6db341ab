"""The objects of one HubSpot account: the demo company's rows as records, their associations and the history of their properties."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from include.demo.schema import TABLES
from include.demo.vendors.common import Account, Row, number_of
from include.demo.vendors.hubspot.kinds import BY_NAME, KINDS
from include.demo.vendors.hubspot.properties import probability
from include.demo.vendors.hubspot.shape import Kind, Type, object_id, text
from include.demo.vendors.hubspot.words import PRIORITIES, STAGES
from include.demo.vendors.references import consistent

RESTORED = "Entered by mistake, then restored"
"""The body of a note that only the vendor has. It is in the recycle bin on the first day, and restored on the second."""


@dataclass(frozen=True)
class Version:
    """A value that a property had, from an instant on."""

    value: str | None
    at: datetime
    user: int | None = None


@dataclass(frozen=True)
class Target:
    """An associated object, and the types of the association."""

    id: str
    types: tuple[Type, ...]

    @property
    def number(self) -> int:
        """The id as a number."""
        return int(self.id)


@dataclass
class Record:
    """An object. `properties` lacks what was never set. `targets` has the associated objects by the name of their type."""

    id: str
    properties: dict[str, str]
    created: datetime
    updated: datetime
    archived: datetime | None = None
    history: dict[str, list[Version]] = field(default_factory=dict)
    targets: dict[str, list[Target]] = field(default_factory=lambda: defaultdict(list))

    @property
    def number(self) -> int:
        """The id as a number, by which lists are ordered."""
        return int(self.id)


@dataclass(frozen=True)
class Portal:
    """A HubSpot account: its number, and its records by object type, ordered by id."""

    number: int
    account: Account
    records: dict[str, list[Record]]

    @cached_property
    def by_id(self) -> dict[str, dict[str, Record]]:
        """The records of each type by id, archived ones included."""
        return {name: {record.id: record for record in records} for name, records in self.records.items()}


def portal(account: Account) -> Portal:
    """The HubSpot account of one organization."""
    account = consistent(account)
    records = {kind.name: sorted(_records(kind, account), key=lambda record: record.number) for kind in KINDS}
    _merge(records["companies"], _losers(account, "accounts", "account_id", "merged_into_account_id"))
    _merge(records["tickets"], _losers(account, "tickets", "ticket_id", "merged_into_ticket_id"))
    _histories(records["deals"], _stage_versions(account))
    _histories(records["tickets"], _priority_versions(account))
    insort(records["notes"], _restored(account), key=lambda record: record.number)
    for kind in KINDS:
        _associate(kind, account, records)
    return Portal(number_of(account.organization["organization_id"], 24), account, records)


def _records(kind: Kind, account: Account) -> Iterable[Record]:
    merged_into = {"accounts": "merged_into_account_id", "tickets": "merged_into_ticket_id"}.get(kind.table, "")
    for row in account.tables[kind.table]:
        # The record that lost a merge is gone: only the survivor names it.
        if kind.where(row) and not row.get(merged_into):
            yield _record(kind, row)
    if kind.name == "contacts":
        # Contacts are erased on request, which leaves nothing, not even in the recycle bin.
        return
    for row in account.gone.get(kind.table, []):
        if kind.where(row):
            yield _record(kind, row, archived=account.now - timedelta(hours=1))


def _record(kind: Kind, row: Row, archived: datetime | None = None) -> Record:
    table = TABLES[kind.table]
    key = object_id(row[table.id])
    assert key is not None
    updated = row["updated_at"]
    created = row.get("created_at") or row.get("ordered_at") or updated
    values = {prop.name: prop.value(row) for prop in kind.properties}
    values |= {
        "hs_object_id": key,
        kind.created: text(created, "datetime"),
        kind.modified: text(updated, "datetime"),
    }
    return Record(key, {name: value for name, value in values.items() if value is not None}, created, updated, archived)


def _restored(account: Account) -> Record:
    kind = BY_NAME["notes"]
    first = account.now - timedelta(days=1 if account.second else 0)
    row: dict[str, Any] = {
        "activity_id": f"restored note of {account.organization['organization_id']}",
        "subject": RESTORED,
        "status": "completed",
        "completed_at": first - timedelta(days=9),
        "created_at": first - timedelta(days=9),
        "updated_at": account.now - timedelta(hours=6) if account.second else first - timedelta(days=9),
    }
    row |= dict.fromkeys(("due_at", "outcome", "user_id", "duration_minutes"))
    return _record(kind, row, archived=None if account.second else first - timedelta(hours=6))


def _losers(account: Account, table: str, key: str, into: str) -> dict[str, list[str]]:
    """The ids that each survivor of a merge absorbed."""
    result: dict[str, list[str]] = defaultdict(list)
    for row in account.tables[table]:
        if row[into]:
            result[str(object_id(row[into]))].append(str(object_id(row[key])))
    return result


def _merge(records: list[Record], losers: dict[str, list[str]]) -> None:
    for record in records:
        if record.id in losers:
            record.properties["hs_merged_object_ids"] = ";".join(losers[record.id])


def entered(stage: str) -> str:
    """The property with the time at which an object last entered a stage. HubSpot's list of properties lacks it."""
    return f"hs_v2_date_entered_{stage.replace('-', '_')}"


def _histories(records: list[Record], versions: dict[str, dict[str, list[Version]]]) -> None:
    for record in records:
        record.history = versions.get(record.id, {})
        for version in reversed(record.history.get("dealstage", [])):
            record.properties[entered(str(version.value))] = str(text(version.at, "datetime"))


def _stage_versions(account: Account) -> dict[str, dict[str, list[Version]]]:
    """By deal, the versions of its stage, amount and probability, newest first. HubSpot's versions have different milliseconds."""
    result = {}
    rows = sorted(account.tables["deal_stage_history"], key=lambda row: (row["deal_id"], row["changed_at"], row["history_id"]))
    for deal, changes in groupby(rows, key=lambda row: row["deal_id"]):
        versions: dict[str, list[Version]] = {"dealstage": [], "amount": [], "hs_deal_stage_probability": []}
        last: datetime | None = None
        for row in changes:
            at = row["changed_at"] if last is None or row["changed_at"] > last else last + timedelta(milliseconds=1)
            user, last = _user(row["changed_by_user_id"]), at
            versions["dealstage"].insert(0, Version(STAGES[row["to_stage"]], at, user))
            versions["amount"].insert(0, Version(text(row["amount"], "number"), at, user))
            versions["hs_deal_stage_probability"].insert(0, Version(probability(row["probability_pct"]), at, user))
        result[str(object_id(deal))] = versions
    return result


def _priority_versions(account: Account) -> dict[str, dict[str, list[Version]]]:
    result: dict[str, dict[str, list[Version]]] = {}
    for row in sorted(account.tables["ticket_priority_changes"], key=lambda row: row["changed_at"]):
        versions = result.setdefault(str(object_id(row["ticket_id"])), {"hs_ticket_priority": []})
        versions["hs_ticket_priority"].insert(0, Version(PRIORITIES[row["to_priority"]], row["changed_at"]))
    return result


def _user(key: str | None) -> int | None:
    return None if key is None else number_of(key, 27)


def _associate(kind: Kind, account: Account, records: dict[str, list[Record]]) -> None:
    """Add the associations of a type, in both directions."""
    key = TABLES[kind.table].id
    own = {record.id: record for record in records[kind.name]}
    for link in kind.links:
        others = {record.id: record for record in records[link.to]}
        for row in account.tables[kind.table]:
            record, other = own.get(str(object_id(row[key]))), others.get(str(object_id(row[link.column])))
            # An archived object is associated with nothing.
            if record is not None and other is not None and record.archived is None and other.archived is None:
                record.targets[link.to].append(Target(other.id, link.there))
                other.targets[kind.name].append(Target(record.id, link.back))
