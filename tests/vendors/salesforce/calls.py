"""Requests to the Salesforce server, and the rows that it should give."""

from __future__ import annotations

from typing import Any

import requests

from include.demo.vendors.common import Row
from include.demo.vendors.salesforce import CLIENT_ID, client_secret, record_id
from tests.vendors.served import company

DATA = "/services/data/v67.0"
#: Columns that Salesforce does not hold, by table.
UNKNOWN = {
    "ticket_categories": {"parent_name", "updated_at"},
    "root_causes": {"code", "category", "severity", "updated_at"},
    "ticket_priority_changes": {"updated_at"},
}
#: The start of the ids of each column.
PREFIXES = {
    "account_id": "001",
    "parent_account_id": "001",
    "merged_into_account_id": "001",
    "contact_id": "003",
    "user_id": "005",
    "owner_user_id": "005",
    "rep_user_id": "005",
    "assignee_user_id": "005",
    "changed_by_user_id": "005",
    "deal_id": "006",
    "history_id": "008",
    "lead_id": "00Q",
    "product_id": "01t",
    "order_id": "801",
    "order_item_id": "802",
    "ticket_id": "500",
    "merged_into_ticket_id": "500",
    "change_id": "017",
    "facility_id": "a00",
}


def token(address: str) -> dict[str, Any]:
    """The answer to a request for a token."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": client_secret()}
    answer: dict[str, Any] = requests.post(f"{address}/services/oauth2/token", data=form, timeout=10).json()
    return answer


def get(
    address: str, path: str, bearer: str | None = None, headers: dict[str, str] | None = None, **query: Any
) -> requests.Response:
    """The answer to a GET request."""
    bearer = bearer or token(address)["access_token"]
    return requests.get(
        address + path, params=query, headers={"Authorization": f"Bearer {bearer}", **(headers or {})}, timeout=10
    )


def soql(address: str, text: str, path: str = "query", **headers: str) -> dict[str, Any]:
    """The answer to a statement."""
    answer: dict[str, Any] = get(address, f"{DATA}/{path}", headers=headers, q=text).json()
    return answer


def expected(table: str, second: bool = False) -> list[Row]:
    """The rows of a table as Salesforce can hold them."""
    account = company(second)
    survivors = {row["account_id"]: row["merged_into_account_id"] for row in account.tables["accounts"]}
    known = {row["account_id"] for row in account.tables["accounts"]}
    deals = {row["deal_id"] for row in account.tables["deals"]}
    kind = {"activities": lambda row: "00U" if row["activity_type"] == "meeting" else "00T"}
    result = []
    for row in account.tables[table]:
        if table == "deal_stage_history" and row["deal_id"] not in deals:
            continue
        found = {}
        for column, value in row.items():
            if column == "organization_id" or column in UNKNOWN.get(table, set()):
                continue
            if column in ("account_id", "parent_account_id") and table != "accounts":
                value = survivors.get(value) or value
                value = value if value in known else None
            prefix = kind[table](row) if column == "activity_id" else PREFIXES.get(column)
            found[column] = value if prefix is None or value is None else record_id(prefix, value)
        result.append(found)
    return result


def in_order(rows: list[Row]) -> list[Row]:
    """The rows in an order of their own, for a comparison."""
    return sorted(rows, key=lambda row: tuple(str(value) for value in row.values()))


def same(table: str, found: list[Row], wanted: list[Row]) -> None:
    """Assert that a table was read as it should be."""
    names = list(wanted[0])
    assert {*names, "_deleted"} == set(found[0]), table
    assert in_order([{name: row[name] for name in names} for row in found]) == in_order(wanted), table
