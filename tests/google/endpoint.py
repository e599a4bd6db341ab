"""Starts and stops the endpoint from the platform's environment, and reads the jobs that it has recorded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import traceback
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from include.settings import ROOT

PYTHON = ROOT / ".venv-google" / "bin" / "python"


class Endpoint:
    """One endpoint process. It replaces the local warehouse in a stack: it has the same members, but no data."""

    def __init__(self, port: int, log: Path, *options: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. With an empty cache it compiles Google's analyzer first, which takes a minute of CPU.

        Raises:
            RuntimeError: the process stopped; the message has the end of its log.
        """
        command = [str(PYTHON), "-m", "tests.google.server", "--port", str(self.port), *self._options]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        while True:
            try:
                self.recorded()
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"The endpoint stopped:\n{self._log.read_text()[-2000:]}") from None
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def phase(self, name: str, counted: int = 0) -> None:
        """Name the phase of all following requests, and set the answer to every count of rows."""
        set_phase(self.url, name, counted)

    def recorded(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/recorded") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    @property
    def pid(self) -> int:
        """The process id, once it has started."""
        assert self._process is not None
        return self._process.pid


def set_phase(url: str, name: str, counted: int = 0) -> None:
    """Name the phase of all following requests to an endpoint, and set its answer to every count of rows."""
    asked = json.dumps({"name": name, "counted": counted}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/recorded/phase", asked, method="POST")).close()


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def name_origins() -> None:
    """Add a header to every request of this process: the line of the platform's code that sent it."""
    import requests

    send = requests.Session.request

    def with_origin(self: requests.Session, method: str, url: str, **options: Any) -> Any:
        headers = dict(options.pop("headers", None) or {})
        headers["x-origin"] = _origin()
        return send(self, method, url, headers=headers, **options)

    requests.Session.request = with_origin  # type: ignore[method-assign, assignment]


def _origin() -> str:
    ours = [ROOT / "include", ROOT / "dags"]
    for frame in reversed(traceback.extract_stack(sys._getframe(1))):
        path = Path(frame.filename)
        if any(path.is_relative_to(folder) for folder in ours) and "warehouse" not in path.parts:
            return f"{path.relative_to(ROOT)}:{frame.lineno}"
    return ""
