"""`make mcp`: the tools on the local warehouse, which starts and stops with the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from include.local.home import Company
from include.local.warehouse import EmbeddedWarehouse
from include.settings import ROOT
from tests.include.mcp.published import call, text_of
from tests.include.mcp.serving import until_up
from tests.warehouse import free_port


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path))
    return {**os.environ, "WAREHOUSE_PORT": str(free_port())}


def start(variables: dict[str, str], port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "include.local", "mcp", "--port", str(port)]
    return subprocess.Popen(command, env=variables, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_local_warehouse_is_queried_and_stops_with_the_server(variables: dict[str, str]) -> None:
    company = Company("2026-10-01")
    company.save()
    warehouse = EmbeddedWarehouse(company.home / "warehouse", int(variables["WAREHOUSE_PORT"]))
    warehouse.home.mkdir(parents=True)
    port = free_port()
    process = start(variables, port)
    try:
        address = until_up(process, port)
        assert warehouse.is_up()
        assert "The warehouse refused: " in text_of(call(address, ("kpi.churned_customers", {}))[0])
    finally:
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert f"http://127.0.0.1:{port}/mcp" in output
    assert "Traceback" not in errors
    assert not warehouse.is_up()
