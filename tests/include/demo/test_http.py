"""The billing and support servers over real sockets: paging, credentials, faults, filters."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from include.demo import Company
from include.demo.http_apps import billing_app, support_app

BEARER = {"Authorization": "Bearer demo-billing-token"}
BASIC = ("platform", "demo-support-password")


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Serve an application on a free port of loopback; yields its URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def billing(company: Company) -> Iterator[str]:
    with running(billing_app(company, faults=False)) as url:
        yield url


@pytest.fixture(scope="module")
def support(company: Company) -> Iterator[str]:
    with running(support_app(company, faults=False)) as url:
        yield url


def all_of_billing(url: str, resource: str, **query: Any) -> list[dict[str, Any]]:
    """All rows of a billing resource, read by cursor. Status 429 and 500 are retried."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = requests.get(f"{url}/v1/{resource}", params=query, headers=BEARER, timeout=10)
        if answer.status_code in (429, 500):
            continue
        answer.raise_for_status()
        body = answer.json()
        rows += body["data"]
        if body["next_cursor"] is None:
            return rows
        query["cursor"] = body["next_cursor"]


def all_of_support(url: str, resource: str, **query: Any) -> list[dict[str, Any]]:
    """All rows of a support resource, read by its links."""
    rows: list[dict[str, Any]] = []
    following = f"{url}/api/v2/{resource}?" + "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    while following:
        answer = requests.get(following, auth=BASIC, timeout=10)
        answer.raise_for_status()
        rows += answer.json()["results"]
        following = answer.json()["links"]["next"]
    return rows


@pytest.mark.parametrize("resource", ["subscriptions", "invoices"])
def test_billing_pages_hold_every_row_once(billing: str, company: Company, resource: str) -> None:
    rows = all_of_billing(billing, resource, limit=37)
    key = f"{resource[:-1]}_id"
    assert sorted(row[key] for row in rows) == sorted(company.tables[resource][key].to_pylist())
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)


@pytest.mark.parametrize(
    "resource",
    ["tickets", "ticket_priority_changes", "ticket_sla_events", "ticket_categories", "root_causes", "survey_responses"],
)
def test_support_pages_hold_every_row_once(support: str, company: Company, resource: str) -> None:
    rows = all_of_support(support, resource, per_page=83)
    assert len(rows) == company.tables[resource].num_rows
    assert len({tuple(row.values()) for row in rows}) == len(rows)


def test_values_have_the_types_of_the_contract(billing: str, company: Company) -> None:
    row = all_of_billing(billing, "subscriptions")[0]
    assert isinstance(row["unit_amount"], str)
    assert "." in row["unit_amount"]
    assert row["started_at"].endswith("Z")
    assert isinstance(row["quantity"], int)
    assert row["replaces_subscription_id"] is None
    assert list(row) == company.tables["subscriptions"].column_names


@pytest.mark.parametrize("since", ["2026-09-01T00:00:00Z", "2026-09-01T00:00:00+00:00", "2026-09-01"])
def test_updated_since_is_inclusive(billing: str, support: str, since: str) -> None:
    everything = all_of_billing(billing, "invoices")
    recent = [row for row in everything if row["updated_at"] >= "2026-09-01T00:00:00Z"]
    assert 0 < len(recent) < len(everything)
    assert all_of_billing(billing, "invoices", updated_since=since, limit=11) == recent
    exact = all_of_billing(billing, "invoices", updated_since=recent[5]["updated_at"])
    assert exact[0]["updated_at"] == recent[5]["updated_at"]
    tickets = all_of_support(support, "tickets", updated_since=since, per_page=7)
    assert tickets == [row for row in all_of_support(support, "tickets") if row["updated_at"] >= "2026-09-01T00:00:00Z"]


def test_an_unescaped_plus_is_read_as_the_time_zone(support: str) -> None:
    url = f"{support}/api/v2/tickets?updated_since=2026-09-29T00:00:00+00:00&per_page=1"
    assert requests.get(url, auth=BASIC, timeout=10).status_code == 200


def test_credentials_are_required(billing: str, support: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer ünknown".encode()}):
        answer = requests.get(f"{billing}/v1/invoices", headers=headers, timeout=10)
        assert answer.status_code == 401
        assert "bearer" in answer.headers["www-authenticate"].lower()
    for auth in (None, ("platform", "wrong")):
        answer = requests.get(f"{support}/api/v2/tickets", auth=auth, timeout=10)
        assert answer.status_code == 401
        assert "basic" in answer.headers["www-authenticate"].lower()
    assert requests.get(f"{billing}/health", timeout=10).json() == {"status": "ok"}


def test_credentials_can_be_changed(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BILLING_TOKEN", "another")
    with running(billing_app(company, faults=False)) as url:
        assert requests.get(f"{url}/v1/invoices", headers=BEARER, timeout=10).status_code == 401
        other = {"Authorization": "Bearer another"}
        assert requests.get(f"{url}/v1/invoices", headers=other, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/invoices?limit=0", 400, "limit must be an integer from 1 to 1000"),
        ("/v1/invoices?limit=1001", 400, "limit must be an integer from 1 to 1000"),
        ("/v1/invoices?limit=many", 400, "limit must be an integer from 1 to 1000"),
        ("/v1/invoices?updated_since=soon", 400, "updated_since must be an ISO 8601 instant"),
        ("/v1/invoices?cursor=nonsense", 400, "is not a cursor"),
        ("/v1/customers", 404, "Unknown resource. Available resources: subscriptions, invoices."),
        ("/other", 404, "The resources are under /v1/"),
    ],
)
def test_invalid_requests_are_rejected_with_a_reason(billing: str, path: str, status: int, message: str) -> None:
    answer = requests.get(billing + path, headers=BEARER, timeout=10)
    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_faults_occur_at_fixed_request_counts_and_can_be_retried(company: Company) -> None:
    with running(billing_app(company)) as url:
        answers = [requests.get(f"{url}/v1/invoices?limit=1", headers=BEARER, timeout=10) for _ in range(80)]
        codes = [answer.status_code for answer in answers]
        assert [number for number, code in enumerate(codes, 1) if code == 429] == [15, 30, 45, 60, 75]
        assert [number for number, code in enumerate(codes, 1) if code == 500] == [40, 80]
        assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"1"}
        rows = all_of_billing(url, "invoices", limit=20)
    assert len(rows) == company.tables["invoices"].num_rows


def test_labelled_rows_are_sent_twice(company: Company, company_at: Callable[[str], Company]) -> None:
    labelled = {case.table: case.key for case in company.cases if case.where == "answer"}
    with running(billing_app(company)) as url:
        keys = [row["subscription_id"] for row in all_of_billing(url, "subscriptions")]
    assert [key for key in set(keys) if keys.count(key) > 1] == [labelled["subscriptions"]]
    with running(support_app(company)) as url:
        keys = [row["ticket_id"] for row in all_of_support(url, "tickets")]
    assert [key for key in set(keys) if keys.count(key) > 1] == [labelled["tickets"]]
