from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse in which every dataset exists and the books are empty."""
    with connected(monkeypatch) as client:
        yield client
