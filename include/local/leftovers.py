"""Finds and ends processes of the stack that have outlived their command, such as those of a killed `make run`.

Each process of the stack has two marks in its environment, and its children inherit them: the stack's folder, and the command that started it.
"""

from __future__ import annotations

from contextlib import suppress

import psutil

from include.local.home import local_home

HOME, COMMAND = "PLATFORM_STACK_HOME", "PLATFORM_STACK_COMMAND"
#: Seconds that processes have to end after SIGTERM.
GRACE = 10.0
#: Two readings of the time when a process was started may differ by this many seconds.
CLOCK = 2.0


def marks() -> dict[str, str]:
    """The environment variables that mark a process as started by this command."""
    command = psutil.Process()
    # Airflow sets the titles of its processes. Without SPT_NOENV, the titles overwrite what others can read of the environment.
    return {HOME: str(local_home()), COMMAND: f"{command.pid} {command.create_time()}", "SPT_NOENV": "1"}


def end_leftovers(own: bool = False) -> int:
    """End every process of this stack whose command has ended: SIGTERM, and SIGKILL after some seconds. Returns how many there were.

    The stack that `make up` keeps running counts too, so ask `kept` before.

    Args:
        own: also end the processes of this command.
    """
    command = marks()[COMMAND]
    found = [process for process, of in _marked() if not _is_running(of) or (own and of == command)]
    left = found
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with suppress(psutil.Error):
                end(process)
        _, left = psutil.wait_procs(left, timeout=GRACE)
    return len(found)


def _marked() -> list[tuple[psutil.Process, str]]:
    """The running processes of this stack, except this one, with the mark of their commands."""
    home, this = str(local_home()), psutil.Process()
    spared = {this.pid, *(parent.pid for parent in this.parents())}
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ()
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
        except (psutil.Error, OSError):  # it has ended, or belongs to another user
            continue
        if marked.get(HOME) == home and process.pid not in spared:
            found.append((process, marked.get(COMMAND, "")))
    return found


def _is_running(command: str) -> bool:
    """Whether a command still runs. Another process may have got its process id since."""
    pid, _, started = command.partition(" ")
    try:
        process = psutil.Process(int(pid))
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - float(started)) < CLOCK
    except (psutil.Error, ValueError):
        return False
