from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A client of a warehouse without built or published tables. The dbt project has no manifest."""
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    with connected(monkeypatch, "marts_build", "metrics_build", "marts", "metrics") as client:
        yield client
