"""The layers of the pipeline, from dbt's selectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.settings import settings
from include.transform import layer_selectors


def test_a_selector_that_is_not_made_of_folders_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    text = "selectors: [{name: core, definition: {union: [{method: path, value: models/core}, {method: tag, value: core}]}}]"
    (tmp_path / "selectors.yml").write_text(text)
    with pytest.raises(ValueError, match=r"selectors\.yml: selectors: core: definition: .*method: path"):
        layer_selectors()
    settings.cache_clear()
