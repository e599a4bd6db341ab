"""A command or a part of the stack is killed. The next command gets to a good state by itself, and nothing outlives the stack.

All cells of the table run before a release. CI plays two.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from include.local.leftovers import HOME
from tests.pipeline.commands import Commands, listening
from tests.pipeline.conftest import FIRST, OTHER_SEEDS

COMPANY = ("--scale", "0.02", "--seed", "5", "--as-of", FIRST)
#: How the command itself ends: the signals that it gets, a second apart.
SIGNALS = {
    "the command is killed": [signal.SIGKILL],
    "Ctrl-C": [signal.SIGINT],
    "Ctrl-C twice": [signal.SIGINT, signal.SIGINT],
    "SIGTERM": [signal.SIGTERM],
    "the terminal closes": [signal.SIGHUP],
}
#: Words in the command line of the part that is killed.
PARTS = {
    "the warehouse is killed": "warehouse/server.py",
    "the scheduler is killed": "airflow scheduler",
    "the api-server is killed": "airflow api_server",
    "the systems are killed": "include.demo",
    "PostgreSQL is killed": "bin/postgres",
    "a worker is killed": "airflow worker",
}
#: A sign in the output that the command has come so far; None: the files of PostgreSQL's start.
MOMENTS = {"while it starts": None, "while it loads": "ingest_", "while it builds": "transform 2"}
NEXT = ("run", "up", "down", "clean", "sql", "status")
QUERY = "select 1 as one"


def _cells() -> list[tuple[str, str, str]]:
    """Every event at every moment, followed by each command in turn."""
    events = [*SIGNALS, *PARTS]
    pairs = [(event, moment) for event in events for moment in MOMENTS if not (event in PARTS and moment == "while it starts")]
    return [
        (event, moment, NEXT[(number + shift) % len(NEXT)]) for number, (event, moment) in enumerate(pairs) for shift in (0, 2, 4)
    ]


CELLS = _cells()
IN_CI = [("the command is killed", "while it loads", "down"), ("Ctrl-C twice", "while it starts", "down")]


def _processes(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME) == str(home) or Path(process.cwd()) == home / "postgres":
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def run(local_home: Path, manifest: Path) -> Iterator[Commands]:
    commands = Commands(local_home / "interrupted")
    yield commands
    commands("clean")


def _wait(what: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _reached(command: subprocess.Popen[str], home: Path, sign: str | None) -> str:
    """Wait until the command has come so far. Returns its output until then."""
    if sign is None:
        _wait(lambda: (home / "postgres" / "postmaster.pid").exists())
        return ""
    assert command.stdout is not None
    printed = ""
    for line in command.stdout:
        printed += line
        if sign in line:
            return printed
    raise AssertionError(printed)


def _named(word: str) -> str:
    return word.replace(" ", "_")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("event", "moment", "following"), CELLS if OTHER_SEEDS else IN_CI, ids=_named)
def test_the_next_command_works(run: Commands, event: str, moment: str, following: str) -> None:
    run("down")
    command = run.start("run", *COMPANY)
    printed = _reached(command, run.home, MOMENTS[moment])
    if event in SIGNALS:
        for number in SIGNALS[event]:
            command.send_signal(number)
            time.sleep(1)
    else:
        _wait(lambda: any(PARTS[event] in " ".join(each.cmdline()) for each in _processes(run.home)))
        (victim, *_) = [each for each in _processes(run.home) if PARTS[event] in " ".join(each.cmdline())]
        os.kill(victim.pid, signal.SIGKILL)
    rest, _ = command.communicate(timeout=600)
    printed += rest
    assert "Traceback" not in printed, printed
    if event == "the command is killed":
        assert command.returncode == -signal.SIGKILL
    elif event in SIGNALS:
        assert command.returncode == 128 + SIGNALS[event][0]
        assert "Stopping …" in printed
    else:
        assert command.returncode in (0, 1) and ("Done in" in printed or "Failed" in printed), printed
    if event != "the command is killed":
        assert not _processes(run.home), "the command left processes"

    words = {"run": ("run", *COMPANY), "up": ("up", *COMPANY), "sql": ("sql", QUERY)}.get(following, (following,))
    # There may be no warehouse to ask yet.
    said = run(*words, ok=None if MOMENTS[moment] is None and following in ("sql", "status") else True)
    assert "Traceback" not in said, said
    if event == "the command is killed" and following in ("run", "up", "down"):
        assert "processes that an interrupted command had left" in said
    run("down")
    assert not _processes(run.home)
    assert not list(listening(run.ports))
