"""`make dbt` and `make docs`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from include.local import shell
from include.local.errors import StackError
from include.local.home import Company
from include.local.shell import keep_manifest, run_dbt, write_docs
from include.settings import ROOT, settings


def test_without_a_command_or_a_warehouse_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path))
    with pytest.raises(StackError, match="make dbt ARGS="):
        run_dbt([])
    with pytest.raises(StackError, match="make run"):
        run_dbt(["build"])


@pytest.fixture
def company(manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Company]:
    """The last company, and a copy of the dbt project to change. `dbt ls` needs no warehouse."""
    project, found = tmp_path / "dbt", Company("2026-10-01")
    shutil.copytree(ROOT / "dbt", project, ignore=shutil.ignore_patterns("logs"))
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(project))
    monkeypatch.setattr(shell, "warehouse_of", lambda *_: nullcontext({}))
    settings.cache_clear()
    found.save()
    parsed = found.home / "state" / "dbt_shell"
    parsed.mkdir(parents=True)
    shutil.copy(manifest.with_name("partial_parse.msgpack"), parsed)
    yield found
    settings.cache_clear()


def test_what_has_changed_since_the_last_run_can_be_selected(company: Company, capfd: pytest.CaptureFixture[str]) -> None:
    models = "ls --quiet --resource-type model --output name --select"
    with pytest.raises(StackError, match="make run"):
        run_dbt([*models.split(), "state:modified+"])
    keep_manifest(company)
    (model,) = settings().dbt_dir.rglob("mart_outreach_kpis.sql")
    model.write_text(model.read_text() + "-- Another text.\n")
    (unit_tests,) = settings().dbt_dir.rglob("mart_nrr_summary.yml")
    unit_tests.write_text(unit_tests.read_text() + "# No change of the model.\n")
    assert run_dbt([*models.split(), "state:modified+"]) == 0
    assert sorted(capfd.readouterr().out.split()) == ["mart_combined_kpis", "mart_outreach_kpis"]


@pytest.mark.parametrize("words", ["build --select state:new --state folder", "ls --state=folder -s state:new", "retry"])
def test_dbt_gets_the_kept_state_only_for_a_selection_that_names_none(
    company: Company, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    environments: list[dict[str, str]] = []

    def dbt(_: Sequence[str], environment: dict[str, str]) -> int:
        environments.append(environment)
        return 0

    monkeypatch.setattr(shell, "_dbt", dbt)
    keep_manifest(company)
    assert run_dbt(words.split()) == 0
    assert run_dbt(["ls", "--select", "state:modified"]) == 0
    assert ["DBT_STATE" in environment for environment in environments] == [False, True]


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
