"""Runs a vendor's server as a process of its own, and gives it orders through its control endpoint."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import requests

from include.demo.clock import parse_as_of
from include.demo.vendors.common import Account, account
from include.settings import ROOT

SCALE, SEED, AS_OF = 0.02, 7, "2026-10-01"
#: The second organization. It has subsidiaries, a ticket that was merged, and objects that are deleted on the next day.
ORGANIZATION = "27f21a09-d7c6-8e77-ae9c-0946b36aed41"


@cache
def company(second: bool = False, organization: str | None = ORGANIZATION) -> Account:
    """The organization that `serving` serves; the first one, if `organization` is None."""
    return account(SCALE, SEED, parse_as_of(AS_OF), organization, second)


@contextmanager
def serving(vendor: str, second: bool = False) -> Iterator[str]:
    """Run a vendor's server. Yields its address."""
    company_of = ["--scale", str(SCALE), "--seed", str(SEED), "--as-of", AS_OF, "--organization", ORGANIZATION]
    arguments = [vendor, "--faults", *company_of, *(["--second"] if second else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "include.demo.vendors", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate()[1])
        yield line.partition(": ")[2].strip()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def order(address: str, answers: list[dict[str, Any]] | None = None, **settings: Any) -> None:
    """Ask a server for faults. Each call replaces what was asked before."""
    requests.delete(f"{address}/_faults", timeout=10)
    requests.post(f"{address}/_faults", json={"answers": answers or [], "settings": settings}, timeout=10)


def requests_of(address: str) -> list[str]:
    """The requests that a server got, as `GET /path?query`."""
    seen: list[str] = requests.get(f"{address}/_faults", timeout=10).json()["requests"]
    return seen
