"""SOQL over REST: pages, conditions, errors."""

from __future__ import annotations

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest

from tests.vendors.salesforce.calls import DATA, get, soql
from tests.vendors.salesforce.reading import fields_of
from tests.vendors.served import company, order


def test_the_next_page_has_a_relative_address_that_both_resources_take(address: str) -> None:
    first = soql(address, "SELECT Id FROM Case ORDER BY Id", "queryAll", **{"Sforce-Query-Options": "batchSize=200"})
    assert first["done"]
    order(address, page=70)
    first = soql(address, "SELECT Id FROM Case ORDER BY Id", "queryAll")
    assert (len(first["records"]), first["done"], first["totalSize"]) == (70, False, len(company().tables["tickets"]))
    assert first["nextRecordsUrl"].startswith(f"{DATA}/query/01g")
    assert first["records"][0]["attributes"]["url"] == f"{DATA}/sobjects/Case/{first['records'][0]['Id']}"
    second = get(address, first["nextRecordsUrl"]).json()
    assert second == get(address, first["nextRecordsUrl"].replace("/query/", "/queryAll/")).json()
    last = get(address, second["nextRecordsUrl"]).json()
    assert (last["done"], "nextRecordsUrl" in last) == (True, False)
    found = [one["Id"] for page in (first, second, last) for one in page["records"]]
    assert found == sorted(found)
    assert len(set(found)) == first["totalSize"]


def test_a_page_has_2000_records_and_a_request_can_ask_for_fewer(address: str) -> None:
    text = "SELECT Id FROM Event"
    assert soql(address, text, "queryAll")["done"]
    page = soql(address, "SELECT Id FROM OrderItem", **{"Sforce-Query-Options": "batchSize=100"})
    assert len(page["records"]) == min(200, page["totalSize"])


def test_a_cursor_ends(address: str) -> None:
    order(address, page=70)
    first = soql(address, "SELECT Id FROM Case")
    order(address, expired=True)
    answer = get(address, first["nextRecordsUrl"])
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_changes_since_an_instant(address: str) -> None:
    times = sorted(row["updated_at"] for row in company().tables["tickets"])
    since = times[len(times) // 2]
    text = (
        f"SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp >= {since:%Y-%m-%dT%H:%M:%S}.000Z ORDER BY SystemModstamp, Id"
    )
    found = soql(address, text, "queryAll")["records"]
    assert len(found) == sum(at >= since for at in times)
    assert [one["SystemModstamp"] for one in found] == sorted(one["SystemModstamp"] for one in found)
    assert found[0]["SystemModstamp"].endswith(".000+0000")


def test_statements_that_loaders_send(address: str, api: Salesforce) -> None:
    rows = company().tables["deals"]

    def count(where: str) -> int:
        return int(api.query(f"SELECT COUNT() FROM Opportunity WHERE {where}")["totalSize"])

    assert count("IsClosed = TRUE AND Amount > 1000") == sum(
        row["stage"].startswith("closed") and row["amount"] > 1000 for row in rows
    )
    assert count("stagename IN ('closed won', 'Closed Lost')") == sum(row["stage"].startswith("closed") for row in rows)
    assert count("NOT (StageName NOT IN ('Closed Won') OR Amount <= 0)") == sum(row["stage"] == "closed_won" for row in rows)
    assert count("Loss_Reason__c != null") == sum(row["lost_reason"] is not None for row in rows)
    assert count("Name LIKE '% – Sensor'") == sum(row["name"].endswith(" – Sensor") for row in rows)
    assert count("CreatedDate < 2025-01-01T00:00:00Z") == sum(row["created_at"].year < 2025 for row in rows)
    one = api.query(
        "SELECT Id, Owner.Name, Facility__r.Name FROM Opportunity WHERE Facility__c != null ORDER BY Amount DESC LIMIT 1"
    )
    assert one["records"][0]["Facility__r"]["Name"].endswith("office")
    key = one["records"][0]["Id"]
    assert api.query(f"SELECT Id FROM Opportunity WHERE Id = '{key[:15]}'")["records"][0]["Id"] == key
    assert len(api.query("SELECT FIELDS(ALL) FROM Account LIMIT 200")["records"]) == len(company().tables["accounts"])


def test_a_parent_of_several_objects_says_which_one_it_is(api: Salesforce) -> None:
    for record in api.query_all("SELECT WhatId, What.Type, Owner.Type FROM Task", include_deleted=True)["records"]:
        prefix = (record["WhatId"] or "")[:3]
        assert record["What"]["Type"] == {"001": "Account", "006": "Opportunity", "": None}[prefix]
        assert record["Owner"]["Type"] == "User"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id, Nothing__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Nobody.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Account.Type, Owner.Type FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account; DROP", "MALFORMED_QUERY"),
    ],
)
def test_a_wrong_statement_is_refused(api: Salesforce, text: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as error:
        api.query(text)
    assert error.value.content[0]["errorCode"] == code


def test_an_organization_with_one_currency_has_no_currency_field(address: str, api: Salesforce) -> None:
    assert "CurrencyIsoCode" in fields_of(api, "Opportunity")
    order(address, single_currency=True)
    assert "CurrencyIsoCode" not in fields_of(api, "Opportunity")
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'CurrencyIsoCode'"):
        api.query("SELECT CurrencyIsoCode FROM Opportunity")


def test_a_record_that_is_committed_late_has_an_earlier_timestamp(address: str, api: Salesforce) -> None:
    text = "SELECT Id FROM Case ORDER BY SystemModstamp DESC"
    keys = [one["Id"] for one in api.query_all(text)["records"]]
    order(address, hidden=[keys[5]])
    assert [one["Id"] for one in api.query_all(text)["records"]] == keys[:5] + keys[6:]


def test_the_history_of_cases_has_no_system_timestamp(api: Salesforce) -> None:
    assert "SystemModstamp" not in fields_of(api, "CaseHistory")
    assert "CreatedDate" in fields_of(api, "CaseHistory")
