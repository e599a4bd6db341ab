"""docs/runs.md names what the models' and the sources' YAML say, read here without dbt's manifest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from include.manifest import read_manifest
from include.orchestration import __main__ as command
from include.orchestration.page import PAGE, runs_page
from include.settings import ROOT
from include.terms import refreshed_by


def published_by_cadence() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for layer in ("marts", "metrics"):
        for path in (ROOT / "dbt" / "models" / layer).rglob("*.yml"):
            for model in (yaml.safe_load(path.read_text()) or {}).get("models") or ():
                sla = ((model.get("config") or {}).get("meta") or {}).get("sla")
                if sla and sla["cadence"] != "daily":
                    found.setdefault(refreshed_by(sla["cadence"]), set()).add(f"`{layer}.{model['name']}`")
    return found


def steps(page: str, refresh: str) -> dict[str, str]:
    section = page.partition(f"\n## {refresh}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ", 1) for line in section.splitlines() if line.startswith("| ")]
    return {row[0]: row[1] for row in rows[2:]}


def test_a_refresh_publishes_the_tables_of_its_cadence() -> None:
    page = runs_page(read_manifest())
    expected = published_by_cadence()
    assert expected
    for refresh, tables in expected.items():
        assert set(steps(page, refresh)["publishes"].split(", ")) == tables


def test_a_table_that_only_the_nightly_run_loads_is_not_listed() -> None:
    source = yaml.safe_load((ROOT / "include/sources/crm.yml").read_text())
    nightly = {name for name, table in source["tables"].items() if "refresh_every" in table and table["refresh_every"] == "24h"}
    page = runs_page(read_manifest())
    loaded = {word.strip("`,; ") for refresh in published_by_cadence() for word in steps(page, refresh)["loads"].split()}
    assert nightly.isdisjoint(loaded)
    assert "leads" in loaded


@pytest.mark.parametrize(("change", "code"), [("", 0), ("one line more\n", 1)])
def test_the_check_fails_if_the_page_is_out_of_date(
    change: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "runs.md"
    page.write_text(PAGE.read_text() + change)
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["runs", "--check"])
    assert command.main() == code
    assert ("make generate" in capsys.readouterr().err) == bool(code)
