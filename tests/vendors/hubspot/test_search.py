"""HubSpot's search: changes since an instant, pages, the most results, operators."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from hubspot import HubSpot
from hubspot.crm.contacts import PublicObjectSearchRequest

from include.demo.vendors.hubspot.records import RESTORED
from tests.vendors.hubspot.calls import expected, get, ms, search
from tests.vendors.served import company, order


def test_a_search_finds_what_changed_in_pages_of_200(address: str) -> None:
    rows = sorted(expected("tickets"), key=lambda row: row["updated_at"])
    since = rows[len(rows) // 3]["updated_at"]
    body: dict[str, Any] = {
        "filterGroups": [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(ms(since))}]}],
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


def test_the_bin_has_its_own_list_and_a_search_never_finds_it(address: str) -> None:
    gone = get(address, "/crm/v3/objects/notes", limit=100, archived="true", properties="hs_note_body").json()["results"]
    assert [one["properties"]["hs_note_body"] for one in gone] == [RESTORED]
    assert (gone[0]["archived"], gone[0]["archivedAt"] > gone[0]["updatedAt"]) == (True, True)
    active = get(address, "/crm/v3/objects/notes", limit=100).json()["results"]
    assert gone[0]["id"] not in {one["id"] for one in active}
    assert gone[0]["id"] not in {one["id"] for one in search(address, "notes", limit=200).json()["results"]}
    assert get(address, f"/crm/v3/objects/notes/{gone[0]['id']}").status_code == 404
