"""Processes whose command was killed are found by their marks. Those of a command that still runs are left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from include.local.leftovers import end_leftovers
from include.settings import ROOT

# A command that starts one process. The process sets its title, as Airflow's do, and has a child in a session of its own.
PART = """
import subprocess, sys, time
from setproctitle import setproctitle
setproctitle("airflow worker -- with a title that is longer than the command line was" * 9)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""
COMMAND = f"""
import os, sys, time
from pathlib import Path
from include.local.processes import Processes
processes = Processes(Path(sys.argv[1]))
processes.start("part", [sys.executable, "-c", {PART!r}], dict(os.environ))
while not processes.log("part").read_text().strip():
    time.sleep(0.05)
print(processes.pids()["part"], processes.log("part").read_text().strip(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[[Path], tuple[subprocess.Popen[str], list[int]]]]:
    """Starts a command of the stack in a folder: its process, and the process ids of what it has started."""
    started = []

    def start(home: Path) -> tuple[subprocess.Popen[str], list[int]]:
        words = [sys.executable, "-c", COMMAND, str(tmp_path / "logs")]
        environment = os.environ | {"LOCAL_HOME": str(home)}
        process = subprocess.Popen(words, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        started.extend([process.pid, *pids])
        return process, pids

    yield start
    for pid in started:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)


def running(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def test_what_a_killed_command_has_left_is_ended(
    command: Callable[[Path], tuple[subprocess.Popen[str], list[int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "local"))
    works, of_working = command(tmp_path / "local")
    killed, left = command(tmp_path / "local")
    other, of_other = command(tmp_path / "other")
    for process in (killed, other):
        process.kill()
        process.wait()
    assert running(left) == left

    assert end_leftovers() == 2
    assert running(left) == []
    assert running(of_working) == of_working
    assert running(of_other) == of_other
    assert end_leftovers() == 0
    works.kill()
    works.wait()
    assert end_leftovers() == 2


def test_a_command_ends_its_own_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.local.processes import Processes

    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "local"))
    processes = Processes(tmp_path)
    processes.start("part", [sys.executable, "-c", "import time; time.sleep(600)"], dict(os.environ))
    time.sleep(0.2)
    assert end_leftovers() == 0
    assert end_leftovers(own=True) == 1
    assert processes.ended("part")
