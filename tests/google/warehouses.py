"""Starts the two warehouses that a check compares. The platform's clients and dbt in this environment use the started one."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from google.cloud.bigquery import Client

from include import ops
from include.ingestion.raw import RawTables
from include.local.warehouse import EmbeddedWarehouse, environment
from include.settings import ROOT, settings
from include.sources import load_sources
from include.warehouse import client
from tests.google.endpoint import Endpoint, cpu_seconds, set_phase
from tests.warehouse import free_port

#: Options of dbt, for a build of all tables that runs none of their tests.
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


@dataclass(frozen=True)
class Warehouse:
    """A running warehouse of either kind. The environment variables point at it.

    Attributes:
        pid: the server's process.
    """

    pid: int

    def prepare(self) -> Client:
        """Create the audit tables and the raw tables, empty."""
        bq = client(tool="tests")
        ops.ensure_tables()
        for source in load_sources().values():
            RawTables(source, bq).ensure()
        return bq

    def dbt(self, command: str, *options: str, as_of: str) -> dict[str, dict[str, Any]]:
        """Run dbt; results by the node's unique id.

        Raises:
            RuntimeError: dbt did not get as far as running nodes.
        """
        target = _artifacts()
        written = target / "run_results.json"
        written.unlink(missing_ok=True)
        folders = ["--project-dir", "dbt", "--profiles-dir", "dbt", "--target-path", str(target), "--log-path", str(target)]
        done = subprocess.run(
            [str(Path(sys.prefix) / "bin" / "dbt"), command, *folders, *options],
            cwd=ROOT,
            env={**os.environ, "DBT_AS_OF": as_of, "DBT_RUN_ID": f"run__{as_of}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not written.exists():
            raise RuntimeError(done.stdout[-4000:] + done.stderr)
        return {result["unique_id"]: result for result in json.loads(written.read_text())["results"]}

    def phase(self, name: str) -> None:
        """Name the phase of all following requests to the endpoint."""
        set_phase(os.environ["BIGQUERY_EMULATOR_HOST"], name)

    def cpu_seconds(self) -> float:
        """CPU time of the server so far."""
        return cpu_seconds(self.pid)


@lru_cache(maxsize=1)
def _artifacts() -> Path:
    """dbt's folder of artifacts. Both warehouses share it, so that dbt parses once. It starts from the last parse if there is one."""
    folder = Path(tempfile.mkdtemp(prefix="dbt-google-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    parsed = ROOT / "dbt" / "target" / "partial_parse.msgpack"
    if parsed.exists():
        shutil.copy(parsed, folder)
    return folder


@contextmanager
def evaluated(home: Path) -> Iterator[Warehouse]:
    """The endpoint with rows, computed by Google's reference evaluator.

    Raises:
        RuntimeError: it does not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    endpoint = Endpoint(free_port(), home / "endpoint.log", "--evaluate")
    try:
        endpoint.start()
        with _pointed_at(home, endpoint.port):
            yield Warehouse(endpoint.pid)
    finally:
        endpoint.stop()


@contextmanager
def embedded(home: Path) -> Iterator[Warehouse]:
    """The local warehouse."""
    warehouse = EmbeddedWarehouse(home, free_port())
    warehouse.start()
    try:
        with _pointed_at(home, warehouse.port):
            yield Warehouse(warehouse.pid)
    finally:
        warehouse.stop()


@contextmanager
def _pointed_at(home: Path, port: int) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment(home, port))
    settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
