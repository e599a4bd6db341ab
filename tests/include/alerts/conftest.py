from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

from tests.include.alerts.receivers import Receivers, receiving
from tests.warehouse import connected


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    """Real receivers. The Airflow connections of this process point to them."""
    with receiving() as receivers:
        for name, value in receivers.connections().items():
            monkeypatch.setenv(name, value)
        yield receivers


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse in which every dataset exists and the audit tables are empty."""
    with connected(monkeypatch) as client:
        yield client
