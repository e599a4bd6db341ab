"""Starts the stack's processes, each in a group of its own with its own log, watches over them, and ends them all."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from include.local.errors import StackError

MAX_RESTARTS = 3
#: Seconds that processes have to end by themselves.
GRACE = 6.0


@dataclass
class Started:
    """A process and how to start it again."""

    command: list[str]
    environment: dict[str, str]
    cwd: Path | None
    may_restart: bool
    process: subprocess.Popen[bytes]
    restarts: int = 0


class Processes:
    """The processes that one command has started."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        #: What `check` has started again, a sentence each.
        self.crashes: list[str] = []
        self._started: dict[str, Started] = {}

    def start(
        self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None = None, may_restart: bool = False
    ) -> None:
        """Start `command` with its output in `<logs>/<name>.log` (the former run's log is replaced).

        Args:
            name: of the process and its log.
            command: program and arguments.
            environment: all of its environment variables.
            cwd: its working folder.
            may_restart: it keeps its state elsewhere, so `check` may start it again when it has crashed.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        process = self._spawn(name, command, environment, cwd, mode="wb")
        self._started[name] = Started(command, environment, cwd, may_restart, process)

    def _spawn(
        self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None, mode: str
    ) -> subprocess.Popen[bytes]:
        with self.log(name).open(mode) as output:
            return subprocess.Popen(
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

    def ended(self, name: str) -> bool:
        return self._started[name].process.poll() is not None

    def check(self) -> None:
        """Start crashed processes again where that loses nothing, three times at the most.

        Raises:
            StackError: one has ended that cannot be started again; with the end of its log.
        """
        for name, started in self._started.items():
            code = started.process.poll()
            if code is None:
                continue
            if not started.may_restart or started.restarts >= MAX_RESTARTS:
                raise StackError(f"{name} stopped with exit code {code}; its log is {self.log(name)}:\n{self.tail(name)}")
            _signal(started.process.pid, signal.SIGKILL)
            started.restarts += 1
            self.crashes.append(f"{name} stopped with exit code {code} and was started again; its log is {self.log(name)}")
            started.process = self._spawn(name, started.command, started.environment, started.cwd, mode="ab")

    def pids(self) -> dict[str, int]:
        return {name: started.process.pid for name, started in self._started.items()}

    def stop(self, grace: float = GRACE) -> None:
        """End them all; those that have not ended within `grace` seconds are killed."""
        stop_groups(self.pids(), grace)
        for started in self._started.values():
            started.process.wait()
        self._started.clear()


def stop_groups(pids: dict[str, int], grace: float = GRACE) -> None:
    """End process groups and what they have started: all asked at once, killed after `grace` seconds.

    Airflow's executor runs tasks in groups of their own, which would outlive it and go on writing.
    """
    descendants = [child for pid in pids.values() for child in _descendants(pid)]
    for pid in pids.values():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(alive(pid) for pid in pids.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in pids.values():
        _signal(pid, signal.SIGKILL)
    for child in descendants:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(descendants, timeout=5)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def alive(pid: int) -> bool:
    """Whether any process of the group still runs (a finished child that nobody has waited for does not count)."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
