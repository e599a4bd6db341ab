"""Serves an organization that has what HubSpot and Salesforce hold, and gives its server orders through the control endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import requests

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults, account
from tests.vendors.running import running

SCALE, SEED, AS_OF = 0.02, 7, datetime(2026, 10, 1, tzinfo=UTC)
#: The second organization. It has subsidiaries, a ticket that was merged, and objects that are deleted on the next day.
ORGANIZATION = "27f21a09-d7c6-8e77-ae9c-0946b36aed41"


@cache
def company(second: bool = False, organization: str | None = ORGANIZATION) -> Account:
    """The organization that `serving` serves; the first one, if `organization` is None."""
    if second:
        return replace(account(SCALE, SEED, AS_OF + timedelta(days=1), organization), before=company(organization=organization))
    return account(SCALE, SEED, AS_OF, organization)


@contextmanager
def serving(vendor: str, second: bool = False) -> Iterator[str]:
    """Run a vendor's server. Yields its address."""
    with running(vendor_app(vendor, company(second), Faults())) as address:
        yield address


def order(address: str, answers: list[dict[str, Any]] | None = None, **settings: Any) -> None:
    """Ask a server for faults. Each call replaces what was asked before."""
    requests.delete(f"{address}/_faults", timeout=10)
    requests.post(f"{address}/_faults", json={"answers": answers or [], "settings": settings}, timeout=10)


def requests_of(address: str) -> list[str]:
    """The requests that a server got, as `GET /path?query`."""
    seen: list[str] = requests.get(f"{address}/_faults", timeout=10).json()["requests"]
    return seen
