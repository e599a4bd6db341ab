"""Query jobs of Bulk API 2.0."""

from __future__ import annotations

import csv
import io

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceOperationError

from include.demo.vendors.salesforce.records import org
from include.demo.vendors.salesforce.shape import csv_value
from tests.vendors.salesforce.calls import DATA, token
from tests.vendors.salesforce.reading import fields_of
from tests.vendors.served import company, order, requests_of


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
