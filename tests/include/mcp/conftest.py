from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client
from mcp import StdioServerParameters

from include.local.warehouse import environment
from include.settings import ROOT
from tests.include.mcp.serving import until_up
from tests.warehouse import connected, free_port, running

MODULE = ["-m", "include.mcp"]


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse without published tables."""
    with connected(monkeypatch, "marts", "metrics") as client:
        yield client


@pytest.fixture(scope="session")
def variables() -> dict[str, str]:
    """The environment of a server that queries the tests' warehouse."""
    warehouse = running()
    return environment(warehouse.home, warehouse.port)


@pytest.fixture(scope="session")
def stdio(variables: dict[str, str]) -> StdioServerParameters:
    """The parameters with which a client starts the server as a child process."""
    return StdioServerParameters(command=sys.executable, args=MODULE, env=variables, cwd=ROOT)


@pytest.fixture(scope="session")
def http(variables: dict[str, str]) -> Iterator[str]:
    """The address of a running server."""
    port = free_port()
    process = subprocess.Popen([sys.executable, *MODULE, "--transport", "http", "--port", str(port)], env=variables, cwd=ROOT)
    try:
        yield until_up(process, port)
    finally:
        process.terminate()
        process.wait(10)
