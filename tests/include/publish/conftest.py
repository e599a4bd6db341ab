from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include import ops
from tests.include.quality.warehouse import connected, forget


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A client of a warehouse in which nothing is built or published, and of a dbt project that was never parsed."""
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    with connected(monkeypatch) as client:
        ops.ensure_tables([], client=client)
        forget(client, "ops", "marts_build", "metrics_build", "marts", "metrics")
        ops.ensure_tables([], client=client)
        yield client
