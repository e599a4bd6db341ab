"""Stripe's server with the first organization, on both days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults
from tests.vendors.running import running


@pytest.fixture(scope="session")
def url(first_day: Account) -> Iterator[str]:
    with running(vendor_app("stripe", first_day, Faults(per_second=10**6, per_endpoint=10**6))) as address:
        yield address


@pytest.fixture(scope="session")
def next_url(second_day: Account) -> Iterator[str]:
    with running(vendor_app("stripe", second_day, Faults(per_second=10**6, per_endpoint=10**6))) as address:
        yield address


@pytest.fixture
def faults(url: str) -> Iterator[str]:
    """The control endpoint. What a test asks for ends with the test."""
    yield f"{url}/_faults"
    requests.delete(f"{url}/_faults", timeout=10)
    requests.post(f"{url}/_faults", json={"settings": {"per_second": 10**6, "per_endpoint": 10**6}}, timeout=10)
