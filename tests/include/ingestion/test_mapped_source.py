"""A database shaped like Salesforce is loaded by a mapping, and staging equals the same rows loaded under the contract's names."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from include.contract import contract
from include.ingestion import load
from include.run_context import RunContext
from include.sources import Source, SourceConnection, load_sources
from tests.include.ingestion.world import Database, Warehouse, day
from tests.include.sources.mapped import staged

ORG = "org_1"
BERLIN = ZoneInfo("Europe/Berlin")
STATUSES = {"Customer - Live": "active", "Former": "churned", "Sleeping": "inactive"}
MAPPING = """
tables:
  account:
    entity: accounts
    table: Account
    where: {RecordTypeId: [012A, 012B], IsPersonAccount: false}
    deleted_when: IsDeleted
    cursor: SystemModstamp
    columns:
      account_id: Id
      organization_id: {value: org_1}
      parent_account_id: ParentId
      name: Name
      domain: {first: [Domain__c, Website]}
      industry: Industry
      employee_count: NumberOfEmployees
      annual_revenue: {from: Revenue Cents, unit: minor, currency: CurrencyIsoCode}
      currency: CurrencyIsoCode
      account_type: {from: IsCustomer, values: {true: customer, false: prospect}}
      status: {from: Status__c, values: {Customer - Live: active, Former: churned}, default: inactive}
      country: {from: BillingAddress, path: country.code}
      signup_date: {from: CreatedDate, timezone: Europe/Berlin}
      created_at: CreatedDate
  user:
    entity: users
    table: User
    columns:
      user_id: Id
      organization_id: {value: org_1}
      full_name: Name
      email: Email
      role: {from: Level, values: {1: sales_rep, 2: manager}}
      is_active: {from: Active, values: {"Y": true, "N": false}}
      created_at: {from: Created, unit: epoch_seconds}
      updated_at: {from: Updated, unit: epoch_milliseconds}
  case:
    entity: tickets
    schema: {schema}_service
    table: Case
    deleted_when: {column: State, in: [Deleted, Spam]}
    columns:
      ticket_id: {key: [Number, Order]}
      organization_id: Tenant
      subject: Subject
      status: State
      created_at: {from: Opened, timezone: Europe/Berlin}
      updated_at: {from: Changed, timezone: Europe/Berlin}
"""
SHAPED = "tables:\n  accounts: {cursor: updated_at}\n  users: {}\n  tickets: {}\n"
CREATE = """
create table "Account" ("Id" text, "ParentId" text, "Name" text, "Domain__c" text, "Website" text, "Industry" text, "NumberOfEmployees" int,
    "Revenue Cents" bigint, "CurrencyIsoCode" text, "IsCustomer" bool, "Status__c" text, "BillingAddress" jsonb, "CreatedDate" timestamptz,
    "SystemModstamp" timestamptz, "IsDeleted" bool, "RecordTypeId" text, "IsPersonAccount" bool);
create table "User" ("Id" text, "Name" text, "Email" text, "Level" int, "Active" char(1), "Created" bigint, "Updated" bigint);
create schema {schema}_service;
create table {schema}_service."Case" ("Number" int, "Order" text, "Tenant" text, "Subject" text, "State" text, "Opened" timestamp, "Changed" timestamp);
"""
_TYPES = {
    "string": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "bool",
    "timestamp": "timestamptz",
    "date": "date",
}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def account(key: str, **changes: Any) -> dict[str, Any]:
    created = at(2026, 2, 28, 23, 30)
    row = {
        "account_id": key,
        "organization_id": ORG,
        "name": f"It's {key} {{{{ }}}}",
        "domain": f"{key}.example",
        "industry": "Law",
    }
    row |= {
        "employee_count": 12,
        "annual_revenue": Decimal("1234.50"),
        "currency": "EUR",
        "account_type": "customer",
        "status": "active",
    }
    row |= {"country": "DE", "created_at": created, "signup_date": date(2026, 3, 1), "updated_at": at(2026, 3, 1, 10)}
    return row | changes


ACCOUNTS = [
    account("a1"),
    account(
        "a2", annual_revenue=Decimal("12345"), currency="JPY", account_type="prospect", status="inactive", parent_account_id="a1"
    ),
    account(
        "a3", annual_revenue=Decimal("1.234"), currency="BHD", status="churned", domain=None, country=None, employee_count=None
    ),
    account("a4", annual_revenue=None, industry=None, updated_at=at(2026, 3, 1, 11, 0, 0, 123456)),
]
USERS = [
    {
        "user_id": f"u{n}",
        "organization_id": ORG,
        "full_name": f"User {n}",
        "email": f"u{n}@x.example",
        "role": role,
        "is_active": active,
    }
    | {"created_at": at(2025, 12, 31, 23, n), "updated_at": at(2026, 3, 1, 9, n, 0, 5000)}
    for n, (role, active) in enumerate([("sales_rep", True), ("manager", False), (None, None)])
]
TICKETS = [
    {
        "ticket_id": f"{n}|x",
        "organization_id": ORG,
        "subject": "Help",
        "status": "Open",
        "created_at": opened,
        "updated_at": at(2026, 3, 1, 8, n),
    }
    # In summer time, in winter time, and in the hour that clocks skip: 02:30 is 03:30 of the new time.
    for n, opened in enumerate([at(2025, 7, 1, 10), at(2025, 12, 1, 10), at(2025, 3, 30, 1, 30)])
]


def test_a_mapped_source_is_staged_like_a_contract_shaped_one(
    warehouse: Warehouse, database: Database, name: str, tmp_path: Path
) -> None:
    shaped = Database(database.uri, f"{name}_shaped")
    sources = _sources(tmp_path, name)
    database.run(CREATE.replace("{schema}", name))
    for entity, rows in (("accounts", ACCOUNTS), ("users", USERS), ("tickets", TICKETS)):
        columns = ", ".join(f'"{column}" {_TYPES[declared.type]}' for column, declared in contract()[entity].columns.items())
        shaped.run(f"create table {entity} ({columns})")
        for row in rows:
            _insert(shaped, entity, row)
    for row in ACCOUNTS:
        _insert(database, '"Account"', _as_account(row))
    # A person, a row of another kind, a deleted row and a deleted ticket: the platform takes none of them.
    _insert(database, '"Account"', _as_account(account("person")) | {"IsPersonAccount": True})
    _insert(database, '"Account"', _as_account(account("other")) | {"RecordTypeId": "012C"})
    _insert(database, '"Account"', _as_account(account("untyped")) | {"RecordTypeId": None})
    _insert(database, '"Account"', _as_account(account("gone")) | {"IsDeleted": True})
    for row in USERS:
        _insert(database, '"User"', _as_user(row))
    for row in [*TICKETS, TICKETS[0] | {"ticket_id": "9|y", "status": "Spam"}]:
        _insert(database, f'{name}_service."Case"', _as_case(row))
    _load(sources, shaped, database, 2)
    first = _compare(warehouse, sources, 2)
    assert {entity: len(rows) for entity, rows in first.items()} == {"accounts": 4, "users": 3, "tickets": 3}

    # Rows change, one becomes a person, one is deleted softly, and one of each table is gone without a trace.
    changed = {"name": "New", "status": "churned", "updated_at": at(2026, 10, 2, 10)}
    shaped.run("update accounts set name = 'New', status = 'churned', updated_at = '2026-10-02 10:00Z' where account_id = 'a1'")
    database.run('delete from "Account" where "Id" = %s', "a1")
    _insert(database, '"Account"', _as_account(account("a1") | changed))
    moved = "set \"SystemModstamp\" = '2026-10-02 11:00Z', "
    database.run(f'update "Account" {moved} "IsPersonAccount" = true where "Id" = %s', "a2")
    database.run(f'update "Account" {moved} "IsDeleted" = true where "Id" = %s', "a3")
    database.run('delete from "Account" where "Id" = %s', "a4")
    shaped.run("delete from accounts where account_id in ('a2', 'a3', 'a4')")
    database.run('delete from "User" where "Id" = %s', "u0")
    shaped.run("delete from users where user_id = 'u0'")
    database.run(f'delete from {name}_service."Case" where "Number" = 2')
    shaped.run("delete from tickets where ticket_id = '2|x'")
    _load(sources, shaped, database, 3)
    second = _compare(warehouse, sources, 3)
    assert [row["account_id"] for row in second["accounts"]] == ["a1"]
    assert [row["user_id"] for row in second["users"]] == ["u1", "u2"]
    assert [row["ticket_id"] for row in second["tickets"]] == ["0|x", "1|x"]
    assert _compare(warehouse, sources, 2) == first, "a run of the day before still sees the rows of the day before"

    # One of each table returns with its former time of change, which no raw column has as it is. One has changed since.
    for row in (USERS[0], USERS[1] | {"user_id": "u9"}):
        _insert(shaped, "users", row)
        _insert(database, '"User"', _as_user(row))
    _insert(shaped, "tickets", TICKETS[2])
    _insert(database, f'{name}_service."Case"', _as_case(TICKETS[2]))
    _insert(shaped, "accounts", ACCOUNTS[3] | (since := {"updated_at": at(2026, 10, 3, 12)}))
    _insert(database, '"Account"', _as_account(ACCOUNTS[3] | since))
    _load(sources, shaped, database, 4)
    third = _compare(warehouse, sources, 4)
    assert [row["account_id"] for row in third["accounts"]] == ["a1", "a4"]
    assert [row["user_id"] for row in third["users"]] == ["u0", "u1", "u2", "u9"]
    assert third["tickets"] == first["tickets"]
    shaped.close()


def _sources(folder: Path, name: str) -> tuple[Source, Source]:
    """The contract-shaped source and the mapped one."""
    shared = {
        "description": "A source of a test.",
        "owner": "tests",
        "tier": "low",
        "freshness": {"warn_after": "26h", "error_after": "50h"},
    }
    files = {f"{name}_shaped": SHAPED, name: MAPPING.replace("{schema}", name)}
    for source, tables in files.items():
        document = shared | {
            "connection": source,
            "reader": {"type": "sql", "schema": source},
            "defaults": {"detect_deletes": True},
        }
        (folder / f"{source}.yml").write_text(yaml.safe_dump(document | yaml.safe_load(tables)))
    found = load_sources(folder)
    return found[f"{name}_shaped"], found[name]


def _load(sources: tuple[Source, Source], shaped: Database, database: Database, number: int) -> None:
    for source, base in zip(sources, (shaped, database), strict=True):
        connection = SourceConnection.of(source.name, base.connection())
        report = load(source, connection, RunContext(f"run_{number}", day(number)))
        assert not [change for table in report.tables.values() for change in table.changes if change.kind == "type_change"]


def _compare(warehouse: Warehouse, sources: tuple[Source, Source], number: int) -> dict[str, list[dict[str, Any]]]:
    """The staged rows of each entity, which are the same from both sources."""
    expected, found = (_staged(warehouse, source, number) for source in sources)
    assert found == expected
    return found


def _staged(warehouse: Warehouse, source: Source, number: int) -> dict[str, list[dict[str, Any]]]:
    """The rows of a source's staging views, by entity."""
    found = {}
    for table in source.tables.values():
        names = list(contract()[str(table.entity)].columns)
        rows = warehouse.rows(f"select {', '.join(names)} from ({staged(source, table.name, day(number))}) order by {names[0]}")
        found[str(table.entity)] = [{column: _plain(row[column]) for column in names} for row in rows]
    return found


def _plain(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value


def _insert(base: Database, relation: str, row: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    base.run(f"insert into {relation} ({names}) values ({', '.join(['%s'] * len(row))})", *row.values())


def _as_account(row: dict[str, Any]) -> dict[str, Any]:
    units = {"EUR": 100, "JPY": 1, "BHD": 1000}[row["currency"]]
    words = {meant: word for word, meant in STATUSES.items()}
    found = {
        "Id": row["account_id"],
        "ParentId": row.get("parent_account_id"),
        "Name": row["name"],
        "Domain__c": " ",
        "Website": row["domain"],
    }
    found |= {"Industry": row["industry"], "NumberOfEmployees": row["employee_count"], "CurrencyIsoCode": row["currency"]}
    found |= {"Revenue Cents": None if row["annual_revenue"] is None else int(row["annual_revenue"] * units)}
    found |= {
        "IsCustomer": row["account_type"] == "customer",
        "Status__c": words[row["status"]],
        "CreatedDate": row["created_at"],
    }
    found |= {"BillingAddress": json.dumps({"country": {"code": row["country"]}}), "SystemModstamp": row["updated_at"]}
    return found | {"IsDeleted": False, "RecordTypeId": "012B", "IsPersonAccount": False}


def _as_user(row: dict[str, Any]) -> dict[str, Any]:
    found = {
        "Id": row["user_id"],
        "Name": row["full_name"],
        "Email": row["email"],
        "Level": {"sales_rep": 1, "manager": 2}.get(row["role"]),
    }
    found |= {"Active": {True: "Y", False: "N"}.get(row["is_active"]), "Created": int(row["created_at"].timestamp())}
    return found | {"Updated": round(row["updated_at"].timestamp() * 1000)}


def _as_case(row: dict[str, Any]) -> dict[str, Any]:
    number, order = row["ticket_id"].split("|")
    found = {"Number": int(number), "Order": order, "Tenant": ORG, "Subject": row["subject"], "State": row["status"]}
    opened = row["created_at"].astimezone(BERLIN).replace(tzinfo=None)
    # The clock skipped this hour: the system has written the time of a clock that was not set.
    opened = datetime(2025, 3, 30, 2, 30) if opened == datetime(2025, 3, 30, 3, 30) else opened
    return found | {"Opened": opened, "Changed": row["updated_at"].astimezone(BERLIN).replace(tzinfo=None)}
