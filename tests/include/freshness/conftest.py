from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include.settings import settings
from include.sources import load_sources
from tests.include.freshness.audit_tables import MANIFEST
from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A client of a warehouse with empty audit tables, and a dbt project of three tables with a freshness SLA."""
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text(json.dumps(MANIFEST))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    known = load_sources()
    # Here refreshes load all tables but the holidays.
    users = known["crm"].tables["users"].model_copy(update={"refresh_every": None})
    crm = known["crm"].model_copy(update={"tables": known["crm"].tables | {"users": users}})
    monkeypatch.setattr("include.freshness.records.load_sources", lambda: {**known, "crm": crm})
    with connected(monkeypatch) as client:
        settings.cache_clear()
        yield client
