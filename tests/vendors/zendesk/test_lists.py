"""Zendesk's lists, credentials and errors."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from include.demo.vendors.zendesk.server import EMAIL, api_token
from tests.vendors.zendesk.reading import get, ok


def test_a_list_has_a_next_link_although_it_has_no_more(url: str) -> None:
    page = ok(url, "groups", **{"page[size]": 100})
    assert page["meta"]["has_more"] is False and page["links"]["next"]
    assert ok(url, page["links"]["next"])["groups"] == []
    first = ok(url, "users", **{"page[size]": 2})
    second = ok(url, first["links"]["next"])
    assert ok(url, second["links"]["prev"])["users"] == first["users"]


def test_numbered_pages(url: str) -> None:
    first = ok(url, "users.json", per_page=5)
    assert first["count"] > 5 and first["previous_page"] is None
    assert ok(url, first["next_page"])["users"][0] != first["users"][0]
    assert ok(url, "groups.json")["next_page"] is None
    assert get(url, "users.json", page=101).status_code == 400
    assert get(url, "tickets").headers["zendesk-ratelimit-tickets-index"].startswith("total=")


def test_credentials(url: str) -> None:
    def status(**options: Any) -> int:
        return requests.get(f"{url}/api/v2/users/me.json", timeout=10, **options).status_code

    assert status(auth=(f"{EMAIL}/token", api_token())) == 200
    assert status(headers={"Authorization": f"Bearer {api_token()}"}) == 200
    assert status(auth=(EMAIL, api_token())) == 401
    assert status(auth=(f"{EMAIL}/token", "wrong")) == 401
    assert status() == 401


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("nothing", {}, 404),
        ("tickets/5", {}, 404),
        ("incremental/requests", {"start_time": 0}, 404),
        ("incremental/tickets/cursor", {}, 400),
        ("incremental/tickets/cursor", {"cursor": "bm90aGluZw=="}, 400),
        ("incremental/tickets/cursor", {"cursor": "?"}, 400),
        ("users", {"page[after]": "bm90aGluZw=="}, 400),
        ("users", {"per_page": "many"}, 400),
    ],
)
def test_invalid_requests(url: str, path: str, params: dict[str, Any], status: int) -> None:
    answer = get(url, path, **params)
    assert answer.status_code == status and answer.json()["error"]


def test_an_error_of_the_server_is_html(url: str, faults: str) -> None:
    planned = {"path": "/api/v2/users", "status": 503, "body": "<html>Down</html>", "headers": {"Retry-After": "1"}, "after": 1}
    requests.post(faults, json={"answers": [planned]}, timeout=10)
    assert [get(url, "users").status_code for _ in range(3)] == [200, 503, 200]
