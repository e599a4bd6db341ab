"""Crashed processes are restarted, and stopping leaves none running."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.local.errors import StackError
from include.local.processes import MAX_RESTARTS, Processes

FOREVER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
# A child in its own session, as Airflow's executor starts its tasks.
WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True);"
    "print(p.pid, flush=True); time.sleep(600)",
]


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def wait_for_output(processes: Processes, name: str) -> str:
    for _ in range(200):
        if text := processes.log(name).read_text():
            return text
        time.sleep(0.05)
    raise AssertionError(f"{name} has printed nothing")


def test_stopping_ends_children_in_their_own_sessions(processes: Processes) -> None:
    processes.start("parent", WITH_CHILD, dict(os.environ))
    child = int(wait_for_output(processes, "parent"))
    assert psutil.pid_exists(child)
    processes.stop()
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_crashed_process_is_restarted_at_most_three_times(processes: Processes) -> None:
    processes.start("server", FOREVER, dict(os.environ), may_restart=True)
    for _ in range(MAX_RESTARTS):
        before = processes.pids()["server"]
        os.kill(before, signal.SIGKILL)
        while not processes.ended("server"):
            time.sleep(0.02)
        processes.check()
        assert processes.pids()["server"] != before
        assert "server stopped with exit code -9 and was restarted" in processes.crashes[-1]
    os.kill(processes.pids()["server"], signal.SIGKILL)
    while not processes.ended("server"):
        time.sleep(0.02)
    with pytest.raises(StackError, match="server stopped with exit code -9"):
        processes.check()
    processes.stop()


def test_a_process_with_state_is_not_restarted(processes: Processes) -> None:
    processes.start("systems", [sys.executable, "-c", "raise SystemExit('no such table')"], dict(os.environ))
    while not processes.ended("systems"):
        time.sleep(0.02)
    with pytest.raises(StackError, match="no such table"):
        processes.check()
    processes.stop()
