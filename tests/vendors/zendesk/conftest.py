"""Zendesk's server with the second organization, whose help desk measures all its tickets, on both days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults
from tests.vendors.running import running
from tests.vendors.zendesk.reading import FREE


@pytest.fixture(scope="session")
def first_day(accounts: list[tuple[Account, Account]]) -> Account:
    """The second organization, whose help desk measures all its tickets."""
    return accounts[1][0]


@pytest.fixture(scope="session")
def second_day(accounts: list[tuple[Account, Account]]) -> Account:
    """The same organization a day later."""
    return accounts[1][1]


@pytest.fixture(scope="session")
def url(first_day: Account) -> Iterator[str]:
    with running(vendor_app("zendesk", first_day, Faults(**FREE))) as address:
        yield address


@pytest.fixture(scope="session")
def next_url(second_day: Account) -> Iterator[str]:
    with running(vendor_app("zendesk", second_day, Faults(**FREE))) as address:
        yield address


@pytest.fixture
def faults(url: str) -> Iterator[str]:
    """The control endpoint. What a test asks for ends with the test."""
    yield f"{url}/_faults"
    requests.delete(f"{url}/_faults", timeout=10)
    requests.post(f"{url}/_faults", json={"settings": FREE}, timeout=10)
