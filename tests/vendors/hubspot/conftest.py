"""The HubSpot server on both days, and its client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubspot import HubSpot

from include.demo.vendors.common import Row
from include.demo.vendors.hubspot import token
from tests.vendors.hubspot.reading import client
from tests.vendors.hubspot.rows import tables
from tests.vendors.served import order, serving


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the first day's server."""
    with serving("hubspot") as address:
        yield address


@pytest.fixture(scope="session")
def next_day() -> Iterator[str]:
    """The address of the second day's server."""
    with serving("hubspot", second=True) as address:
        yield address


@pytest.fixture
def address(server: str) -> str:
    """A server without faults, and with a limit that tests do not reach."""
    order(server, burst=10_000, search_rate=10_000)
    return server


@pytest.fixture
def api(address: str) -> HubSpot:
    """HubSpot's client of the first day's server."""
    return client(address, token())


@pytest.fixture(scope="session")
def read(server: str) -> dict[str, list[Row]]:
    """The rows of the first day, as HubSpot's client reads them."""
    order(server, burst=10_000)
    return tables(client(server, token()))
