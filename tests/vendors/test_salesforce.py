"""The Salesforce server: simple-salesforce reads the whole company from it, and every trap of its API is there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceRefusedRequest
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceOperationError

from include.demo.cases_sales import AWKWARD_TEXT
from include.demo.schema import TABLES
from include.demo.vendors import vendor_app
from include.demo.vendors.common import Faults, Row
from include.demo.vendors.salesforce import CLIENT_ID, client_secret, record_id
from include.demo.vendors.salesforce.ids import with_checksum
from include.demo.vendors.salesforce.objects import BY_NAME, SOBJECTS
from include.demo.vendors.salesforce.records import RESTORED, org
from include.demo.vendors.salesforce.shape import csv_value
from tests.vendors.running import running
from tests.vendors.salesforce_rows import client, fields_of, tables
from tests.vendors.served import company, order, requests_of, serving

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


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the first day's server."""
    with serving("salesforce") as address:
        yield address


@pytest.fixture(scope="module")
def next_day() -> Iterator[str]:
    """The address of the second day's server."""
    with serving("salesforce", second=True) as address:
        yield address


@pytest.fixture
def address(server: str) -> str:
    """A server without faults."""
    order(server)
    return server


@pytest.fixture
def api(address: str) -> Salesforce:
    """simple-salesforce on the first day's server."""
    return client(address, CLIENT_ID, client_secret())


@pytest.fixture(scope="module")
def read(server: str) -> dict[str, list[Row]]:
    """The rows of the first day, as simple-salesforce reads them."""
    order(server)
    return tables(client(server, CLIENT_ID, client_secret()))


def token(address: str) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": client_secret()}
    answer: dict[str, Any] = requests.post(f"{address}/services/oauth2/token", data=form, timeout=10).json()
    return answer


def get(
    address: str, path: str, bearer: str | None = None, headers: dict[str, str] | None = None, **query: Any
) -> requests.Response:
    bearer = bearer or token(address)["access_token"]
    return requests.get(
        address + path, params=query, headers={"Authorization": f"Bearer {bearer}", **(headers or {})}, timeout=10
    )


def soql(address: str, text: str, path: str = "query", **headers: str) -> dict[str, Any]:
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
    return sorted(rows, key=lambda row: tuple(str(value) for value in row.values()))


def same(table: str, found: list[Row], wanted: list[Row]) -> None:
    names = list(wanted[0])
    assert {*names, "_deleted"} == set(found[0]), table
    assert in_order([{name: row[name] for name in names} for row in found]) == in_order(wanted), table


def test_the_client_reads_the_whole_company(read: dict[str, list[Row]]) -> None:
    for table, rows in read.items():
        wanted = expected(table)
        found = [row for row in rows if row.get("subject") != RESTORED]
        if table == "deals":
            # An opportunity always has a close date.
            for row in wanted:
                row["expected_close_date"] = row["expected_close_date"] or (row["created_at"] + timedelta(days=90)).date()
        if table == "ticket_sla_events":
            # A milestone is violated or not.
            for row in wanted:
                row["breached"] = bool(row["breached"])
        if table == "deal_stage_history":
            # The stage before the first known change is unknown.
            first = {
                min((r["changed_at"], r["history_id"]) for r in wanted if r["deal_id"] == deal)
                for deal in {r["deal_id"] for r in wanted}
            }
            for row in wanted:
                row["from_stage"] = None if (row["changed_at"], row["history_id"]) in first else row["from_stage"]
        same(table, found, wanted)


def test_a_merged_record_is_in_the_bin_and_names_the_survivor(read: dict[str, list[Row]]) -> None:
    merged = [row for row in read["tickets"] if row["merged_into_ticket_id"]]
    assert merged
    assert all(row["_deleted"] for row in merged)
    held = org(company(organization=None))
    losers = [one for one in held.records["Account"] if one["MasterRecordId"]]
    assert losers
    assert all(one["IsDeleted"] for one in losers)
    assert not {one["AccountId"] for one in held.records["Contact"]} & {one["Id"] for one in losers}


def test_ids_have_a_checksum_and_the_order_of_the_keys() -> None:
    # 001A0 has a capital in the fourth place (8: I), 00001 has none (0: A), BqLFM has all but the second (29: 3).
    assert with_checksum("001A000001BqLFM") == "001A000001BqLFMIA3"
    keys = sorted(row[TABLES[name].id] for name in ("deals", "activities") for row in company().tables[name])
    ids = [record_id("006", key) for key in keys]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(keys)


def test_the_token_names_the_host_and_ends_in_the_middle_of_a_scan(address: str) -> None:
    answer = token(address)
    assert (answer["token_type"], answer["instance_url"], "expires_in" in answer) == ("Bearer", address, False)
    order(address, instance_url=address.replace("127.0.0.1", "localhost"), token_requests=2, page=50)
    answer = token(address)
    assert "localhost" in answer["instance_url"]
    statuses = [get(answer["instance_url"], f"{DATA}/limits", answer["access_token"]).status_code for _ in range(3)]
    assert statuses == [200, 200, 401]
    assert get(address, f"{DATA}/limits", "wrong").json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    found = client(address, CLIENT_ID, client_secret()).query_all("SELECT Id FROM Case")["records"]
    assert len(found) == sum(row["merged_into_ticket_id"] is None for row in company().tables["tickets"])


def test_a_token_needs_the_right_credentials(address: str) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        client(address, CLIENT_ID, "wrong")
    order(address, no_client_user=True)
    with pytest.raises(SalesforceAuthenticationFailed, match="no client credentials user enabled"):
        client(address, CLIENT_ID, client_secret())
    form = {"grant_type": "password", "client_id": CLIENT_ID}
    assert requests.post(f"{address}/services/oauth2/token", data=form, timeout=10).status_code == 400


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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id, Nothing__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Nobody.Name FROM Account", "INVALID_FIELD"),
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


def test_old_closed_activities_are_archived(api: Salesforce) -> None:
    recent = {one["Id"] for one in api.query_all("SELECT Id FROM Event")["records"]}
    whole = {
        one["Id"]: one["IsArchived"] for one in api.query_all("SELECT Id, IsArchived FROM Event", include_deleted=True)["records"]
    }
    assert recent < set(whole)
    assert {key for key, archived in whole.items() if not archived} == recent


def test_a_deleted_record_is_seen_by_query_all_and_in_the_list_of_deletions(address: str, api: Salesforce) -> None:
    text = f"SELECT Id, IsDeleted, SystemModstamp FROM Task WHERE Subject = '{RESTORED}'"
    assert api.query(text)["totalSize"] == 0
    gone = api.query(text, include_deleted=True)["records"]
    assert [one["IsDeleted"] for one in gone] == [True]
    now = company().now
    listed = api.Task.deleted(now - timedelta(days=2), now)
    assert [one["id"] for one in listed["deletedRecords"]] == [gone[0]["Id"]]
    assert listed["deletedRecords"][0]["deletedDate"] == gone[0]["SystemModstamp"]
    assert {"earliestDateAvailable", "latestDateCovered"} < set(listed)
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        api.Task.deleted(now - timedelta(days=31), now)
    order(address, deleted_since=1, deleted_ids=0)
    with pytest.raises(SalesforceMalformedRequest, match="EXCEEDED_ID_LIMIT"):
        api.Task.deleted(now - timedelta(days=2), now)
    order(address, deleted_since=1)
    known = datetime.fromisoformat(api.Task.deleted(now - timedelta(days=2), now)["earliestDateAvailable"])
    assert known > now - timedelta(days=2)


def test_the_next_day_has_changed_deleted_restored_and_purged_records(api: Salesforce, next_day: str) -> None:
    order(next_day)
    later, now = client(next_day, CLIENT_ID, client_secret()), company(second=True)
    gone = [one["Id"] for one in later.query("SELECT Id FROM Task WHERE IsDeleted = true", include_deleted=True)["records"]]
    assert gone == [record_id("00T", row["activity_id"]) for row in now.gone["activities"]] != []
    purged = {record_id("003", row["contact_id"]) for row in now.gone["contacts"]}
    assert purged
    text = "SELECT Id FROM Contact"
    before, after = ({one["Id"] for one in a.query_all(text, include_deleted=True)["records"]} for a in (api, later))
    assert purged <= before
    assert not purged & after
    back = later.query(f"SELECT SystemModstamp FROM Task WHERE Subject = '{RESTORED}'")["records"][0]["SystemModstamp"]
    since = f"{company().now:%Y-%m-%dT%H:%M:%S}Z"
    assert datetime.fromisoformat(back) > company().now
    changed = later.query(f"SELECT COUNT() FROM Task WHERE SystemModstamp >= {since}", include_deleted=True)["totalSize"]
    assert changed >= 2
    found = tables(later)
    for table in ("accounts", "contacts", "tickets"):
        same(table, found[table], expected(table, second=True))


def test_a_formula_changes_without_a_new_timestamp(api: Salesforce, next_day: str) -> None:
    order(next_day)
    text = "SELECT Id, Age_Days__c, SystemModstamp FROM Opportunity WHERE IsClosed = false"
    first, second = (
        {one["Id"]: (one["Age_Days__c"], one["SystemModstamp"]) for one in a.query_all(text)["records"]}
        for a in (api, client(next_day, CLIENT_ID, client_secret()))
    )
    aged = [key for key in first.keys() & second.keys() if first[key][1] == second[key][1]]
    assert aged
    assert all(second[key][0] == first[key][0] + 1 for key in aged)
    assert next(one["calculated"] for one in api.Opportunity.describe()["fields"] if one["name"] == "Age_Days__c")


def test_a_record_that_is_committed_late_has_an_earlier_timestamp(address: str, api: Salesforce) -> None:
    text = "SELECT Id FROM Case ORDER BY SystemModstamp DESC"
    keys = [one["Id"] for one in api.query_all(text)["records"]]
    order(address, hidden=[keys[5]])
    assert [one["Id"] for one in api.query_all(text)["records"]] == keys[:5] + keys[6:]


def test_the_history_of_cases_has_no_system_timestamp(api: Salesforce) -> None:
    assert "SystemModstamp" not in fields_of(api, "CaseHistory")
    assert "CreatedDate" in fields_of(api, "CaseHistory")


def test_the_daily_limit(address: str, api: Salesforce) -> None:
    api.query("SELECT COUNT() FROM Account")
    used = api.api_usage["api-usage"]
    assert 0 < used.used < used.total
    order(address, daily=1)
    with pytest.raises(SalesforceRefusedRequest) as error:
        api.query("SELECT COUNT() FROM Account")
    assert error.value.content == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    order(address)
    assert api.limits()["DailyApiRequests"]["Remaining"] < api.limits()["DailyApiRequests"]["Max"]


def test_bulk_gives_the_same_records_as_csv(address: str, api: Salesforce) -> None:
    for name in ("Account", "Case", "Contact"):
        names = fields_of(api, name)
        text = f"SELECT {', '.join(names)} FROM {name}"
        pages = list(getattr(api.bulk2, name).query_all(text, max_records=60, wait=0))
        found = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
        assert len(pages) == -(-len(found) // 60)
        kept = {one["Id"]: one for one in org(company()).records[name]}
        assert len(found) == len(kept)
        for row in found:
            assert row == {field: csv_value(kept[row["Id"]][field]) for field in names}
    seen = [one for one in requests_of(address) if "/results" in one]
    assert "locator=" not in seen[0]


def test_a_job_goes_through_its_states_and_is_deleted(address: str) -> None:
    bearer = {"Authorization": f"Bearer {token(address)['access_token']}"}
    url = f"{address}{DATA}/jobs/query"
    body = {"operation": "query", "query": "SELECT Id, IsDeleted, Subject FROM Case WHERE CSAT_Score__c = null"}
    job = requests.post(url, json=body, headers=bearer, timeout=10).json()
    assert (job["state"], job["object"], job["contentType"], job["apiVersion"]) == ("UploadComplete", "Case", "CSV", 67.0)
    results = f"{url}/{job['id']}/results"
    assert requests.get(results, headers=bearer, timeout=10).status_code == 400
    states = [requests.get(f"{url}/{job['id']}", headers=bearer, timeout=10).json() for _ in range(2)]
    assert [one["state"] for one in states] == ["InProgress", "JobComplete"]
    page = requests.get(results, params={"maxRecords": 50}, headers=bearer, timeout=10)
    assert page.headers["Content-Encoding"] == "gzip"
    assert page.headers["Content-Type"].startswith("text/csv")
    assert (page.headers["Sforce-NumberOfRecords"], page.text.splitlines()[0]) == ("50", '"Id","IsDeleted","Subject"')
    seen, locator = 50, page.headers["Sforce-Locator"]
    while locator != "null":
        page = requests.get(results, params={"maxRecords": 50, "locator": locator}, headers=bearer, timeout=10)
        seen, locator = seen + int(page.headers["Sforce-NumberOfRecords"]), page.headers["Sforce-Locator"]
    assert seen == states[1]["numberRecordsProcessed"] > 50
    assert requests.get(results, params={"locator": "nonsense!"}, headers=bearer, timeout=10).status_code == 400
    assert requests.get(results.replace("v67.0", "v66.0"), headers=bearer, timeout=10).status_code == 409
    assert requests.delete(f"{url}/{job['id']}", headers=bearer, timeout=10).status_code == 204
    assert requests.get(f"{url}/{job['id']}", headers=bearer, timeout=10).status_code == 404


def test_a_job_can_fail_and_be_aborted(address: str, api: Salesforce) -> None:
    order(address, bulk_fails="InternalServerError : Number of retries exceeded")
    with pytest.raises(SalesforceOperationError, match="Number of retries exceeded"):
        list(api.bulk2.Case.query("SELECT Id FROM Case", wait=0))
    order(address, bulk_polls=100)
    handler = api.bulk2.Case._client
    job = handler.create_job("query", "SELECT Id FROM Case")
    assert handler.abort_job(job["id"], True)["state"] == "Aborted"


@pytest.mark.parametrize(
    "text", ["SELECT Id, BillingAddress FROM Account", "SELECT COUNT() FROM Account", "SELECT Id FROM Account OFFSET 5"]
)
def test_bulk_refuses_what_it_does_not_support(api: Salesforce, text: str) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="API_ERROR"):
        list(api.bulk2.Account.query(text, wait=0))


def test_rest_has_compound_fields(api: Salesforce) -> None:
    one = api.query("SELECT BillingAddress FROM Account WHERE BillingCity != null LIMIT 1")["records"][0]
    assert set(one["BillingAddress"]) == {"city", "country", "postalCode", "state", "street"}
    parts = [one["name"] for one in api.Account.describe()["fields"] if one["compoundFieldName"] == "BillingAddress"]
    assert parts == ["BillingCountry", "BillingCity"]


def test_a_loader_finds_the_objects_and_reads_one_record(address: str, api: Salesforce) -> None:
    newest = requests.get(f"{address}/services/data", timeout=10).json()[-1]
    assert newest["url"] == f"/services/data/v{newest['version']}"
    names = {one["name"] for one in api.describe()["sobjects"]}
    assert {"Account", "OpportunityHistory", "Facility__c"} <= names
    page = soql(address, "SELECT Id, Name FROM Account LIMIT 1")["records"][0]
    assert get(address, page["attributes"]["url"]).json()["Name"] == page["Name"]
    gone = soql(address, "SELECT Id FROM Task WHERE IsDeleted = true", "queryAll")["records"][0]
    assert get(address, gone["attributes"]["url"]).json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_version_that_the_organization_does_not_have(address: str) -> None:
    assert get(address, "/services/data/v20.0/limits").status_code == 404
    assert get(address, f"{DATA}/sobjects/Nothing/describe").json()[0]["errorCode"] == "NOT_FOUND"


def test_each_reference_leads_to_a_record() -> None:
    held = org(company(second=True))
    ids = {one["Id"] for rows in held.records.values() for one in rows}
    assert set(BY_NAME) == {one.name.lower() for one in SOBJECTS}
    for one in SOBJECTS:
        for field in one.fields:
            if field.to is not None and field.to != "Pricebook2":
                assert {record[field.name] for record in held.records[one.name]} - {None} <= ids, (one.name, field.name)


def test_a_text_of_several_lines_is_one_field_of_the_csv() -> None:
    with running(vendor_app("salesforce", company(organization=None), Faults())) as address:
        api = client(address, CLIENT_ID, client_secret())
        pages = list(api.bulk2.Case.query("SELECT Id, Subject FROM Case", wait=0))
    assert AWKWARD_TEXT in {row["Subject"] for page in pages for row in csv.DictReader(io.StringIO(page))}


def test_an_automated_change_moves_one_timestamp_alone(api: Salesforce) -> None:
    rows = api.query("SELECT LastModifiedDate, SystemModstamp FROM Product2")["records"]
    assert any(row["SystemModstamp"] > row["LastModifiedDate"] for row in rows)
