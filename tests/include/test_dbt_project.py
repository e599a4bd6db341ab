"""The layers of the pipeline, from dbt's selectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.dbt_project import folders, layer_selectors
from include.settings import settings


def test_a_selector_that_is_not_made_of_folders_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    text = "selectors: [{name: core, definition: {union: [{method: path, value: models/core}, {method: tag, value: core}]}}]"
    (tmp_path / "selectors.yml").write_text(text)
    with pytest.raises(ValueError, match=r"selectors\.yml: selectors: core: definition: .*method: path"):
        layer_selectors()
    settings.cache_clear()


def test_the_folders_of_the_layers_are_in_the_order_of_a_run() -> None:
    assert folders() == ["seeds", "staging", "conformed", "intermediate", "core", "snapshots", "marts", "metrics"]
