"""Waits for a server process to start."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import Any


def until_up(process: subprocess.Popen[Any], port: int) -> str:
    """The address of a server, once it listens."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return f"http://127.0.0.1:{port}/mcp"
        time.sleep(0.05)
    raise AssertionError("the MCP server did not start")
