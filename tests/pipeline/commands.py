"""Runs the commands of the Makefile on a stack of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from include.local.home import Ports
from include.settings import ROOT
from tests.pipeline.nightly_runs import free_ports


class Commands:
    """Runs the commands on their own stack."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = free_ports()
        self.environment = {
            **os.environ,
            "LOCAL_HOME": str(home),
            **{f"{name.upper()}_PORT": str(port) for name, port in asdict(self.ports).items()},
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own, with its output in a pipe."""
        command = [sys.executable, "-m", "include.local", *arguments]
        return subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )

    def __call__(self, *arguments: str, ok: bool | None = True) -> str:
        """Run a command and return its output. Fails if the command does not end as expected; None: either way."""
        command = [sys.executable, "-m", "include.local", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, cwd=ROOT, check=False)
        assert ok is None or (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout + done.stderr


def listening(ports: Ports) -> Iterator[str]:
    """The names of the ports on which something listens."""
    for name, port in asdict(ports).items():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                yield name
