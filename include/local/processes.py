"""Starts the stack's processes, each in a group of its own with its own log, and ends them all."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from include.local.errors import StackError


class Processes:
    """The processes that one command has started; stopped in reverse order."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None = None) -> None:
        """Start `command` with its output in `<logs>/<name>.log` (the former run's log is replaced)."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as output:
            self.running[name] = subprocess.Popen(
                command,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tail(self, name: str, lines: int = 5) -> str:
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise a StackError when one of the processes has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise StackError(
                    f"{name} stopped with exit code {process.returncode}; its log is {self.log(name)}:\n{self.tail(name)}"
                )

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.running.items()}

    def stop(self) -> None:
        stop_groups(self.pids())
        for process in self.running.values():
            process.wait()
        self.running.clear()


def stop_groups(pids: dict[str, int], grace: float = 20.0) -> None:
    """End process groups: all asked at once, killed after `grace` seconds."""
    for pid in pids.values():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(alive(pid) for pid in pids.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in pids.values():
        _signal(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether any process of the group still runs (a finished child that nobody has waited for does not count)."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
