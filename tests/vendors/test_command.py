"""The servers as processes of their own: `python -m include.demo.vendors`."""

from __future__ import annotations

import pytest
import requests

from include.demo.vendors.__main__ import main
from include.demo.vendors.stripe.server import live_key
from include.demo.vendors.zendesk.server import EMAIL, api_token
from tests.vendors.running import started

COMPANY = ["--scale", "0.02", "--seed", "6", "--as-of", "2026-10-01"]
CREDENTIALS = {"stripe": (live_key(), ""), "zendesk": (f"{EMAIL}/token", api_token())}
PATHS = {"stripe": "/v1/customers", "zendesk": "/api/v2/organizations"}


@pytest.mark.parametrize("vendor", CREDENTIALS)
def test_a_server_says_where_it_is_and_ends_with_a_signal(vendor: str) -> None:
    with started(vendor, *COMPANY) as url:
        assert requests.get(f"{url}/health", timeout=10).status_code == 200
        assert requests.get(f"{url}{PATHS[vendor]}", auth=CREDENTIALS[vendor], timeout=10).status_code == 200
        assert requests.get(f"{url}/_faults", timeout=10).status_code == 404


def test_the_second_day_and_faults_are_options() -> None:
    with started("stripe", *COMPANY, "--second", "--faults") as url:
        deleted = requests.get(f"{url}/v1/events?type=customer.deleted", auth=CREDENTIALS["stripe"], timeout=10).json()["data"]
        assert len(deleted) == 1
        assert requests.get(f"{url}/_faults", timeout=10).json()["requests"] == ["GET /v1/events?type=customer.deleted"]


def test_a_minute_of_the_limits_may_be_shorter() -> None:
    with started("zendesk", *COMPANY, "--minute", "0.01") as url:
        path = f"{url}/api/v2/incremental/organizations?start_time=0"
        assert {requests.get(path, auth=CREDENTIALS["zendesk"], timeout=10).status_code for _ in range(12)} == {200}


def test_an_unknown_organization_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zendesk", *COMPANY, "--organization", "nobody"]) == 2
    assert "No organization has the id 'nobody'. The ids are: " in capsys.readouterr().err
