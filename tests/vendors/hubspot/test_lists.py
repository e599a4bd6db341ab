"""HubSpot's lists, batches and associations."""

from __future__ import annotations

import requests
from hubspot import HubSpot

from include.demo.vendors.hubspot import token
from tests.vendors.hubspot.calls import BEARER, get
from tests.vendors.hubspot.reading import associated, client, listed
from tests.vendors.served import order


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


def test_a_batch_read_names_what_is_missing(address: str) -> None:
    known = get(address, "/crm/v3/objects/deals").json()["results"][0]["id"]
    body = {"inputs": [{"id": known}, {"id": "1"}], "properties": ["dealname"]}
    answer = requests.post(f"{address}/crm/v3/objects/deals/batch/read", json=body, headers=BEARER, timeout=10)
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["results"]] == [known]
    assert answer.json()["errors"][0]["context"]["ids"] == ["1"]
