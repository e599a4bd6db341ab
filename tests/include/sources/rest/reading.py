"""Reads tables from a test's server, without a warehouse."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from include.sources import SourceConnection, load_sources
from include.sources.readers import open_reader
from include.sources.readers.pieces import Piece, Window
from tests.include.sources.rest.server import Server

SECRET = "s3cr3t-of-the-tests"
UNTIL = datetime(2026, 10, 5, 2, tzinfo=UTC)


class Read:
    """Reads tables of a source file from a server."""

    def __init__(self, folder: Path, server: Server, reader: dict[str, Any], tables: dict[str, Any], **connection: Any) -> None:
        document = {
            "description": "A source of a test.",
            "owner": "tests",
            "tier": "low",
            "connection": "api",
            "freshness": {"warn_after": "26h", "error_after": "50h"},
            "reader": reader if "type" in reader else {"type": "rest", "max_attempts": 3, "max_wait_seconds": 2} | reader,
            "tables": {name: {"description": "Rows of a test."} | table for name, table in tables.items()},
        }
        (folder / "api.yml").write_text(yaml.safe_dump(document, sort_keys=False))
        self.source = load_sources(folder)["api"]
        values = {"conn_type": "http", "host": server.url, "login": "reader", "password": SECRET} | connection
        self.reader = open_reader(self.source, SourceConnection.of("api", values))

    def pieces(self, table: str, since: datetime | None = None, token: str | None = None) -> list[Piece]:
        return list(self.reader.read(self.source.tables[table], Window(since, UNTIL, token), {}))

    def rows(self, table: str, since: datetime | None = None, token: str | None = None) -> list[dict[str, Any]]:
        self.reader.check()
        return [row for piece in self.pieces(table, since, token) for row in piece.rows.to_pylist()]


def table(*columns: str, **more: Any) -> dict[str, Any]:
    """A table with these columns, written as `name` (a text) or `name:type`."""
    pairs = [name.partition(":") for name in columns]
    declared = {name: {"type": kind or "string", "description": f"The {name}."} for name, _, kind in pairs}
    return {"primary_key": [pairs[0][0]], "event_time": "none", "columns": declared} | more
