from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include import ops
from tests.include.restatements.company import DATASETS, Company
from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A client of a warehouse without raw, built or published tables. The dbt project has no manifest."""
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch) as client:
        ops.ensure_tables(["crm", "reference"], client)
        for dataset in DATASETS:
            for table in client.list_tables(dataset):
                client.delete_table(table.reference)
        yield client


@pytest.fixture
def company(bq: Client) -> Company:
    """Two orders of acme in August and September 2026."""
    return Company(bq)
