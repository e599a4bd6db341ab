"""Reads Stripe's server: with Stripe's own client, and over HTTP where a test needs another version or an error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import requests
import stripe

from include.demo.vendors.stripe.server import live_key
from include.demo.vendors.stripe.versions import NEWEST

BASIL, ACACIA = "2025-08-27.basil", "2024-12-18.acacia"


def client(url: str, key: str = "", **options: Any) -> stripe.StripeClient:
    return stripe.StripeClient(key or live_key(), base_addresses={"api": url}, **options)


def get(url: str, path: str, version: str | None = None, key: str = "", **params: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key or live_key()}"} | ({"Stripe-Version": version} if version else {})
    return requests.get(f"{url}/v1/{path}", params=params, headers=headers, timeout=10)


def error_of(answer: requests.Response) -> tuple[int, str | None, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error.get("code"), error.get("param")


def everything(service: Any, **params: Any) -> list[Any]:
    return list(service.list({"limit": 100, **params}).auto_paging_iter())


def all_pages(url: str, name: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of a list in the newest version, without the client, which makes objects of them."""
    rows: list[dict[str, Any]] = []
    while True:
        page = get(url, name, NEWEST, limit=100, **params).json()
        rows += page["data"]
        if not page["has_more"]:
            return rows
        params["starting_after"] = rows[-1]["id"]


def instant(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
