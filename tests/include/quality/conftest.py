from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.bigquery import Client

from include.quality.builder import build
from include.quality.context import open_context
from include.settings import settings
from include.sources import Source
from tests.warehouse import connected

DATASETS = ("raw_shop", "staging", "core", "marts_build", "metrics_build", "marts")


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse in which every dataset exists and nothing is in them."""
    with connected(monkeypatch, *DATASETS) as client:
        yield client


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Makes a context of given gates, name → rules, and of given sources, and has the platform use it."""

    def make(rules: dict[str, list[dict[str, Any]]], sources: dict[str, Source] | None = None) -> Path:
        folder = tmp_path / "great_expectations"
        (folder / "gates").mkdir(parents=True, exist_ok=True)
        for name, given in rules.items():
            (folder / "gates" / f"{name}.yml").write_text(yaml.safe_dump({"gate": name, "rules": given}), encoding="utf-8")
        build(folder, sources=sources or {})
        open_context.cache_clear()
        return folder

    monkeypatch.setenv("PLATFORM_GX_DIR", str(tmp_path / "great_expectations"))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path / "dbt"))
    settings.cache_clear()
    yield make
    open_context.cache_clear()
    settings.cache_clear()
