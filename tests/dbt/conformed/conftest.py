"""A warehouse for the tests of conformed views: the platform's tables, and raw tables with a small demo company."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from include.settings import ROOT
from tests.dbt.conformed.contract import conformed_views
from tests.dbt.conformed.raw import create_raw_table, load_csv
from tests.warehouse import free_port

AS_OF = "2026-10-01"
#: The conformed views, what they read, and their clean views.
PATHS = ("path:models/staging", "path:models/conformed", "path:models/intermediate/clean")
HOSTILE_RUN_ID = 'manual__it\'s \\ "quoted"\nand 🎉'


@dataclass(frozen=True)
class DbtRun:
    """A finished dbt invocation: its exit code, its output, and the result of each node by id."""

    code: int
    output: str
    invocation_id: str
    results: dict[str, dict[str, Any]]

    def statuses(self, *kinds: str) -> dict[str, str]:
        """Status by node id, for nodes of the given kinds (model, test, unit_test)."""
        return {key: str(result["status"]) for key, result in self.results.items() if result["unique_id"].split(".")[0] in kinds}


@dataclass(frozen=True)
class Warehouse:
    """A running warehouse, and dbt commands on it."""

    target: Path

    def query(self, sql: str) -> list[dict[str, Any]]:
        from include.warehouse import client

        return [dict(row.items()) for row in client().query(sql).result()]

    def dbt(self, command: str, *arguments: str) -> DbtRun:
        """Run a dbt command on the staging, conformed and clean views."""
        variables = json.dumps({"as_of": AS_OF, "run_id": HOSTILE_RUN_ID}, ensure_ascii=False)
        options = ["--select", *PATHS, "--vars", variables, *arguments]
        done, found = self._run([command, *options], "run_results.json")
        results = {result["unique_id"]: result for result in found["results"]}
        return DbtRun(done.returncode, done.stdout[-6000:], found["metadata"]["invocation_id"], results)

    def freshness(self, *tables: str) -> dict[str, str]:
        """`dbt source freshness` of some raw tables, `source.table`; returns the status of each."""
        _, found = self._run(["source", "freshness", "--select", *(f"source:{table}" for table in tables)], "sources.json")
        return {".".join(result["unique_id"].split(".")[-2:]): result["status"] for result in found["results"]}

    def _run(self, command: list[str], artifact: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        """Run dbt; returns the finished process and the artifact that it wrote."""
        written = self.target / artifact
        written.unlink(missing_ok=True)
        dbt = Path(sys.prefix) / "bin" / "dbt"
        folders = ["--project-dir", "dbt", "--profiles-dir", "dbt", "--target-path", self.target, "--log-path", self.target]
        done = subprocess.run([dbt, *command, *folders], cwd=ROOT, capture_output=True, text=True, check=False)
        assert written.exists(), f"dbt stopped before it ran anything:\n{done.stdout}{done.stderr}"
        return done, json.loads(written.read_text())


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    from include.demo.__main__ import main as demo
    from include.local.warehouse import EmbeddedWarehouse, environment
    from include.ops import ensure_tables
    from include.settings import settings
    from include.warehouse import client

    home = tmp_path_factory.mktemp("conformed")
    port = free_port()
    before = dict(os.environ)
    embedded = EmbeddedWarehouse(home / "warehouse", port)
    try:
        os.environ.update(environment(embedded.home, port))
        settings.cache_clear()
        embedded.start()
        ensure_tables()
        company = home / "company"
        demo(["generate", "--out", str(company), "--scale", "0.02", "--seed", "7", "--as-of", AS_OF])
        bq = client()
        for view in conformed_views():
            create_raw_table(bq, view)
            load_csv(bq, view, company / f"{view.table}.csv")
        yield Warehouse(home / "target")
    finally:
        embedded.stop()
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()


@pytest.fixture(scope="module")
def healthy_build(warehouse: Warehouse) -> DbtRun:
    """`dbt build` of the staging, conformed and clean views on the demo company: views, data tests, unit tests."""
    return warehouse.dbt("build")
