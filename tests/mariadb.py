"""One MariaDB server per test process, from Debian's packages. The first test that needs it starts it.

Its clock is five hours ahead of UTC.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from include.sources import SourceConnection
from include.sources.readers.engines import engine_of
from tests.warehouse import free_port

PACKAGE = "mariadb-server-core"
PASSWORD = "pa55/word#of the tests"
#: The files of the package that make the system tables, in this order.
_SYSTEM = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
_ENDS_AFTER = 30.0


@dataclass(frozen=True)
class Server:
    """A running server. The user `root` has a password over TCP, and none at the socket."""

    socket: Path
    port: int

    def connection(self, **changes: Any) -> dict[str, Any]:
        """The Airflow connection to it."""
        return {"conn_type": "mariadb", "host": "127.0.0.1", "port": self.port, "login": "reader", "password": PASSWORD} | changes


@dataclass
class MariaDatabase:
    """One database of the server, as a source system. Sessions are two hours ahead of UTC, as those of an application may be."""

    server: Server
    name: str
    _connection: sa.Connection = field(init=False)

    def __post_init__(self) -> None:
        engine = engine_of(SourceConnection.of("tests", self.server.connection()))
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        for sql in (f"create or replace database `{self.name}`", f"use `{self.name}`", "set time_zone = '+02:00'"):
            self.run(sql)

    def run(self, sql: str) -> None:
        self._connection.exec_driver_sql(sql)

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()


@lru_cache(maxsize=1)
def running() -> Server:
    """The server, in a folder of its own and on a free port."""
    program = _program()
    home = Path(tempfile.mkdtemp(prefix="platform-mariadb-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    user = ["--user=root"] if os.geteuid() == 0 else []
    options = [program, "--no-defaults", f"--datadir={home / 'data'}", *user]
    (home / "data").mkdir()
    folder = Path("/usr/share/mysql")
    system = "".join((folder / name).read_text() for name in _SYSTEM)
    subprocess.run(
        [*options, "--bootstrap"],
        input=f"create database mysql;\nuse mysql;\n{system}",
        text=True,
        check=True,
        capture_output=True,
    )
    server = Server(home / "socket", free_port())
    (home / "init.sql").write_text(f"create user reader@'%' identified by '{PASSWORD}';\ngrant all on *.* to reader@'%';\n")
    own = [
        f"--init-file={home / 'init.sql'}",
        f"--socket={server.socket}",
        f"--port={server.port}",
        "--bind-address=127.0.0.1",
        "--default-time-zone=+05:00",
    ]
    with (home / "log").open("w") as log:
        process = subprocess.Popen([*options, *own], stdout=log, stderr=log)
    atexit.register(process.wait, _ENDS_AFTER)
    atexit.register(process.terminate)
    _wait(server, home / "log")
    return server


def _program() -> str:
    """The path of the server's program. Root installs it; who is not root is asked to."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if (found := shutil.which("mariadbd", path=path)) is not None:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"MariaDB is not installed: apt-get installs {PACKAGE} …")
        locked = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
        subprocess.run([*locked, "update"], check=True)
        subprocess.run([*locked, "install", "--yes", "--no-install-recommends", PACKAGE], check=True)
        if (found := shutil.which("mariadbd", path=path)) is not None:
            return found
    message = f"these tests need a MariaDB server: install {PACKAGE} (Debian, Ubuntu)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _wait(server: Server, log: Path) -> None:
    engine = engine_of(SourceConnection.of("tests", server.connection()))
    end = time.monotonic() + _ENDS_AFTER
    while True:
        try:
            with engine.connect():
                break
        except sa.exc.OperationalError:
            if time.monotonic() > end:
                raise RuntimeError(f"MariaDB does not start:\n{log.read_text()}") from None
            time.sleep(0.1)
    engine.dispose()
