"""Restarts the parts of the stack that `make up` keeps running, if they stop."""

from __future__ import annotations

import sys
import time
from collections import Counter

import psutil

from include.local import airflow
from include.local.errors import StackError
from include.local.postgres import Postgres
from include.local.processes import stop_groups
from include.local.stack import Stack, kept, save_kept
from include.local.warehouse import WarehouseError
from include.settings import ROOT

NAME = "keeper"
CHECK_SECONDS = 5.0
#: A part is restarted so many times an hour. More restarts would hide that it cannot run.
MAX_RESTARTS = 5
HOUR = 3600.0


def start_keeper(stack: Stack) -> None:
    """Start the process that restarts stopped parts."""
    stack.processes.start(NAME, [sys.executable, "-m", "include.local", NAME], stack.variables, cwd=ROOT)


def stopped_parts(pids: dict[str, int], postgres: Postgres) -> list[str]:
    """The names of the parts that do not run, PostgreSQL first, because others need it."""
    return ([] if postgres.is_running() else ["postgres"]) + [name for name, pid in pids.items() if not _runs(pid)]


def keep_up() -> None:
    """Look every few seconds for parts that have stopped, and restart them. Ends when no stack is up."""
    restarts: Counter[str] = Counter()
    since = time.monotonic()
    while (running := kept()) is not None:
        company, ports, pids = running
        if time.monotonic() - since > HOUR:
            restarts.clear()
            since = time.monotonic()
        stack = Stack(company, ports, nightly=True, append_logs=True)
        for name in stopped_parts(pids, stack.postgres):
            if restarts[name] == MAX_RESTARTS:
                continue
            restarts[name] += 1
            print(f"{name} has stopped. Restarting it: {restarts[name]} of {MAX_RESTARTS} times.", flush=True)
            try:
                _restart(stack, name, pids)
            except (StackError, WarehouseError) as error:
                print(error, flush=True)
            save_kept(company, ports, pids)
        time.sleep(CHECK_SECONDS)


def _restart(stack: Stack, name: str, pids: dict[str, int]) -> None:
    """Start a part again, and keep its new process id."""
    if name == "postgres":
        stack.postgres.start()
        return
    stop_groups({name: pids[name]}, grace=0)
    if name == "warehouse":
        stack.warehouse.start()
        pids[name] = stack.warehouse.pid
        return
    if name == "systems":
        stack.start_systems()
    else:
        airflow.start(stack.processes, stack.variables, [name.removeprefix("airflow-")])
    pids[name] = stack.processes.pids()[name]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
