"""Contracts: a nightly run sends no query about a model's columns. `make check-google` has dbt compare them, and finds differences."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from include.settings import ROOT
from tests.warehouse import connected

MODELS = {
    "matching": "select 'x' as id, 1 as pieces",
    "additional_column": "select 'x' as id, 1 as pieces, 2 as additional",
    "missing_column": "select 'x' as id",
    "other_type": "select 'x' as id, 1.5 as pieces",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project of small models under one contract, with this project's macros."""
    (tmp_path / "models").mkdir()
    for name, sql in MODELS.items():
        (tmp_path / "models" / f"{name}.sql").write_text(sql)
    columns = [{"name": "id", "data_type": "string"}, {"name": "pieces", "data_type": "int64"}]
    config = {"contract": {"enforced": True}, "materialized": "table", "schema": "contracts"}
    models = [{"name": name, "config": config, "columns": columns} for name in MODELS]
    (tmp_path / "models" / "models.yml").write_text(yaml.safe_dump({"models": models}))
    settings = {"name": "contracts", "profile": "customer_intelligence", "macro-paths": [str(ROOT / "dbt" / "macros")]}
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    return tmp_path


def built(project: Path) -> tuple[set[str], str]:
    """Build all models; returns the names of those that could be built, and dbt's log."""
    folders = ["--project-dir", project, "--profiles-dir", ROOT / "dbt", "--target-path", project, "--log-path", project]
    (project / "dbt.log").unlink(missing_ok=True)
    subprocess.run([Path(sys.prefix) / "bin" / "dbt", "run", *folders], cwd=ROOT, capture_output=True, check=False)
    results = json.loads((project / "run_results.json").read_text())["results"]
    return {result["unique_id"].split(".")[2] for result in results if result["status"] == "success"}, (
        project / "dbt.log"
    ).read_text()


def test_a_model_is_compared_with_its_contract_only_on_request(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    with connected(monkeypatch, "contracts"):
        models, log = built(project)
        assert "additional_column" in models and "matching" in models
        assert "missing_column" not in models
        assert "where false" not in log

        monkeypatch.setenv("DBT_CHECK_CONTRACTS", "1")
        models, log = built(project)
        assert models == {"matching"}
        assert "where false" in log
