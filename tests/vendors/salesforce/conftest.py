"""The Salesforce server on both days, and its client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simple_salesforce import Salesforce

from include.demo.vendors.common import Row
from include.demo.vendors.salesforce import CLIENT_ID, client_secret
from tests.vendors.salesforce.reading import client
from tests.vendors.salesforce.rows import tables
from tests.vendors.served import order, serving


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the first day's server."""
    with serving("salesforce") as address:
        yield address


@pytest.fixture(scope="session")
def next_day() -> Iterator[str]:
    """The address of the second day's server."""
    with serving("salesforce", second=True) as address:
        yield address


@pytest.fixture
def address(server: str) -> str:
    """A server without faults."""
    order(server)
    return server


@pytest.fixture
def api(address: str) -> Salesforce:
    """simple-salesforce on the first day's server."""
    return client(address, CLIENT_ID, client_secret())


@pytest.fixture(scope="session")
def read(server: str) -> dict[str, list[Row]]:
    """The rows of the first day, as simple-salesforce reads them."""
    order(server)
    return tables(client(server, CLIENT_ID, client_secret()))
