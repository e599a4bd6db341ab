"""Starts, waits for and stops the embedded warehouse: a server that speaks BigQuery's wire protocol on loopback.

It runs in an environment of its own (requirements-warehouse.txt), because its pins differ from the platform's.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from include.local.leftovers import marks
from include.settings import ROOT

HOST = "127.0.0.1"
PROJECT = "local"
PYTHON = ROOT / ".venv-warehouse" / "bin" / "python"
SERVER = Path(__file__).with_name("server.py")


class WarehouseError(RuntimeError):
    """The embedded warehouse cannot be started or reached; the message says what to do."""


def environment(home: Path, port: int) -> dict[str, str]:
    """The environment variables that point every BigQuery client at the embedded warehouse under `home`.

    Creates its credentials file if there is none.
    """
    return {
        "BIGQUERY_EMULATOR_HOST": f"http://{HOST}:{port}",
        "GOOGLE_APPLICATION_CREDENTIALS": str(_credentials(home)),
        "GOOGLE_CLOUD_PROJECT": PROJECT,
    }


def _credentials(home: Path) -> Path:
    """The credentials file of the warehouse under `home`: a random token that only its owner can read. Restarts keep it.

    google-auth accepts the file without a refresh and sends its token with every request.
    """
    path = home / "credentials.json"
    if _token(path) is not None:
        return path
    home.mkdir(parents=True, exist_ok=True)
    content = {
        "type": "authorized_user",
        "client_id": "local",
        "client_secret": "local",
        "refresh_token": "local",
        "token": secrets.token_urlsafe(32),
        "expiry": "2999-01-01T00:00:00Z",
    }
    # Written to a temporary file and linked in one step: two commands that start at once both use the first one's token.
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=path.name, delete=False) as file:
        json.dump(content, file)
    written = Path(file.name)
    with suppress(OSError):  # the file exists, or this file system has no links
        path.hardlink_to(written)
    if _token(path) is None:
        written.replace(path)
    written.unlink(missing_ok=True)
    return path


def _token(credentials: Path) -> str | None:
    """The token in a credentials file; None if there is no file, or if it holds the guessable token of an earlier version."""
    if not credentials.exists():
        return None
    token = str(json.loads(credentials.read_text())["token"])
    return token if len(token) >= 32 else None


class EmbeddedWarehouse:
    """One embedded warehouse: its data under `home`, listening on `port` of loopback."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the warehouse that this object has started, which is also its process group.

        Raises:
            WarehouseError: it has started none.
        """
        if self._process is None:
            raise WarehouseError("The local warehouse has not been started.")
        return self._process.pid

    @property
    def log(self) -> Path:
        """The warehouse's log."""
        return self.home / "warehouse.log"

    def is_running(self) -> bool:
        """Whether the process that this object has started still runs."""
        return self._process is not None and self._process.poll() is None

    def is_up(self) -> bool:
        """Whether this warehouse answers on the port."""
        request = urllib.request.Request(f"{self.url}/bigquery/v2/projects/{PROJECT}/datasets")
        request.add_header("Authorization", f"Bearer {_token(self.home / 'credentials.json')}")
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it answers.

        Raises:
            WarehouseError: not installed, port taken, or no answer within `timeout` seconds.
        """
        if not PYTHON.exists():
            raise WarehouseError("The local warehouse is not installed: run `make setup`.")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                raise WarehouseError(
                    f"Port {self.port} is in use: stop what listens there, or choose another with WAREHOUSE_PORT=…"
                ) from error
        _credentials(self.home)
        command = [str(PYTHON), str(SERVER), "start", "--persistent", "--data-dir", str(self.home), "--project", PROJECT]
        command += ["--rest-port", str(self.port), "--log-level", "warning"]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                # It needs JSON lines, CSV and Parquet only. DuckDB would download the extensions for other formats.
                env={
                    **os.environ,
                    **marks(),
                    "BQEMU_UPLOAD_STAGING_DIR": str(self.home / "uploads"),
                    "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while not self.is_up():
            if self._process.poll() is not None:
                raise WarehouseError(f"The local warehouse stopped while starting; its log is {self.log}.")
            if time.monotonic() > deadline:
                self.stop()
                raise WarehouseError(f"The local warehouse did not answer within {timeout:.0f} s; its log is {self.log}.")
            time.sleep(0.1)

    def stop(self, timeout: float = 30.0) -> None:
        """Stop it, letting it write its data to disk first."""
        if self._process is None or not self.is_running():
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
