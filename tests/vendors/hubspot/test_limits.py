"""HubSpot's authentication, limits and broken answers."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hubspot.crm.contacts.exceptions import ApiException

from tests.vendors.hubspot.calls import get, search
from tests.vendors.hubspot.reading import client
from tests.vendors.served import company, order, requests_of


def test_a_request_without_the_token_is_refused(address: str) -> None:
    with pytest.raises(ApiException) as error:
        client(address, "wrong").crm.contacts.basic_api.get_page()
    assert error.value.status == 401
    assert '"category":"INVALID_AUTHENTICATION"' in error.value.body


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
