"""Salesforce's tokens, versions, limits and lists of objects."""

from __future__ import annotations

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceRefusedRequest
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from include.demo.vendors.salesforce import CLIENT_ID, client_secret
from tests.vendors.salesforce.calls import DATA, get, soql, token
from tests.vendors.salesforce.reading import client
from tests.vendors.served import company, order


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
