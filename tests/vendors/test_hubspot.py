"""The HubSpot server: HubSpot's own client reads the whole company from it, and every trap of its API is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.contacts import PublicObjectSearchRequest
from hubspot.crm.contacts.exceptions import ApiException

from include.demo.cases_sales import AWKWARD_TEXT
from include.demo.schema import TABLES
from include.demo.vendors import vendor_app
from include.demo.vendors.common import Faults, Row, number_of
from include.demo.vendors.hubspot import object_id, token
from include.demo.vendors.hubspot.records import RESTORED, portal
from tests.vendors.hubspot_rows import associated, client, listed, tables
from tests.vendors.running import running
from tests.vendors.served import company, order, requests_of, serving

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


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the first day's server."""
    with serving("hubspot") as address:
        yield address


@pytest.fixture(scope="module")
def next_day() -> Iterator[str]:
    """The address of the second day's server."""
    with serving("hubspot", second=True) as address:
        yield address


@pytest.fixture
def address(server: str) -> str:
    """A server without faults, and with a limit that tests do not reach."""
    order(server, burst=10_000, search_rate=10_000)
    return server


@pytest.fixture
def api(address: str) -> HubSpot:
    """HubSpot's client of the first day's server."""
    return client(address, token())


@pytest.fixture(scope="module")
def read(server: str) -> dict[str, list[Row]]:
    """The rows of the first day, as HubSpot's client reads them."""
    order(server, burst=10_000)
    return tables(client(server, token()))


def get(address: str, path: str, **query: Any) -> requests.Response:
    return requests.get(f"{address}{path}", params=query, headers=BEARER, timeout=10)


def search(address: str, kind: str, **body: Any) -> requests.Response:
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
    return sorted(rows, key=lambda row: tuple(str(value) for value in row.values()))


def same(table: str, found: list[Row], wanted: list[Row]) -> None:
    names = list(wanted[0])
    assert set(names) == set(found[0]), table
    assert in_order([{name: row[name] for name in names} for row in found]) == in_order(wanted), table


def test_the_client_reads_the_whole_company(read: dict[str, list[Row]]) -> None:
    for table, rows in read.items():
        if table != "deal_stage_history":
            same(table, rows, expected(table))


def test_the_stages_of_a_deal_come_from_the_history_of_its_properties(read: dict[str, list[Row]]) -> None:
    found = read["deal_stage_history"]
    wanted = [row for row in expected("deal_stage_history") if row["deal_id"] is not None]
    # HubSpot does not say which stage was before the first known one, and two changes in one second are a millisecond apart.
    for row in found:
        row["changed_at"] = row["changed_at"].replace(microsecond=0)
    first = {
        min((r["changed_at"], n) for n, r in enumerate(wanted) if r["deal_id"] == deal) for deal in {r["deal_id"] for r in wanted}
    }
    for number, row in enumerate(wanted):
        if (row["changed_at"], number) in first:
            row["from_stage"] = None
    same("deal_stage_history", found, wanted)


def test_the_date_version_has_the_same_shapes(address: str) -> None:
    for old, new in (
        ("/crm/v3/objects/companies", "/crm/objects/2026-03/companies"),
        ("/crm/v3/owners", "/crm/owners/2026-03"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/crm/v3/properties/deals", "/crm/properties/2026-03/deals"),
    ):
        one, other = get(address, old, limit=100), get(address, new, limit=100)
        assert (one.status_code, other.status_code) == (200, 200)
        assert one.json()["results"] == other.json()["results"]


def test_a_request_without_the_token_is_refused(address: str) -> None:
    with pytest.raises(ApiException) as error:
        client(address, "wrong").crm.contacts.basic_api.get_page()
    assert error.value.status == 401
    assert '"category":"INVALID_AUTHENTICATION"' in error.value.body


def test_the_last_page_has_no_paging(address: str) -> None:
    count = len(get(address, "/crm/v3/objects/contacts", limit=100).json()["results"])
    half = get(address, "/crm/v3/objects/contacts", limit=count - 1).json()
    assert set(half["paging"]["next"]) == {"after", "link"}
    rest = requests.get(half["paging"]["next"]["link"], headers=BEARER, timeout=10).json()
    assert "paging" not in rest
    assert len(rest["results"]) == 1
    assert get(address, "/crm/v3/objects/contacts", limit=101).status_code == 400
    assert get(address, "/crm/v3/objects/contacts", limit=51, propertiesWithHistory="email").status_code == 400


def test_a_page_without_results_can_name_a_next_page(address: str) -> None:
    order(address, empty_page=True)
    empty = get(address, "/crm/v3/objects/companies", limit=100).json()
    assert empty["results"] == []
    after = empty["paging"]["next"]["after"]
    rest = get(address, "/crm/v3/objects/companies", limit=100, after=after).json()
    assert len(rest["results"]) == len(listed(client(address, token()), "companies")) > 1
    assert "paging" not in rest


def test_values_are_texts_and_a_probability_is_a_binary_fraction(address: str) -> None:
    names = "amount,hs_deal_stage_probability,hs_is_closed,closedate,no_such_property"
    values = [one["properties"] for one in get(address, "/crm/v3/objects/deals", limit=100, properties=names).json()["results"]]
    assert all(isinstance(value, str) for row in values for value in row.values() if value is not None)
    assert all("no_such_property" not in row for row in values)
    assert {row["hs_is_closed"] for row in values} == {"true", "false"}
    assert any(len(row["hs_deal_stage_probability"]) > 20 for row in values)


def test_a_property_that_was_never_set_is_null_or_absent_and_a_cleared_one_empty(address: str) -> None:
    path, query = "/crm/v3/objects/companies", {"limit": 100, "properties": "hs_parent_company_id,numberofemployees"}
    before = get(address, path, **query).json()["results"]
    assert any(one["properties"]["hs_parent_company_id"] is None for one in before)
    order(
        address,
        unset="absent",
        values={before[0]["id"]: {"numberofemployees": ""}, before[1]["id"]: {"numberofemployees": "1,5"}},
    )
    after = get(address, path, **query).json()["results"]
    assert any("hs_parent_company_id" not in one["properties"] for one in after)
    assert [one["properties"]["numberofemployees"] for one in after[:2]] == ["", "1,5"]


def test_a_search_finds_what_changed_in_pages_of_200(address: str) -> None:
    rows = sorted(expected("tickets"), key=lambda row: row["updated_at"])
    since = rows[len(rows) // 3]["updated_at"]
    body: dict[str, Any] = {
        "filterGroups": [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(_ms(since))}]}],
        "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
        "properties": ["subject"],
        "limit": 60,
    }
    found: list[Any] = []
    after = "0"
    while after:
        page = search(address, "tickets", **body, after=after).json()
        found += page["results"]
        assert "link" not in page.get("paging", {}).get("next", {})
        after = page.get("paging", {}).get("next", {}).get("after")
    wanted = {row["ticket_id"] for row in rows if row["updated_at"] >= since}
    assert {one["id"] for one in found} == wanted
    assert page["total"] == len(wanted) > 60
    assert [one["updatedAt"] for one in found] == sorted(one["updatedAt"] for one in found)
    assert search(address, "tickets", limit=201).status_code == 400


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def test_rows_of_one_millisecond_cross_the_border_of_two_pages(address: str) -> None:
    by_change = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
    times = [one["updatedAt"] for one in search(address, "contacts", sorts=by_change, limit=200).json()["results"]]
    border = next(number for number, (one, other) in enumerate(pairwise(times), 1) if one == other)
    first = search(address, "contacts", sorts=by_change, limit=border).json()
    second = search(address, "contacts", sorts=by_change, limit=border, after=first["paging"]["next"]["after"]).json()
    assert first["results"][-1]["updatedAt"] == second["results"][0]["updatedAt"]
    assert first["results"][-1]["id"] != second["results"][0]["id"]


def test_a_search_refuses_to_page_past_its_most_results(address: str) -> None:
    assert search(address, "tickets", limit=200, after="9801").status_code == 400
    order(address, search_results=50, search_rate=10_000)
    answer = search(address, "tickets", limit=30, after="30")
    assert (answer.status_code, answer.json()["status"], answer.json()["category"]) == (400, "error", "VALIDATION_ERROR")
    assert search(address, "tickets", limit=30).json()["total"] > 50
    last = search(address, "tickets", limit=50).json()["results"][-1]["id"]
    beyond = [{"filters": [{"propertyName": "hs_object_id", "operator": "GT", "value": last}]}]
    page = search(address, "tickets", limit=50, sorts=[{"propertyName": "hs_object_id"}], filterGroups=beyond).json()
    assert all(int(one["id"]) > int(last) for one in page["results"])


def test_a_search_refuses_too_many_filters_and_unknown_ones(address: str) -> None:
    one = {"propertyName": "amount", "operator": "GT", "value": "1"}
    assert search(address, "deals", filterGroups=[{"filters": [one] * 10}] * 2).status_code == 200
    assert search(address, "deals", filterGroups=[{"filters": [one] * 11}]).status_code == 400
    assert search(address, "deals", filterGroups=[{"filters": [one]}] * 6).status_code == 400
    for bad in ({**one, "propertyName": "nothing"}, {**one, "operator": "ROUGHLY"}, {**one, "value": "much"}):
        assert search(address, "deals", filterGroups=[{"filters": [bad]}]).status_code == 400


def test_the_client_searches_by_the_operators(api: HubSpot) -> None:
    def count(**one: Any) -> int:
        asked = PublicObjectSearchRequest(filter_groups=[{"filters": [one]}], limit=1)
        return int(api.crm.deals.search_api.do_search(asked).total)

    rows = expected("deals")
    assert count(propertyName="amount", operator="HAS_PROPERTY") == len(rows)
    assert count(propertyName="amount", operator="BETWEEN", value="0", highValue="2000") == sum(
        row["amount"] <= 2000 for row in rows
    )
    closed = sum(row["stage"].startswith("closed") for row in rows)
    assert count(propertyName="dealstage", operator="IN", values=["closedwon", "closedlost"]) == closed
    assert count(propertyName="dealstage", operator="NOT_IN", values=["closedwon", "closedlost"]) == len(rows) - closed
    assert count(propertyName="closed_lost_reason", operator="NOT_HAS_PROPERTY") == sum(
        row["lost_reason"] is None for row in rows
    )


def test_the_search_index_lags_behind(address: str) -> None:
    tasks = search(address, "tasks", limit=200).json()["results"]
    newest = max(datetime.fromisoformat(one["updatedAt"]) for one in tasks)
    lag = (company().now - newest).total_seconds() + 1
    order(address, index_lag=lag, search_rate=10_000)
    assert search(address, "tasks", limit=200).json()["total"] < len(tasks)
    assert get(address, "/crm/v3/objects/tasks", limit=100).json()["results"]


def test_an_associated_company_has_two_entries(address: str) -> None:
    page = get(address, "/crm/v3/objects/deals", limit=100, associations="companies").json()["results"]
    entries = next(one["associations"]["companies"]["results"] for one in page if "associations" in one)
    assert len(entries) == 2
    assert {one["type"] for one in entries} == {"deal_to_company", "deal_to_company_unlabeled"}
    assert len({one["id"] for one in entries}) == 1


def test_associations_have_labels_pages_and_errors(address: str, api: HubSpot) -> None:
    companies = [one.id for one in listed(api, "companies")]
    whole = associated(api, "companies", "contacts", companies)
    assert {label for pairs in whole.values() for _, label in pairs} == {None, "Contact with Primary Company"}
    order(address, association_page=1)
    assert associated(api, "companies", "contacts", companies) == whole
    body = {"inputs": [{"id": companies[0]}, {"id": "1"}]}
    answer = requests.post(f"{address}/crm/v4/associations/company/contact/batch/read", json=body, headers=BEARER, timeout=10)
    assert answer.status_code == 207
    assert answer.json()["numErrors"] == 1
    assert answer.json()["errors"][0]["context"]["fromObjectId"] == ["1"]
    assert "paging" in answer.json()["results"][0]
    dated = requests.post(f"{address}/crm/associations/2026-03/company/contact/batch/read", json=body, headers=BEARER, timeout=10)
    number, text = (one.json()["results"][0]["to"][0]["toObjectId"] for one in (answer, dated))
    assert (str(number), isinstance(number, int)) == (text, True)
    parents = associated(api, "companies", "companies", companies)
    assert {"Parent Company", "Child Company"} == {label for pairs in parents.values() for _, label in pairs}


def test_the_associations_of_one_object_have_pages(api: HubSpot) -> None:
    companies = [one.id for one in listed(api, "companies")]
    whole = associated(api, "companies", "contacts", companies)
    key = max(whole, key=lambda one: len(whole[one]))
    found, after = [], None
    while True:
        page = api.crm.associations.v4.basic_api.get_page("companies", key, "contacts", after=after, limit=1)
        found += [str(one.to_object_id) for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert found == list(dict.fromkeys(target for target, _ in whole[key]))
    assert len(found) > 1


def test_the_time_at_which_a_stage_was_entered_is_a_property_that_no_list_of_properties_has(api: HubSpot) -> None:
    listed_names = {one.name for one in api.crm.properties.core_api.get_all("deals").results}
    name = "hs_v2_date_entered_qualifiedtobuy"
    assert name not in listed_names
    deals = listed(api, "deals", properties=[name], limit=50, properties_with_history=["dealstage"])
    for one in deals:
        times = [version.timestamp for version in one.properties_with_history["dealstage"] if version.value == "qualifiedtobuy"]
        assert one.properties[name] is None if not times else datetime.fromisoformat(one.properties[name]) == max(times)
    assert any(one.properties[name] for one in deals)


def test_a_batch_read_names_what_is_missing(address: str) -> None:
    known = get(address, "/crm/v3/objects/deals").json()["results"][0]["id"]
    body = {"inputs": [{"id": known}, {"id": "1"}], "properties": ["dealname"]}
    answer = requests.post(f"{address}/crm/v3/objects/deals/batch/read", json=body, headers=BEARER, timeout=10)
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["results"]] == [known]
    assert answer.json()["errors"][0]["context"]["ids"] == ["1"]


def test_the_bin_has_its_own_list_and_a_search_never_finds_it(address: str) -> None:
    gone = get(address, "/crm/v3/objects/notes", limit=100, archived="true", properties="hs_note_body").json()["results"]
    assert [one["properties"]["hs_note_body"] for one in gone] == [RESTORED]
    assert (gone[0]["archived"], gone[0]["archivedAt"] > gone[0]["updatedAt"]) == (True, True)
    active = get(address, "/crm/v3/objects/notes", limit=100).json()["results"]
    assert gone[0]["id"] not in {one["id"] for one in active}
    assert gone[0]["id"] not in {one["id"] for one in search(address, "notes", limit=200).json()["results"]}
    assert get(address, f"/crm/v3/objects/notes/{gone[0]['id']}").status_code == 404


def test_the_next_day_has_changed_archived_restored_and_erased_objects(address: str, next_day: str) -> None:
    order(next_day, burst=10_000, search_rate=10_000)
    now = company(second=True)
    bin_ = get(next_day, "/crm/v3/objects/tasks", limit=100, archived="true").json()["results"]
    assert {one["id"] for one in bin_} == {object_id(row["activity_id"]) for row in now.gone["activities"]} != set()
    erased = {object_id(row["contact_id"]) for row in now.gone["contacts"]}
    assert erased
    for archived in ("true", "false"):
        ids = {one["id"] for one in get(next_day, "/crm/v3/objects/contacts", limit=100, archived=archived).json()["results"]}
        assert not ids & erased
    gone = get(address, "/crm/v3/objects/notes", limit=100, archived="true").json()["results"][0]
    back = get(next_day, f"/crm/v3/objects/notes/{gone['id']}").json()
    assert (back["archived"], back["updatedAt"] > gone["updatedAt"]) == (False, True)
    since = [
        {
            "filters": [
                {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(_ms(company().now - timedelta(hours=1)))}
            ]
        }
    ]
    assert {one["id"] for one in search(next_day, "tasks", filterGroups=since).json()["results"]}
    found = tables(client(next_day, token()))
    found["activities"] = [row for row in found["activities"] if row["subject"] != RESTORED]
    for table in ("accounts", "contacts", "deals", "activities", "tickets"):
        same(table, found[table], expected(table, second=True))


def test_the_loser_of_a_merge_is_gone_and_the_survivor_names_it(address: str) -> None:
    merged = [row for row in company().tables["tickets"] if row["merged_into_ticket_id"]]
    found = get(address, "/crm/v3/objects/tickets", limit=100, properties="hs_merged_object_ids").json()
    rest = get(
        address, "/crm/v3/objects/tickets", limit=100, properties="hs_merged_object_ids", after=found["paging"]["next"]["after"]
    )
    properties = {one["id"]: one["properties"] for one in (*found["results"], *rest.json()["results"])}
    named = {key: value["hs_merged_object_ids"] for key, value in properties.items() if value["hs_merged_object_ids"]}
    assert named == {object_id(row["merged_into_ticket_id"]): object_id(row["ticket_id"]) for row in merged} != {}
    assert not {object_id(row["ticket_id"]) for row in merged} & set(properties)


def test_what_belonged_to_the_loser_of_a_merge_belongs_to_the_survivor() -> None:
    account = company(organization=None)
    loser, into = next(
        (row["account_id"], row["merged_into_account_id"]) for row in account.tables["accounts"] if row["merged_into_account_id"]
    )
    held = portal(account)
    assert object_id(loser) not in held.by_id["companies"]
    assert held.by_id["companies"][str(object_id(into))].properties["hs_merged_object_ids"] == object_id(loser)
    moved = [row for row in account.tables["contacts"] if row["account_id"] == loser]
    assert moved
    for row in moved:
        contact = held.by_id["contacts"][str(object_id(row["contact_id"]))]
        assert contact.properties["associatedcompanyid"] == object_id(into)
        assert [target.id for target in contact.targets["companies"]] == [object_id(into)]


def test_too_many_requests_in_ten_seconds(address: str) -> None:
    order(address, burst=3)
    answers = [get(address, "/crm/v3/owners") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[0].headers["X-HubSpot-RateLimit-Remaining"] == "2"
    body = answers[3].json()
    assert (body["policyName"], body["errorType"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 10
    order(address, burst=3, retry_after=False)
    assert "Retry-After" not in get(address, "/crm/v3/owners").headers


def test_too_many_searches_in_a_second(address: str) -> None:
    order(address, search_rate=2)
    answers = [search(address, "leads", limit=1) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].json()["policyName"] == "SECONDLY"
    assert not [name for name in answers[0].headers if name.lower().startswith("x-hubspot-ratelimit")]
    time.sleep(1.1)
    assert search(address, "leads", limit=1).status_code == 200


def test_the_daily_limit_says_when_it_ends(address: str) -> None:
    order(address, daily=0)
    answer = get(address, "/crm/v3/owners")
    assert (answer.status_code, answer.json()["policyName"]) == (429, "DAILY")
    assert "Retry-After" not in answer.headers
    order(address)
    usage = get(address, "/account-info/v3/api-usage/daily/private-apps").json()["results"][0]
    assert datetime.fromisoformat(usage["resetsAt"]) > company().now
    assert 0 < usage["currentUsage"] < usage["usageLimit"]


def test_a_gateway_answers_with_html(address: str) -> None:
    html = {
        "path": "/crm/v3/objects/deals",
        "status": 502,
        "body": "<html>Bad gateway</html>",
        "headers": {"Content-Type": "text/html"},
    }
    order(address, [html])
    answers = [get(address, "/crm/v3/objects/deals") for _ in range(2)]
    assert [one.status_code for one in answers] == [502, 200]
    assert answers[0].headers["Content-Type"].startswith("text/html")
    assert requests_of(address)[-1].startswith("GET /crm/v3/objects/deals")


def test_the_account_names_its_currency_and_time_zone(address: str) -> None:
    organization = company().organization
    details = get(address, "/account-info/v3/details").json()
    assert (details["companyCurrency"], details["timeZone"]) == (organization["reporting_currency"], organization["timezone"])
    stages = get(address, "/crm/v3/pipelines/deals").json()["results"][0]["stages"]
    assert stages[0]["metadata"] == {"isClosed": "false", "probability": "0.1"}


def test_a_text_of_several_lines_arrives_whole() -> None:
    with running(vendor_app("hubspot", company(organization=None), Faults())) as address:
        notes = get(address, "/crm/v3/objects/notes", limit=100, properties="hs_note_body").json()["results"]
    assert AWKWARD_TEXT in {one["properties"]["hs_note_body"] for one in notes}
