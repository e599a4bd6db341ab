"""Runs the company's systems: fills the CRM database, writes the files, starts two HTTP servers, and prints the addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from include.demo.cases import cases_document
from include.demo.company import Company
from include.demo.connections import HOST, connections
from include.demo.http_apps import billing_app, support_app
from include.demo.landing import write_landing, write_reference
from include.demo.postgres import sync

if TYPE_CHECKING:
    from starlette.applications import Starlette


@dataclass(frozen=True)
class Place:
    """Folder, database and ports of the systems. Port 0 is any free port.

    `home` contains landing/, reference/, demo_cases.md and systems.json.
    """

    home: Path
    postgres_url: str
    billing_port: int
    support_port: int


def serve(company: Company, place: Place, say: Callable[[str], None], faults: bool = True, bad_lines: bool = False) -> None:
    """Serve a company until SIGTERM or SIGINT.

    `systems.json` is written to the home folder once all systems answer. It is deleted when the servers stop.

    Raises:
        OSError: a port is in use, the database cannot be reached, or the home folder is not writable.
    """
    ready = place.home / "systems.json"
    place.home.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    with listen(place.billing_port, "billing") as billing, listen(place.support_port, "support") as support:
        begun = time.monotonic()
        changed = sync(company, place.postgres_url)
        say(f"crm: {changed.inserted:,} rows inserted, {changed.updated:,} updated, {changed.deleted:,} deleted")
        files = write_landing(company, place.home / "landing", bad_lines)
        write_reference(company, place.home / "reference")
        if company.cases:
            (place.home / "demo_cases.md").write_text(cases_document(company), encoding="utf-8")
        say(f"product: {files.written:,} files written, {files.unchanged:,} unchanged, {files.removed:,} removed")
        ports = billing.getsockname()[1], support.getsockname()[1]
        text = json.dumps({"connections": connections(place.home, place.postgres_url, *ports)}, indent=2)
        say(f"billing: http://{HOST}:{ports[0]}/v1   support: http://{HOST}:{ports[1]}/api/v2")

        def announce() -> None:
            partial = ready.with_name(".systems.json.partial")
            partial.write_text(text + "\n")
            partial.replace(ready)
            say(f"Ready after {time.monotonic() - begun:.1f} s: {ready}")

        apps = [(billing_app(company, faults), billing), (support_app(company, faults), support)]
        try:
            asyncio.run(run_until_signal(apps, announce))
        finally:
            ready.unlink(missing_ok=True)


@contextlib.contextmanager
def listen(port: int, name: str, option: str | None = None) -> Iterator[socket.socket]:
    """A listening socket. Port 0 is any free port.

    Args:
        name: the system, for the message.
        option: the option that sets the port (default `--<name>-port`).

    Raises:
        OSError: the port is in use.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        option = option or f"--{name}-port"
        raise OSError(
            f"Port {port} for the {name} system is in use. Stop the process that uses it, or choose another port with {option}."
        ) from error
    with listener:
        yield listener


async def run_until_signal(apps: list[tuple[Starlette, socket.socket]], announce: Callable[[], None]) -> None:
    """Run the applications on their sockets until a signal. Call `announce` when all have started."""
    import uvicorn

    class Server(uvicorn.Server):
        """A server without signal handlers, because two servers share this process."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    servers = [
        (Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")), listener) for app, listener in apps
    ]

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in servers]
    while not all(server.started or task.done() for (server, _), task in zip(servers, tasks, strict=True)):
        await asyncio.sleep(0.01)
    announce()
    await asyncio.gather(*tasks)
