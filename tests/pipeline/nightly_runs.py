"""Nightly runs without Airflow: the functions that the tasks call, on a real warehouse, PostgreSQL, HTTP servers and files."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.dbt_project import layer_selectors
from include.ingestion import land
from include.local.home import Company, Ports
from include.local.stack import Stack
from include.ops import ensure_tables, last_as_of
from include.orchestration import full_refresh_if_backfill
from include.publish import publish, recover
from include.quality import Scope, run_gate
from include.run_context import RunContext
from include.settings import settings
from include.sources import Source, SourceConnection, load_sources
from include.terms import GATED
from include.warehouse import client


def free_ports() -> Ports:
    """Different free ports."""
    names = list(Ports.__dataclass_fields__)
    probes = [socket.socket() for _ in names]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = Ports(**{name: probe.getsockname()[1] for name, probe in zip(names, probes, strict=True)})
    for probe in probes:
        probe.close()
    return ports


class NightlyRuns:
    """One company with its systems and its own warehouse."""

    def __init__(self, company: Company, sources: Path | None = None) -> None:
        self.stack = Stack(company, free_ports(), nightly=False)
        self.sources = load_sources(sources) if sources else load_sources()
        self._entered: dict[str, str] = {}
        self._seeded = False
        self.first_row_count = 0
        self.first_tables: dict[str, dict[str, list[str]]] = {}

    def __enter__(self) -> NightlyRuns:
        self._entered = dict(os.environ)
        self.stack.start_stores()
        self.use()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.stop()
        os.environ.clear()
        os.environ.update(self._entered)
        settings.cache_clear()

    def use(self) -> None:
        """Point this process at this company's warehouse."""
        os.environ.update(self.stack.variables)
        settings.cache_clear()

    def serve(self, as_of: str) -> None:
        """Have the systems serve the company's data as of a day."""
        self.stack.processes.stop()
        self.stack.company = replace(self.stack.company, as_of=as_of)
        self.stack.start_systems()

    def run(self, as_of: str, full_refresh: bool = False, tested: bool = True, ingests: bool = True) -> RunContext:
        """Run one nightly run, in the order of the DAGs. Raises the errors of its tasks.

        Args:
            as_of: the day to report on.
            full_refresh: whether to rebuild incremental models.
            tested: whether to run dbt's data tests. They send most queries of a run and change no table.
            ingests: whether to load the sources first. If not, it is like `transform` triggered by hand.
        """
        if ingests:
            self.serve(as_of)
        run = RunContext(f"nightly__{as_of}", datetime.fromisoformat(as_of).replace(tzinfo=UTC), full_refresh)
        ensure_tables()
        recover()
        run = full_refresh_if_backfill(run, last_as_of())
        for name in self.sources if ingests else ():
            self.ingest(name, run)
        for layer in layer_selectors():
            self.build(layer, run, tested)
            if layer in GATED:
                self.gate(layer, run)
            if layer == GATED[-1]:
                publish(run, client=client())
        return run

    def ingest(self, source: str, run: RunContext) -> None:
        """Load one source and run its raw gate."""
        self.load(self.sources[source], run)
        self.gate(f"raw_{source}", run)

    def gate(self, name: str, run: RunContext, scope: Scope | None = None) -> None:
        """Run a gate, on all tables or on those of a run."""
        run_gate(name, run, scope=scope)

    def load(self, source: Source, run: RunContext) -> None:
        """Load a source."""
        land(source, SourceConnection.from_airflow(source.connection), run)

    def build(self, layer: str, run: RunContext, tested: bool = True) -> None:
        """`dbt build` of one layer, as its producer task calls it."""
        # Seeds change with the code only, so the first run has loaded them.
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
        arguments = [command, "--project-dir", str(settings().dbt_dir), "--profiles-dir", str(settings().dbt_dir), *options]
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
    """Table → its rows as sorted texts, to compare whole datasets. The columns in `without` are left out."""
    bq = client(tool="tests")
    tables = sorted(table.table_id for table in bq.list_tables(dataset))
    return {
        name: sorted(
            repr([(key, value) for key, value in row.items() if key not in without])
            for row in rows(f"select * from `{dataset}`.`{name}`")
        )
        for name in tables
    }
