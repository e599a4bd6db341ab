"""Stripe's lists: paging, filters, expanded properties, keys, limits and errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import stripe

from include.demo.vendors.stripe.server import live_key, sandbox_key
from tests.vendors.stripe.reading import BASIL, client, error_of, everything, get


def test_cancelled_subscriptions_are_listed_only_on_request(url: str) -> None:
    service = client(url).v1.subscriptions
    usual, all_ = everything(service), everything(service, status="all")
    assert {row.status for row in all_} - {row.status for row in usual} == {"canceled"}
    assert {row.status for row in everything(service, status="ended")} == {"canceled"}


def test_pages_begin_after_the_last_row_newest_first(url: str) -> None:
    first = get(url, "invoices").json()
    assert len(first["data"]) == 10 and first["has_more"] is True
    assert [row["created"] for row in first["data"]] == sorted((row["created"] for row in first["data"]), reverse=True)
    last = first["data"][-1]["id"]
    second = get(url, "invoices", starting_after=last, limit=3).json()["data"]
    assert len(second) == 3 and not {row["id"] for row in second} & {row["id"] for row in first["data"]}
    back = get(url, "invoices", ending_before=second[0]["id"]).json()["data"]
    assert [row["id"] for row in back] == [row["id"] for row in first["data"]]
    end = get(url, "coupons", limit=100).json()
    assert end["has_more"] is False and end["object"] == "list" and end["url"] == "/v1/coupons"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "in_nowhere"}, "resource_missing", "starting_after"),
        ({"starting_after": "in_a", "ending_before": "in_b"}, "parameter_invalid_combination", None),
        ({"updated[gte]": 5}, "parameter_unknown", "updated[gte]"),
        ({"created[since]": 5}, "parameter_unknown", "created[since]"),
        ({"created[gte]": "2026-09-01T00:00:00Z"}, "parameter_invalid_integer", "created[gte]"),
        ({"expand[]": "data.colour"}, "property_cannot_be_expanded", None),
        ({"expand[]": "data.lines.data.discounts.source"}, "property_cannot_be_expanded", None),
    ],
)
def test_invalid_parameters_are_errors(url: str, params: dict[str, Any], code: str, param: str | None) -> None:
    assert error_of(get(url, "invoices", **params)) == (400, code, param)


def test_created_is_compared_in_seconds(url: str) -> None:
    bound = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
    newer = get(url, "invoices", limit=100, **{"created[gte]": bound}).json()["data"]
    older = get(url, "invoices", limit=1, **{"created[lt]": bound}).json()["data"]
    assert newer and all(row["created"] >= bound for row in newer) and older[0]["created"] < bound


def test_discounts_are_ids_until_expanded(url: str) -> None:
    ids = {each for row in get(url, "subscriptions", limit=100).json()["data"] for each in row["discounts"]}
    assert ids and all(isinstance(each, str) for each in ids)
    expanded = get(url, "subscriptions", "2026-03-25.dahlia", limit=100, **{"expand[]": "data.discounts"}).json()["data"]
    discounts = [each for row in expanded for each in row["discounts"]]
    assert {each["id"] for each in discounts} == ids
    assert all(each["source"]["type"] == "coupon" and "coupon" not in each for each in discounts)


def test_payments_are_shown_on_request(url: str) -> None:
    invoice = get(url, "invoices", BASIL, status="paid").json()["data"][0]
    assert "payments" not in invoice and "charge" not in invoice
    expanded = get(url, f"invoices/{invoice['id']}", BASIL, **{"expand[]": "payments"}).json()
    assert expanded["payments"]["data"][0]["amount_paid"] == invoice["amount_paid"]
    (partial,) = get(url, "invoice_payments", BASIL, key=sandbox_key(), invoice="in_open").json()["data"]
    assert partial["amount_paid"] < partial["amount_requested"]


def test_keys(url: str) -> None:
    assert requests.get(f"{url}/v1/customers", timeout=10).status_code == 401
    assert requests.get(f"{url}/v1/customers", auth=(live_key(), ""), timeout=10).status_code == 200
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        client(url, "rk_live_wrong").v1.customers.list()
    with pytest.raises(stripe.PermissionError, match="does not have access to account"):
        client(url, stripe_account="acct_other").v1.customers.list()


def test_a_restricted_key_may_lack_a_permission(url: str, faults: str) -> None:
    requests.post(faults, json={"settings": {"forbidden": ["charges"]}}, timeout=10)
    with pytest.raises(stripe.PermissionError, match="required permissions"):
        client(url).v1.charges.list()
    assert client(url).v1.invoices.list().data


def test_limits_per_second_and_endpoint(url: str, faults: str) -> None:
    for setting, reason in (("per_second", "global-rate"), ("per_endpoint", "endpoint-rate")):
        limits = {"per_second": 10**6, "per_endpoint": 10**6, setting: 2}
        requests.post(faults, json={"settings": limits}, timeout=10)
        answers = [get(url, "coupons") for _ in range(3)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused and refused[0].headers["stripe-rate-limited-reason"] == reason
        assert refused[0].headers["stripe-should-retry"] == "true" and "retry-after" not in refused[0].headers
        assert refused[0].json()["error"]["code"] == "rate_limit"


def test_the_client_gets_through_errors_of_the_server(url: str, faults: str) -> None:
    planned = {"path": "/v1/customers", "status": 500, "body": '{"error": {"type": "api_error", "message": "Sorry"}}', "times": 2}
    requests.post(faults, json={"answers": [planned]}, timeout=10)
    assert client(url, max_network_retries=3).v1.customers.list().data
