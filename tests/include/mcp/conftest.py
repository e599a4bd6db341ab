from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client
from mcp import StdioServerParameters

from include.settings import ROOT
from include.warehouse import environment
from tests.warehouse import connected, free_port, running

MODULE = ["-m", "include.mcp"]


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a warehouse in which nothing is published."""
    with connected(monkeypatch, "marts", "metrics") as client:
        yield client


@pytest.fixture(scope="session")
def variables() -> dict[str, str]:
    """The environment of a server that asks the tests' warehouse."""
    warehouse = running()
    return environment(warehouse.home, warehouse.port)


@pytest.fixture(scope="session")
def stdio(variables: dict[str, str]) -> StdioServerParameters:
    """How a client starts the server as a child of its own."""
    return StdioServerParameters(command=sys.executable, args=MODULE, env=variables, cwd=ROOT)


@pytest.fixture(scope="session")
def http(variables: dict[str, str]) -> Iterator[str]:
    """The address of a server that is up."""
    port = free_port()
    process = subprocess.Popen([sys.executable, *MODULE, "--transport", "http", "--port", str(port)], env=variables, cwd=ROOT)
    address = f"http://127.0.0.1:{port}/mcp"
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError("the MCP server did not start")
        yield address
    finally:
        process.terminate()
        process.wait(10)
