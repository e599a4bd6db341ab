"""The records of one Salesforce organization, deleted ones included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from include.demo.schema import TABLES
from include.demo.vendors.common import Account, Row
from include.demo.vendors.references import consistent
from include.demo.vendors.salesforce import words
from include.demo.vendors.salesforce.fields import AUTOMATED
from include.demo.vendors.salesforce.ids import record_id
from include.demo.vendors.salesforce.objects import BY_NAME, SOBJECTS
from include.demo.vendors.salesforce.shape import SObject

Record = dict[str, Any]
"""The values of a record by field, with Id, IsDeleted and, for a record in the recycle bin, the time of its deletion."""

RESTORED = "Entered by mistake, then restored"
"""The subject of a task that only the vendor has. It is in the recycle bin on the first day, and restored on the second."""


#: Tables that only Salesforce has, with their keys.
_DERIVED = {"roles": "role", "milestone_types": "metric"}


@dataclass(frozen=True)
class Org:
    """A Salesforce organization: its id, and its records by object, ordered by id."""

    id: str
    account: Account
    records: dict[str, list[Record]]


def org(account: Account) -> Org:
    """The Salesforce organization of one organization of the demo company."""
    held = _with_salesforces_own(consistent(account))
    records = {one.name: sorted(_records(one, held), key=lambda record: record["Id"]) for one in SOBJECTS}
    records["Task"].append(_restored(held))
    records["Task"].sort(key=lambda record: record["Id"])
    return Org(record_id("00D", account.organization["organization_id"]), held, records)


def _with_salesforces_own(account: Account) -> Account:
    """The account with what only Salesforce has: the user of automated processes, the roles of users, and columns that it derives."""
    tables, since = account.tables, account.organization["created_at"]
    robot: Row = dict.fromkeys(TABLES["users"].by_name)
    robot |= {"user_id": AUTOMATED, "full_name": "Automated Process", "is_active": True, "created_at": since, "updated_at": since}
    roles: list[Row] = [
        {"role": role, "name": name, "developer_name": name.replace(" ", ""), "updated_at": since}
        for role, name in words.ROLES.items()
    ]
    opened = {row["ticket_id"]: row["created_at"] for row in tables["tickets"]}
    names = {row["account_id"]: row["name"] for row in tables["accounts"]}
    deals = {row["lead_id"]: row["deal_id"] for row in tables["deals"]}
    changed: dict[str, datetime] = {}
    for row in tables["deal_stage_history"]:
        changed[row["deal_id"]] = max(changed.get(row["deal_id"], row["changed_at"]), row["changed_at"])
    own: dict[str, list[Row]] = {
        "users": [*tables["users"], robot],
        "roles": roles,
        "milestone_types": [{"metric": metric, "name": name, "updated_at": since} for metric, name in words.MILESTONES.items()],
        "ticket_sla_events": [row | {"created_at": opened[row["ticket_id"]]} for row in tables["ticket_sla_events"]],
        "organizations": [account.organization],
        "leads": [
            row | {"company": names.get(row["account_id"], "[not provided]"), "converted_deal_id": deals.get(row["lead_id"])}
            for row in tables["leads"]
        ],
        "deals": [row | {"last_stage_change": changed.get(row["deal_id"], row["created_at"])} for row in tables["deals"]],
    }
    return replace(account, tables=tables | own)


def _records(one: SObject, account: Account) -> list[Record]:
    result = [_record(one, row, account) for row in account.tables[one.table] if one.where(row)]
    if one.name == "Contact":
        # Contacts are erased on request, which empties the recycle bin of them too.
        return result
    bin_ = account.now - timedelta(hours=1)
    for row in account.gone.get(one.table, []):
        if one.where(row):
            result.append(_deleted(_record(one, row, account), bin_))
    return result


def _record(one: SObject, row: Row, account: Account) -> Record:
    merged = row.get("merged_into_account_id") or row.get("merged_into_ticket_id")
    result: Record = {"Id": record_id(one.prefix, _key(one, row)), "IsDeleted": bool(merged)}
    for field in one.fields:
        value = row.get(field.source) if isinstance(field.source, str) else field.source(row, account)
        result[field.name] = field.words[value] if field.words is not None and value is not None else value
    return _deleted(result, row["updated_at"]) if merged else result


def _key(one: SObject, row: Row) -> str:
    if one.table in _DERIVED:
        return str(row[_DERIVED[one.table]])
    key = TABLES[one.table].key
    return "/".join(str(row[column]) for column in key[1:] or key)


def _deleted(record: Record, at: Any) -> Record:
    """The record in the recycle bin. Its deletion is a change: the timestamps are those of the deletion."""
    stamps = {name: at for name in ("SystemModstamp", "LastModifiedDate") if name in record}
    return record | {"IsDeleted": True} | stamps


def _restored(account: Account) -> Record:
    first = account.now - timedelta(days=1 if account.second else 0)
    row: Row = dict.fromkeys(TABLES["activities"].by_name)
    row |= {
        "activity_id": f"restored task of {account.organization['organization_id']}",
        "activity_type": "task",
        "subject": RESTORED,
        "status": "completed",
        "completed_at": first - timedelta(days=9),
        "created_at": first - timedelta(days=9),
        "updated_at": account.now - timedelta(hours=6) if account.second else first - timedelta(days=9),
    }
    record = _record(BY_NAME["task"], row, account)
    return record if account.second else _deleted(record, first - timedelta(hours=6))
