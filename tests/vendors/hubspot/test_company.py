"""HubSpot's own client reads the whole company, on both days."""

from __future__ import annotations

from datetime import datetime, timedelta

from hubspot import HubSpot

from include.demo.cases_sales import AWKWARD_TEXT
from include.demo.vendors import vendor_app
from include.demo.vendors.common import Faults, Row
from include.demo.vendors.hubspot import object_id, token
from include.demo.vendors.hubspot.records import RESTORED, portal
from tests.vendors.hubspot.calls import expected, get, ms, same, search
from tests.vendors.hubspot.reading import client, listed
from tests.vendors.hubspot.rows import tables
from tests.vendors.running import running
from tests.vendors.served import company, order


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


def test_the_time_at_which_a_stage_was_entered_is_a_property_that_no_list_of_properties_has(api: HubSpot) -> None:
    listed_names = {one.name for one in api.crm.properties.core_api.get_all("deals").results}
    name = "hs_v2_date_entered_qualifiedtobuy"
    assert name not in listed_names
    deals = listed(api, "deals", properties=[name], limit=50, properties_with_history=["dealstage"])
    for one in deals:
        times = [version.timestamp for version in one.properties_with_history["dealstage"] if version.value == "qualifiedtobuy"]
        assert one.properties[name] is None if not times else datetime.fromisoformat(one.properties[name]) == max(times)
    assert any(one.properties[name] for one in deals)


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
                {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(ms(company().now - timedelta(hours=1)))}
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
