"""One embedded warehouse for the tests of ops, quality and publish, started by the first that needs it."""

from __future__ import annotations

import atexit
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include.settings import settings
from include.warehouse import EmbeddedWarehouse, client, environment


@lru_cache(maxsize=1)
def running() -> EmbeddedWarehouse:
    """The warehouse, on a port that is free, and on one ten above it that is too."""
    home = Path(tempfile.mkdtemp(prefix="platform-warehouse-"))
    warehouse = EmbeddedWarehouse(home, _free_port())
    warehouse.start()
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    atexit.register(warehouse.stop)
    return warehouse


def _free_port() -> int:
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 10))
            except (OSError, OverflowError):
                continue
            return port
    raise RuntimeError("no two free ports ten apart")


@contextmanager
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the running warehouse, with the environment pointing at it meanwhile."""
    warehouse = running()
    for name, value in environment(warehouse.home, warehouse.port).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield client()
    settings.cache_clear()


def forget(bq: Client, *datasets: str) -> None:
    """Empty datasets of the tables and views that a test left there."""
    for dataset in datasets:
        for table in list(bq.list_tables(dataset)):
            kind = "view" if table.table_type == "VIEW" else "table"
            bq.query(f"drop {kind} if exists `{dataset}`.`{table.table_id}`").result()


def rows(bq: Client, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query, as tuples."""
    return [tuple(row.values()) for row in bq.query(sql).result()]
