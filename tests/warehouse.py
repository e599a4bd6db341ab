"""One embedded warehouse for the tests of single packages, started by the first that needs it.

The environment points at it one test at a time, so tests of other files may come in between.
"""

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

from include import ops
from include.local.warehouse import EmbeddedWarehouse, environment
from include.settings import settings
from include.warehouse import client


@lru_cache(maxsize=1)
def running() -> EmbeddedWarehouse:
    """The warehouse, on a port that is free."""
    home = Path(tempfile.mkdtemp(prefix="platform-warehouse-"))
    warehouse = EmbeddedWarehouse(home, free_port())
    warehouse.start()
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    atexit.register(warehouse.stop)
    return warehouse


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def connected(monkeypatch: pytest.MonkeyPatch, *datasets: str) -> Iterator[Client]:
    """A client of the running warehouse, with empty books and given datasets empty; the environment points there meanwhile."""
    warehouse = running()
    for name, value in environment(warehouse.home, warehouse.port).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    bq = client()
    _ensure_books()
    empty(bq, *datasets)
    yield bq
    settings.cache_clear()


@lru_cache(maxsize=1)
def _ensure_books() -> None:
    ops.ensure_tables(["shop"])


def empty(bq: Client, *datasets: str) -> None:
    """Empty the books, and given datasets of the tables and views that a test left there."""
    statements = []
    for dataset in {*datasets, "ops"}:
        for table in bq.list_tables(dataset):
            name = f"{dataset}.{table.table_id}"
            if name not in ops.TABLES:
                statements.append(f"drop {'view' if table.table_type == 'VIEW' else 'table'} {name}")
    statements += [f"delete from {name} where true" for name in ops.TABLES]
    bq.query(";".join(statements)).result()


def rows(bq: Client, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query, as tuples."""
    return [tuple(row.values()) for row in bq.query(sql).result()]
