"""Reads Zendesk's server over HTTP. Zendesk's Python client is under the GPL, so requests reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from include.demo.vendors.zendesk.server import EMAIL, api_token

FREE = {"exports_per_minute": 10**6, "per_minute": 10**6}
PRIORITIES = {"urgent": "critical", "high": "high", "normal": "medium", "low": "low", None: None}
CHANNELS = {"email": "email", "chat": "chat", "voice": "phone", "facebook": "social", "web": "web", "mobile_sdk": "app"}
STATUSES = {"open": "open", "pending": "pending", "hold": "on_hold", "solved": "resolved", "closed": "closed"}
EXTRAS = {"extra_restored", "extra_deleted", "extra_scrubbed", "extra_no priority"}


def get(url: str, path: str, **params: Any) -> requests.Response:
    address = path if path.startswith("http") else f"{url}/api/v2/{path}"
    return requests.get(address, params=params, auth=(f"{EMAIL}/token", api_token()), timeout=10)


def ok(url: str, path: str, **params: Any) -> dict[str, Any]:
    answer = get(url, path, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def pages_by_cursor(url: str, name: str, **params: Any) -> Iterator[dict[str, Any]]:
    page = ok(url, f"incremental/{name}/cursor.json", **{"start_time": 0, **params})
    yield page
    while not page["end_of_stream"]:
        page = ok(url, page["after_url"])
        yield page


def exported(url: str, name: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of an export by time, without the repeated ones."""
    page = ok(url, f"incremental/{name}.json", start_time=0, **params)
    rows = {row["id"]: row for row in page[name]}
    while not page["end_of_stream"]:
        page = ok(url, page["next_page"])
        rows |= {row["id"]: row for row in page[name]}
    return list(rows.values())


def listed(url: str, path: str) -> list[dict[str, Any]]:
    """All rows of a list by cursor."""
    name, rows = path.rpartition("/")[2], []
    page = ok(url, path, **{"page[size]": 50})
    rows += page[name]
    while page["meta"]["has_more"]:
        page = ok(url, page["links"]["next"])
        rows += page[name]
    return rows


def tickets_of(url: str, **params: Any) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for page in pages_by_cursor(url, "tickets", **params) for row in page["tickets"]}
