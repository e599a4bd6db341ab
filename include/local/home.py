"""The folder of the local stack, the company that it serves, and its ports."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

import psutil

from include.exports import Project
from include.local.errors import StackError
from include.settings import ROOT

HOST = "127.0.0.1"
NEEDED_FREE_BYTES = 2 * 1024**3


def local_home() -> Path:
    """The folder of all files of the stack: `LOCAL_HOME`, by default `.local/` in the project."""
    return Path(os.environ.get("LOCAL_HOME", ROOT / ".local")).resolve()


def make_local_home() -> Path:
    """Create that folder if it is missing, and close it to other users: it holds passwords, tokens and the company's data.

    Raises:
        StackError: it is a folder that users share, such as /tmp.
    """
    home = local_home()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = home.stat().st_mode
    if mode & stat.S_ISVTX:
        raise StackError(f"LOCAL_HOME must be a folder of its own, not one that users share: {home}. Name a folder inside it.")
    if mode & 0o077:
        home.chmod(0o700)
    return home


@dataclass(frozen=True)
class Company:
    """The company that the demo systems serve: generated (scale, seed) or a folder of exports or CSV files (data).

    If `landed` names a loader, no system serves it: the loader has landed its tables in the warehouse.
    """

    as_of: str
    scale: float = 1.0
    seed: int = 42
    data: str | None = None
    landed: str | None = None

    @property
    def key(self) -> str:
        """The name of the company's warehouse, database and folder. Each company has its own."""
        if self.data is not None:
            digest = hashlib.sha256(self.data.encode()).hexdigest()[:8]
            return f"data-{re.sub(r'[^a-z0-9]+', '-', Path(self.data).name.lower())[:24]}-{digest}" + self._loader
        return f"demo-{self.scale:g}-{self.seed}{self._loader}"

    @property
    def _loader(self) -> str:
        return f"-{self.landed}" if self.landed else ""

    @property
    def home(self) -> Path:
        return local_home() / "companies" / self.key

    @property
    def project(self) -> Project | None:
        """The project of a folder that holds exports; None for the demo company, and for files with the contract's columns only."""
        return None if self.data is None else Project.at(self.home / "project")

    @property
    def contract_folder(self) -> Path | None:
        """The folder of the CSV files that have the contract's columns; None for the demo company."""
        if self.data is None:
            return None
        return self.project.contract_folder if self.project else Path(self.data)

    @property
    def database(self) -> str:
        return "crm_" + re.sub(r"[^a-z0-9]+", "_", self.key)

    def describe(self) -> str:
        world = f"the files of {self.data}" if self.data else f"demo company, scale {self.scale:g}, seed {self.seed}"
        return f"{world}, as of {self.as_of}" + (f", landed by {self.landed}" if self.landed else "")

    def save(self) -> None:
        """Save this company as the one that `make sql`, `make dbt` and `make status` use."""
        (make_local_home() / "current.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def last(cls) -> Company | None:
        path = local_home() / "current.json"
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def reset_if_folder_changed(self, before: Callable[[], None]) -> bool:
        """Delete the warehouse of a CSV folder that was edited since the last run.

        A row edited by hand rarely gets a new `updated_at`, so an incremental load would miss it.

        Args:
            before: is called just before the warehouse is deleted.

        Returns:
            Whether the warehouse was deleted.
        """
        if self.data is None:
            return False
        digest = hashlib.sha256()
        folder = Path(self.data)
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            name = path.relative_to(folder).as_posix()
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        stamp = self.home / "folder.sha256"
        changed = stamp.exists() and stamp.read_text() != digest.hexdigest()
        if changed:
            before()
            shutil.rmtree(self.home)
        self.home.mkdir(parents=True, exist_ok=True)
        stamp.write_text(digest.hexdigest())
        return changed


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def parse_as_of(text: str) -> str:
    """Check that a text is an ISO date, and return it.

    Raises:
        StackError: it is no date.
    """
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise StackError(f"AS_OF must be a date such as 2026-10-01, not {text!r}.") from error


@dataclass(frozen=True)
class Ports:
    """The ports of the stack. The comment names the environment variable that sets the port."""

    warehouse: int  # WAREHOUSE_PORT
    airflow: int  # AIRFLOW_PORT
    postgres: int  # POSTGRES_PORT
    billing: int  # BILLING_PORT
    support: int  # SUPPORT_PORT

    @classmethod
    def from_environment(cls) -> Ports:
        defaults = {
            "warehouse": 9050,
            "airflow": 8080,
            "postgres": 9055,
            "billing": 9056,
            "support": 9057,
        }
        chosen: dict[str, int] = {}
        for name, default in defaults.items():
            variable = f"{name.upper()}_PORT"
            text = os.environ.get(variable) or str(default)
            if not text.isdigit() or not 1024 <= int(text) <= 65535:
                raise StackError(f"{variable} must be a port number from 1024 to 65535, not {text!r}.")
            chosen[name] = int(text)
        return cls(**chosen)

    def check_free(self) -> None:
        """Raise a StackError that names the first port in use and the variable that changes it."""
        for name, port in asdict(self).items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    raise StackError(
                        f"Port {port} is in use: run `make down` if the platform is up, stop the program that uses the port, "
                        f"or choose another port with {name.upper()}_PORT=…"
                    ) from error


def check_disk() -> None:
    """Raise a StackError when less than 2 GB are free where the stack writes."""
    free = shutil.disk_usage(make_local_home()).free
    if free < NEEDED_FREE_BYTES:
        raise StackError(f"Only {free / 1024**2:.0f} MB are free under {local_home()}; the stack needs 2 GB.")


def secret(name: str) -> str:
    """A random secret of the local stack, created on first use and readable by its owner only."""
    path = local_home() / "secrets" / name
    if not path.exists():
        make_local_home()
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


@contextmanager
def only_one(what: str, end_other: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the stack's file lock, so that two commands cannot use the stack at once.

    Args:
        what: the command that holds it.
        end_other: end a command that holds it instead of failing. Called with the sentence that says so.

    Raises:
        StackError: another command holds it.
    """
    with (make_local_home() / "lock").open("a+") as handle:
        holder = _lock(handle)
        if holder and end_other is not None:
            end_other(f"Ending {holder}, which works at the moment.")
            _end_command(holder)
            holder = _lock(handle, seconds=10)
        if holder:
            raise StackError(f"Another command uses {local_home()}: {holder}.")
        handle.truncate(0)
        handle.write(f"make {what} (process {os.getpid()})")
        handle.flush()
        yield


def _lock(handle: TextIO, seconds: float = 0.0) -> str | None:
    """Lock the file. Returns None, or the command that still holds it after some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except OSError:
            if time.monotonic() > deadline:
                handle.seek(0)
                return handle.read().strip() or "unknown"
        time.sleep(0.1)


def _end_command(holder: str) -> None:
    """End the command of this stack's lock as Ctrl-C does, and kill it if it does not end within a minute."""
    found = re.search(r"\(process (\d+)\)", holder)
    with suppress(psutil.Error):
        process = psutil.Process(int(found[1])) if found else None
        if process is None or "include.local" not in process.cmdline():
            return
        process.send_signal(signal.SIGINT)
        if psutil.wait_procs([process], timeout=60)[1]:
            process.kill()
