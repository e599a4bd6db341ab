"""Starts, checks and stops the processes of the stack. Each has its own process group and log."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from include.local.errors import StackError
from include.local.leftovers import marks

MAX_RESTARTS = 3
#: Seconds that processes have to end after SIGTERM.
GRACE = 6.0


@dataclass
class Started:
    """A process and how to restart it."""

    command: list[str]
    environment: dict[str, str]
    cwd: Path | None
    may_restart: bool
    process: subprocess.Popen[bytes]
    restarts: int = 0


class Processes:
    """The processes that one command has started.

    Args:
        logs: the folder of their logs.
        append: whether a process adds to the log of its predecessor instead of replacing it.
    """

    def __init__(self, logs: Path, append: bool = False) -> None:
        self.logs = logs
        self._mode = "ab" if append else "wb"
        #: A sentence for each process that `check` has restarted.
        self.crashes: list[str] = []
        self._started: dict[str, Started] = {}
        #: Parts that start by themselves: name → whether it runs, and its log.
        self._others: dict[str, tuple[Callable[[], bool], Path]] = {}
        self._closed = False
        self._lock = threading.Lock()

    def start(
        self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None = None, may_restart: bool = False
    ) -> None:
        """Start a command with its output in `<logs>/<name>.log`.

        Raises:
            StackError: the processes are being stopped.

        Args:
            name: the name of the process and its log.
            command: program and arguments.
            environment: all of its environment variables.
            cwd: its working folder.
            may_restart: whether `check` may restart it after a crash, because it keeps its state elsewhere.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._raise_if_closed()
            process = self._spawn(name, command, environment, cwd, self._mode)
            self._started[name] = Started(command, environment, cwd, may_restart, process)

    def run(self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None = None) -> None:
        """Run a command to its end, with its output in `<logs>/<name>.log`.

        Raises:
            StackError: it failed, with the end of its log, or the processes are being stopped.
        """
        self.start(name, command, environment, cwd)
        code = self._started[name].process.wait()
        with self._lock:
            self._raise_if_closed()
            del self._started[name]
        if code:
            raise StackError(f"{name} failed with exit code {code}; its log is {self.log(name)}:\n{self.tail(name, lines=40)}")

    def watch(self, name: str, is_running: Callable[[], bool], log: Path) -> None:
        """Let `check` look at a part of the stack that is not one of these processes."""
        self._others[name] = is_running, log

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise StackError("The stack is being stopped.")

    def _spawn(
        self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None, mode: str
    ) -> subprocess.Popen[bytes]:
        with self.log(name).open(mode) as output:
            return subprocess.Popen(
                command,
                env=environment | marks(),
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
        self._raise_if_closed()
        return self._started[name].process.poll() is not None

    def check(self) -> None:
        """Restart crashed processes that may be restarted, each at most `MAX_RESTARTS` times.

        Raises:
            StackError: a process has ended and cannot be restarted. The message has the end of its log.
        """
        for name, (is_running, log) in self._others.items():
            if not is_running():
                raise StackError(f"{name} has stopped; its log is {log}.")
        with self._lock:
            self._raise_if_closed()
            self._restart_crashed()

    def _restart_crashed(self) -> None:
        for name, started in self._started.items():
            code = started.process.poll()
            if code is None:
                continue
            if not started.may_restart or started.restarts >= MAX_RESTARTS:
                raise StackError(f"{name} stopped with exit code {code}; its log is {self.log(name)}:\n{self.tail(name)}")
            _signal(started.process.pid, signal.SIGKILL)
            started.restarts += 1
            self.crashes.append(f"{name} stopped with exit code {code} and was restarted; its log is {self.log(name)}")
            started.process = self._spawn(name, started.command, started.environment, started.cwd, "ab")

    def pids(self) -> dict[str, int]:
        return {name: started.process.pid for name, started in self._started.items()}

    def close(self) -> None:
        """Start no process any more. Threads that wait for one get a StackError."""
        with self._lock:
            self._closed = True

    def stop(self, grace: float = GRACE) -> None:
        """Stop all processes. Those that do not end within `grace` seconds are killed."""
        stop_groups(self.pids(), grace)
        for started in self._started.values():
            started.process.wait()
        self._started.clear()


def stop_groups(pids: dict[str, int], grace: float = GRACE) -> None:
    """Stop process groups and their descendants: SIGTERM to all groups, SIGKILL after `grace` seconds.

    Airflow's executor runs each task in its own process group, which would otherwise outlive it and continue to write.
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
    """Whether a process of the group is still running. A zombie does not count."""
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
