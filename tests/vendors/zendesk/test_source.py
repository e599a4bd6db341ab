"""The ready source file of Zendesk loads a whole account, and what changes on the next day."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from include.contract import contract
from include.demo.vendors import vendor_app
from include.demo.vendors.common import Faults, Row, number_of
from include.demo.vendors.zendesk.objects import ANONYMOUS, field_id
from include.demo.vendors.zendesk.server import EMAIL, api_token
from include.ingestion import load
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.sources.mapped import staged
from tests.vendors.loading import Platform, differences, platform
from tests.vendors.running import running
from tests.vendors.served import AS_OF, ORGANIZATION, company

Days = list[dict[str, list[Row]]]

_OPTION = "an option of a field has a name and a tag"
_SALES = "sales and billing know it, not the help desk"
#: Columns that are unknown in every row, with the reason.
UNKNOWN = {
    "accounts": dict.fromkeys(
        [
            "parent_account_id",
            "employee_count",
            "annual_revenue",
            "currency",
            "account_type",
            "status",
            "country",
            "city",
            "owner_user_id",
            "signup_date",
        ],
        _SALES,
    )
    | {"merged_into_account_id": "Zendesk deletes the organization that loses a merge"},
    "users": {"facility_id": "agents work in groups, not at places"},
    "contacts": {"first_name": "Zendesk has one name", "status": _SALES, "gender": _SALES, "income_segment": _SALES},
    "tickets": {
        "first_responded_at": "Zendesk gives minutes since the creation, and no form of a column adds them",
        "csat_score": "an account with surveys has no ratings of tickets",
        "merged_into_ticket_id": "the audits of the ticket alone say it",
    },
    "survey_responses": {"account_id": "the ticket says it", "facility_id": "the ticket says it"},
    "facilities": dict.fromkeys(["city", "region", "created_at", "updated_at"], _OPTION),
    "products": dict.fromkeys(set(contract()["products"].columns) - {"product_id", "organization_id", "name"}, _OPTION),
    "ticket_categories": dict.fromkeys(["parent_name", "updated_at"], _OPTION),
    "root_causes": dict.fromkeys(["code", "category", "severity", "updated_at"], _OPTION),
}
MERGED_USER, RESTORED, DELETED = (f"zd_{number_of(key)}" for key in ("user/merged", "extra_restored", "extra_deleted"))
NO_PRIORITY = f"zd_{number_of('extra_no priority')}"


def file(folder: Path) -> AbstractContextManager[Platform]:
    """The source file with the organization and the custom fields of the company."""
    fields = ("facility_id", "product_id", "category_id", "root_cause_id", "app_version")
    texts = {"my_company": ORGANIZATION} | {str(1001 + place): str(field_id(name)) for place, name in enumerate(fields)}
    return platform("zendesk", f"{EMAIL}/token", api_token(), texts, folder)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """The staged rows of both days by entity."""
    with file(tmp_path_factory.mktemp("zendesk")) as one:
        return [one.load(AS_OF).rows, one.load(AS_OF + timedelta(days=1), second=True).rows]


def wanted(entity: str, second: bool) -> list[Row]:
    """The company's rows of an entity, as Zendesk knows them."""
    account = company(second)
    rows = account.tables[entity]
    if entity == "accounts" and second:
        rows = [row for row in rows if row != account.spare and row["account_id"] != account.spare["account_id"]]
    elif entity == "users":
        # A manager is an administrator, and the file calls whoever works in the help desk an agent.
        rows = [row | {"role": "support_agent"} for row in rows if row["role"] in ("support_agent", "manager")]
    elif entity == "contacts":
        rows = [row | {"last_name": f"{row['first_name']} {row['last_name']}"} for row in rows]
    elif entity == "tickets":
        # Zendesk has no status for escalated and merged tickets. Each ticket has somebody who requests it.
        words = {"escalated": "open", "merged": "closed"}
        rows = [
            row | {"status": words.get(row["status"], row["status"]), "contact_id": row["contact_id"] or ANONYMOUS}
            for row in rows
        ]
    elif entity == "ticket_categories":
        rows = [row | {"name": f"{row['parent_name']}::{row['name']}" if row["parent_name"] else row["name"]} for row in rows]
    elif entity == "root_causes":
        rows = [row | {"name": f"{row['category']}::{row['name']}"} for row in rows]
    elif entity == "survey_responses":
        # Zendesk lists answered surveys alone, with the time of the answer.
        rows = [row | {"sent_at": row["responded_at"]} for row in surveys(second) if row["responded_at"] is not None]
    return [as_staged(entity, row) for row in rows]


def surveys(second: bool) -> list[Row]:
    """The surveys about tickets. Who requests the ticket answers them."""
    tables = company(second).tables
    tickets = {row["ticket_id"]: row for row in tables["tickets"]}
    return [
        row | {"contact_id": tickets[row["ticket_id"]]["contact_id"] or ANONYMOUS}
        for row in tables["survey_responses"]
        if row["survey_type"] == "csat"
    ]


def as_staged(entity: str, row: Row) -> Row:
    """A row with the ids of Zendesk, and without the columns that are unknown."""
    found = {}
    for name, column in contract()[entity].columns.items():
        value = None if name in UNKNOWN[entity] else row[name]
        if value is not None and column.id_of in ("accounts", "contacts", "users", "tickets"):
            value = f"zd_{number_of(value)}"
        elif value is not None and column.id_of not in (None, "organizations"):
            value = f"zd_{value}"
        found[name] = value
    return found | {"organization_id": ORGANIZATION}


#: Rows of nobody's figures, which the company lacks: each day's.
EXTRAS = {
    "contacts": [{f"zd_{number_of(ANONYMOUS)}", MERGED_USER}, {f"zd_{number_of(ANONYMOUS)}"}],
    "tickets": [{DELETED, NO_PRIORITY}, {RESTORED, NO_PRIORITY}],
}


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("entity", UNKNOWN)
def test_each_row_has_what_zendesk_knows(days: Days, entity: str, second: bool) -> None:
    key = contract()[entity].key[1]
    extras = EXTRAS.get(entity, [set(), set()])[second]
    rows = days[second][entity]
    assert {row[key] for row in rows} >= extras
    expected = wanted(entity, second)
    assert expected
    assert differences(entity, [row for row in rows if row[key] not in extras], expected) == {}


@pytest.mark.parametrize("second", [False, True])
def test_each_change_of_a_priority(days: Days, second: bool) -> None:
    """Zendesk has the first priority of each ticket too, and calls the changes by ids of its own."""
    found = {
        (row["ticket_id"], row["changed_at"]): (row["from_priority"], row["to_priority"])
        for row in days[second]["ticket_priority_changes"]
    }
    changes = {
        (f"zd_{number_of(row['ticket_id'])}", row["changed_at"]): (row["from_priority"], row["to_priority"])
        for row in company(second).tables["ticket_priority_changes"]
    }
    assert len(found) == len(days[second]["ticket_priority_changes"])
    assert changes.items() <= found.items()
    first = [ticket for (ticket, _), (before, _) in found.items() if before is None]
    assert len(first) == len(set(first))
    assert set(first) >= {row["ticket_id"] for row in days[second]["tickets"]} - {NO_PRIORITY}
    assert {key for key, (before, _) in found.items() if before is not None} <= changes.keys()


def test_the_second_day_brings_changes_and_deletes(days: Days) -> None:
    first, second = (
        {entity: {row[contract()[entity].key[1]]: row for row in rows} for entity, rows in day.items()} for day in days
    )
    assert DELETED in first["tickets"] and DELETED not in second["tickets"]
    assert RESTORED not in first["tickets"] and RESTORED in second["tickets"]
    assert MERGED_USER in first["contacts"] and MERGED_USER not in second["contacts"]
    assert len(first["accounts"].keys() - second["accounts"].keys()) == 1
    changed = {key for key, row in second["tickets"].items() if first["tickets"].get(key) != row}
    assert {RESTORED} < changed < second["tickets"].keys()


def test_an_account_with_ratings(tmp_path: Path) -> None:
    """Accounts from before 2025 know each survey that was sent. A good rating is the best score, a bad one the worst."""
    with file(tmp_path) as one, running(vendor_app("zendesk", company(), Faults(ratings=True))) as address:
        source = one.source.only(["satisfaction_ratings"])
        values = {"conn_type": "http", "host": address, "login": one.login, "password": one.secret}
        load(source, SourceConnection.of("zendesk", values), RunContext("test", AS_OF))
        rows = [dict(row.items()) for row in one.warehouse.query(staged(source, "satisfaction_ratings", AS_OF)).result()]
    expected = []
    for row in surveys(second=False):
        made = as_staged("survey_responses", row) | {"response_id": f"zd_{number_of(row['response_id'])}"}
        score = None if row["responded_at"] is None else 5 if row["score"] >= 4 else 1
        expected.append(made | {"score": score})
    assert {row["score"] for row in expected} == {None, 1, 5}
    assert differences("survey_responses", rows, expected) == {}
