"""`make dbt` and `make docs`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from include.local.errors import StackError
from include.local.shell import run_dbt, write_docs


def test_without_a_command_or_a_warehouse_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path))
    with pytest.raises(StackError, match="make dbt ARGS="):
        run_dbt([])
    with pytest.raises(StackError, match="make run"):
        run_dbt(["build"])


def test_the_documentation_is_one_file_with_models_columns_and_lineage() -> None:
    written, metrics = write_docs()
    page = written.read_text(encoding="utf-8")
    assert not re.search(r'<(script|link)[^>]+(src|href)="(?!data:|https?://fonts)[^"#]+\.(js|css)"', page), (
        "it needs no other file"
    )
    start = page.index('{"metadata"')
    manifest, _ = json.JSONDecoder().raw_decode(page[start:])
    model = manifest["nodes"]["model.customer_intelligence.mart_nrr_summary"]
    assert model["columns"]["nrr_pct"]["description"]
    assert "model.customer_intelligence.fct_revenue" in manifest["parent_map"][model["unique_id"]]
    links = re.findall(r"\]\(([^)#]+)\)", metrics.read_text(encoding="utf-8"))
    assert "nrr.md" in links
    assert [link for link in links if not (metrics.parent / link).exists()] == []
