"""Servers and source files for the tests of the REST reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.ingestion.dlt_pipeline import configure
from tests.include.sources.rest.reading import Read
from tests.include.sources.rest.server import Asked, Server

configure()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers."""
    servers = []

    def start(answer: Callable[[Asked], Any]) -> Server:
        server = Server(answer)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[..., Read]]:
    """Makes readers of a server."""
    made = []

    def make(server: Server, reader: dict[str, Any], tables: dict[str, Any], **connection: Any) -> Read:
        made.append(Read(tmp_path, server, reader, tables, **connection))
        return made[-1]

    yield make
    for each in made:
        each.reader.close()
