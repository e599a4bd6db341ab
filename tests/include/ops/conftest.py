from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse with all datasets and empty audit tables."""
    with connected(monkeypatch) as client:
        yield client
