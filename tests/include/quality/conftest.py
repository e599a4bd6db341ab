from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.bigquery import Client

from include.quality.builder import gates as all_gates
from include.quality.builder import write
from include.settings import settings
from tests.warehouse import connected

DATASETS = ("raw_shop", "conformed", "core", "marts_build", "metrics_build", "marts")


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse in which every dataset exists and is empty."""
    with connected(monkeypatch, *DATASETS) as client:
        yield client


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """A function that writes gates, name → rules, and sources, for the platform to use; it returns the gates' folder."""

    def make(rules: dict[str, list[dict[str, Any]]], sources: dict[str, dict[str, Any]] | None = None) -> Path:
        folder = tmp_path / "great_expectations" / "gates"
        for name, given in rules.items():
            write({folder / f"{name}.yml": yaml.safe_dump({"gate": name, "rules": given})})
        for name, source in (sources or {}).items():
            write({tmp_path / "sources" / f"{name}.yml": yaml.safe_dump(source)})
        all_gates()
        return folder

    monkeypatch.setenv("PLATFORM_GX_DIR", str(tmp_path / "great_expectations"))
    monkeypatch.setenv("PLATFORM_SOURCES_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path / "dbt"))
    settings.cache_clear()
    yield make
    settings.cache_clear()
