"""One embedded warehouse per test process. The first test that needs it starts it.

The environment variables point at it during a test only, so tests without a warehouse may run in between.
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
    """The warehouse, on a free port."""
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
    """A client of the warehouse, to which the environment variables point. The audit tables and the given datasets are empty."""
    warehouse = running()
    for name, value in environment(warehouse.home, warehouse.port).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    bq = client()
    _ensure_audit_tables()
    empty(bq, *datasets)
    yield bq
    settings.cache_clear()


@lru_cache(maxsize=1)
def _ensure_audit_tables() -> None:
    ops.ensure_tables(["shop"])


def empty(bq: Client, *datasets: str) -> None:
    """Empty the audit tables, and drop all other tables and views in `ops` and the given datasets."""
    statements = []
    for dataset in {*datasets, "ops"}:
        for table in bq.list_tables(dataset):
            name = f"{dataset}.{table.table_id}"
            if name not in {*ops.TABLES, *ops.VIEWS}:
                statements.append(f"drop {'view' if table.table_type == 'VIEW' else 'table'} {name}")
    statements += [f"delete from {name} where true" for name in ops.TABLES]
    bq.query(";".join(statements)).result()


def rows(sql: str, bq: Client) -> list[tuple[object, ...]]:
    """The rows of a query, as tuples."""
    return [tuple(row.values()) for row in bq.query(sql).result()]
