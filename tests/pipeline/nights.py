"""Plays nights on a company of its own: real warehouse, PostgreSQL, HTTP servers and files, and the functions that the tasks call."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.ingestion import land
from include.local.home import Company, Ports
from include.local.stack import Stack
from include.ops import ensure_tables, last_as_of
from include.orchestration import looking_back
from include.publish import publish, recover
from include.quality import Scope, run_gate
from include.quality.context import open_context
from include.run_context import RunContext
from include.settings import ROOT, settings
from include.sources import Source, SourceConnection, load_sources
from include.transform import GATED, layer_selectors
from include.warehouse import client


def free_ports() -> Ports:
    """Ports that nobody listens on, all different."""
    names = list(Ports.__dataclass_fields__)
    probes = [socket.socket() for _ in names]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = Ports(**{name: probe.getsockname()[1] for name, probe in zip(names, probes, strict=True)})
    for probe in probes:
        probe.close()
    return ports


class Nights:
    """One company, its systems and its warehouse; `play` runs one whole night."""

    def __init__(self, company: Company, sources: Path | None = None) -> None:
        self.stack = Stack(company, free_ports(), nightly=False)
        self.sources = load_sources(sources) if sources else load_sources()
        self._entered: dict[str, str] = {}
        self._seeded = False
        self.first_landing = 0
        self.first_tables: dict[str, dict[str, list[str]]] = {}

    def __enter__(self) -> Nights:
        self._entered = dict(os.environ)
        self.stack.start_stores()
        self.use()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.stop()
        os.environ.clear()
        os.environ.update(self._entered)
        settings.cache_clear()
        open_context.cache_clear()

    def use(self) -> None:
        """Point this process at this company's warehouse."""
        os.environ.update(self.stack.variables)
        settings.cache_clear()
        open_context.cache_clear()

    def serve(self, as_of: str) -> None:
        """Have the systems serve the world as of a day."""
        self.stack.processes.stop()
        self.stack.company = replace(self.stack.company, as_of=as_of)
        self.stack.start_systems()

    def play(self, as_of: str, full_refresh: bool = False, tested: bool = True, lands: bool = True) -> RunContext:
        """One night, in the order of the DAGs. Raises what its tasks would raise.

        Args:
            lands: with the sources; without, it is `transform` as a person triggers it, on what has landed before.
            tested: with dbt's data tests, which are most of a night's queries. They change no table: a night whose tables are
                all that is looked at goes without.
        """
        if lands:
            self.serve(as_of)
        run = RunContext(f"night__{as_of}", datetime.fromisoformat(as_of).replace(tzinfo=UTC), full_refresh)
        ensure_tables()
        recover()
        run = looking_back(run, last_as_of())
        for name in self.sources if lands else ():
            self.ingest(name, run)
        for layer in layer_selectors():
            self.build(layer, run, tested)
            if layer in GATED:
                self.gate(layer, run)
            if layer == GATED[-1]:
                publish(run, client=client())
        return run

    def ingest(self, source: str, run: RunContext) -> None:
        """Land one source and judge its landing."""
        self.land(self.sources[source], run)
        self.gate(f"raw_{source}", run)

    def gate(self, name: str, run: RunContext, scope: Scope | None = None) -> None:
        """Judge what was made, or the part of it that a run makes."""
        run_gate(name, run, scope=scope)

    def land(self, source: Source, run: RunContext) -> None:
        """Land a source, or what a run needs of it."""
        land(source, SourceConnection.from_airflow(source.connection), run)

    def build(self, layer: str, run: RunContext, tested: bool = True) -> None:
        """`dbt build` of one layer, as its producer task calls it."""
        # Seeds change with the code only: what the first night has loaded is there.
        if layer == "seeds" and self._seeded and not run.full_refresh:
            return
        self._seeded = True
        left_out = ["unit_test"] if tested else ["unit_test", "test"]
        options = [word for kind in left_out for word in ("--exclude-resource-type", kind)]
        self.dbt("build", "--select", *layer_selectors()[layer], *options, run=run)

    def dbt(self, command: str, *options: str, run: RunContext) -> list[str]:
        """Call dbt as the producer tasks do. Returns the names of the nodes that ran; fails with dbt's own messages."""
        from dbt.cli.main import dbtRunner

        os.environ |= {"DBT_AS_OF": run.as_of.isoformat(), "DBT_RUN_ID": run.run_id}
        arguments = [command, "--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt"), *options]
        arguments += ["--target-path", str(settings().state_dir / "dbt"), "--log-path", str(settings().state_dir / "dbt")]
        arguments += ["--quiet"]
        result = dbtRunner().invoke(arguments + (["--full-refresh"] if run.full_refresh else []))
        results = list(getattr(result.result, "results", []))
        if not result.success:
            failed = [f"{r.node.name}: {r.message}" for r in results if r.status in {"error", "fail"}]
            raise AssertionError(f"dbt {command} failed: {failed or result.exception}")
        return [r.node.name for r in results]


def rows(sql: str) -> list[dict[str, Any]]:
    """The rows of a query on the warehouse in use."""
    return [dict(row.items()) for row in client(tool="tests").query(sql).result()]


def contents(dataset: str, without: set[str] = frozenset()) -> dict[str, list[str]]:  # type: ignore[assignment]
    """Table → its rows as sorted text, for comparing whole datasets; columns named in `without` left out."""
    bq = client(tool="tests")
    tables = sorted(table.table_id for table in bq.list_tables(dataset))
    return {
        name: sorted(
            repr([(key, value) for key, value in row.items() if key not in without])
            for row in rows(f"select * from `{dataset}`.`{name}`")
        )
        for name in tables
    }
