"""Requests to the HubSpot server, and the rows that it should give."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import requests

from include.demo.schema import TABLES
from include.demo.vendors.common import Row, number_of
from include.demo.vendors.hubspot import object_id, token
from tests.vendors.served import company

BEARER = {"Authorization": f"Bearer {token()}"}
#: Columns that HubSpot does not hold, by table.
UNKNOWN = {
    "users": {"facility_id"},
    "products": {"currency"},
    "survey_responses": {"facility_id", "sent_at"},
    "root_causes": {"code", "category", "severity", "updated_at"},
    "ticket_categories": {"parent_name", "updated_at"},
    "deal_stage_history": {"history_id", "updated_at"},
    "ticket_priority_changes": {"change_id", "updated_at"},
}
#: Keys that HubSpot keeps as they are: they are the internal names of options.
KEPT = {"category_id", "root_cause_id"}


def get(address: str, path: str, **query: Any) -> requests.Response:
    """The answer to a GET request."""
    return requests.get(f"{address}{path}", params=query, headers=BEARER, timeout=10)


def search(address: str, kind: str, **body: Any) -> requests.Response:
    """The answer to a search."""
    return requests.post(f"{address}/crm/v3/objects/{kind}/search", json=body, headers=BEARER, timeout=10)


def expected(table: str, second: bool = False) -> list[Row]:
    """The rows of a table as HubSpot can hold them."""
    account = company(second)
    survivors = {row["account_id"]: row["merged_into_account_id"] for row in account.tables["accounts"]}
    known = {name: {row[TABLES[name].id] for row in account.tables[name]} for name in ("accounts", "deals", "contacts")}
    result = []
    for row in account.tables[table]:
        if row.get("merged_into_account_id") or row.get("merged_into_ticket_id"):
            continue
        if table == "survey_responses" and row["responded_at"] is None:
            continue
        found = {}
        for column, value in row.items():
            if column in UNKNOWN.get(table, set()) | {"organization_id"} or column.startswith("merged_into"):
                continue
            if column in ("account_id", "parent_account_id"):
                value = survivors.get(value) or value
                value = value if value in known["accounts"] else None
            if column == "deal_id" and value not in known["deals"]:
                value = None
            if column == "changed_by_user_id":
                value = None if value is None else number_of(value, 27)
            elif column.endswith("_id") and column not in KEPT:
                value = object_id(value)
            found[column] = value
        result.append(found)
    return result


def in_order(rows: list[Row]) -> list[Row]:
    """The rows in an order of their own, for a comparison."""
    return sorted(rows, key=lambda row: tuple(str(value) for value in row.values()))


def same(table: str, found: list[Row], wanted: list[Row]) -> None:
    """Assert that a table was read as it should be."""
    names = list(wanted[0])
    assert set(names) == set(found[0]), table
    assert in_order([{name: row[name] for name in names} for row in found]) == in_order(wanted), table


def ms(at: datetime) -> int:
    """Milliseconds since 1970 UTC."""
    return int(at.timestamp() * 1000)
