"""Runs the platform against Google's analyzer, and reports every statement that BigQuery would refuse.

    make check-google

The systems of the demo company, dlt, dbt, Great Expectations and the platform's own functions are real. Only BigQuery is
replaced, by an endpoint that answers from Google's analyzer and holds no rows.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from include.cost import record
from include.cost.changes import changes_per_day
from include.dbt_project import layer_selectors
from include.local.home import Company
from include.manifest import ensure_manifest
from include.quality import GateBlocked, Scope
from include.run_context import RunContext
from include.settings import ROOT, settings
from include.sources import Source
from tests.google.endpoint import Endpoint, cpu_seconds, name_origins
from tests.google.replay import kinds, replay
from tests.google.report import Complaint, complaints
from tests.pipeline.nightly_runs import NightlyRuns, free_ports

FIRST, SECOND = "2026-10-01", "2026-10-02"
SCALE = 0.02
#: Phase → how often a day it runs.
CADENCES: dict[str, float] = {"second run": 1, "freshness_monitor": 24 * 12, "maintenance": 1}
#: Refusals that the check provokes: a table with another partitioning is dropped and created again; dlt looks for its tables before it
#: creates them; a table that is not built cannot be published.
EXPECTED = (
    "different partitioning spec",
    r"Not found: Table local:marts_build\.mart_nrr_summary",
    r"Not found: Table local:raw_\w+\._dlt_",
)
CAP = str(10 * 1024**4)
#: What a later run builds by other statements than the first.
AGAIN = ("config.materialized:incremental", "config.materialized:snapshot")
#: Published tables of each kind whose figures are explained: an account's months, tickets, a metric over several facts.
EXPLAINED = ("mart_nrr_summary", "mart_sla_adherence", "mtr_revenue_by_month")


class Platform(NightlyRuns):
    """A company whose BigQuery is the endpoint."""

    def __init__(self, company: Company, log: Path) -> None:
        super().__init__(company)
        self.endpoint = Endpoint(free_ports().warehouse, log)
        #: dbt's messages about failed builds.
        self.failed: list[str] = []
        # The stack uses these members to start, stop and find its warehouse.
        self.stack.warehouse = self.endpoint  # type: ignore[assignment]
        self.stack.variables |= {"BIGQUERY_EMULATOR_HOST": self.endpoint.url, "BIGQUERY_MAXIMUM_BYTES_BILLED": CAP}

    @contextmanager
    def phase(self, name: str, counted: int = 0) -> Iterator[None]:
        """Run a part under its name, and print how long it took."""
        self.phase_name = name
        self.endpoint.phase(name, counted)
        started = time.monotonic()
        yield
        print(f"  {name:<28} {time.monotonic() - started:6.1f} s", flush=True)

    def gate(self, name: str, run: RunContext, scope: Scope | None = None) -> None:
        """Run a gate. It blocks because tables are empty; its statements are checked all the same."""
        with suppress(GateBlocked):
            super().gate(name, run, scope)

    def dbt(self, command: str, *options: str, run: RunContext) -> list[str]:
        """A refused model does not stop the rest: the report names all that is refused."""
        try:
            return super().dbt(command, *options, run=run)
        except AssertionError as error:
            self.failed.append(str(error))
            return []

    def load(self, source: Source, run: RunContext) -> None:
        """Load a source, then read dlt's stored schema, as every later load does. Here dlt itself finds no stored state."""
        import dlt

        from include.ingestion.dlt_pipeline import open_pipeline

        super().load(source, run)
        # A separate phase, so that the price of a run does not include it.
        self.endpoint.phase("stored schemas")
        pipeline = open_pipeline(source)
        pipeline.schemas.save_schema(dlt.Schema(source.name))
        with pipeline.destination_client(source.name) as stored:
            stored.get_stored_schema(source.name)
        self.endpoint.phase(self.phase_name)

    def run_once(self, as_of: str, tested: bool = True, selected: Iterable[str] = ()) -> RunContext:
        """A nightly run. All layers are one `dbt build`: it sends the statements of one build per layer and saves a minute of dbt's own time.

        Args:
            as_of: the day to report on.
            tested: whether to run dbt's data tests.
            selected: the models that are built, by default all.
        """
        from include.check_data.nightly import write_input_report
        from include.ops import finish_run
        from include.publish import publish, recover
        from include.terms import GATED

        self.serve(as_of)
        run = RunContext(f"nightly__{as_of}", datetime.fromisoformat(as_of).replace(tzinfo=UTC))
        self.open("transform", run)
        recover()
        for name in self.sources:
            self.lock([f"raw_{name}"], f"ingest_{name}", run)
            self.ingest(name, run)
        write_input_report(run)
        left_out = ["unit_test"] if tested else ["unit_test", "test", "seed"]
        options = [word for kind in left_out for word in ("--exclude-resource-type", kind)]
        layers = (part for parts in layer_selectors().values() for part in parts)
        self.dbt("build", "--select", *(selected or layers), *options, run=run)
        for gate in GATED:
            self.gate(gate, run)
        publish(run)
        finish_run(run, dag_id="transform", state="success")
        return run

    def open(self, dag_id: str, run: RunContext, sources: Iterable[str] = ()) -> None:
        """The first task of a run."""
        from include.ops import ensure_tables, last_as_of, runs_so_far, start_run
        from include.orchestration import BUILD
        from include.orchestration.seeds import Seeds

        ensure_tables()
        self.lock([BUILD, *(f"raw_{name}" for name in sources)], dag_id, run)
        if dag_id == "transform":
            last_as_of()
        Seeds.of_project().are_loaded(runs_so_far())
        start_run(run, dag_id=dag_id, log_url=None, seeds=None)

    def lock(self, resources: list[str], dag_id: str, run: RunContext) -> None:
        """Take locks. The row of a lock is inserted each time here, because there are no rows; really once."""
        from include.orchestration import take_lock

        self.endpoint.phase(self.phase_name, counted=1)
        assert take_lock(resources, dag_id, run.run_id, lambda *_: True) is None
        self.endpoint.phase(self.phase_name)

    def all(self, complete: bool) -> None:
        """Every part. `complete` takes some minutes more: the second run builds every model, and every published table is explained."""
        with self.phase("first run"):
            # Here dbt compares the columns of each model with its contract. A nightly run does not, because BigQuery bills the queries.
            os.environ["DBT_CHECK_CONTRACTS"] = "1"
            self.run_once(FIRST)
            del os.environ["DBT_CHECK_CONTRACTS"]
        with self.phase("second run"):
            # Its data tests and seeds, and models that are built in whole again, would send the same statements as those of the first run.
            run = self.run_once(SECOND, tested=False, selected=() if complete else AGAIN)
        self.refreshes()
        with self.phase("gates that find fault", counted=1):
            self.faults(run)
        with self.phase("analyses and ready queries"):
            self.queries(run)
        with self.phase("explained figures"):
            self.explanations(run, complete)
        with self.phase("restatements and closed months"):
            self.restatements(run)
        with self.phase("maintenance"):
            self.maintenance(run)
        with self.phase("freshness_monitor"):
            self.monitor()
        with self.phase("summary, status and MCP"):
            self.commands(run)
        with self.phase("changes of tables"):
            self.changes(run)

    def refreshes(self) -> None:
        """A refresh of every cadence, with the steps of its DAG."""
        from include.ops import finish_run
        from include.orchestration import refreshes
        from include.publish import publish
        from include.quality import run_gates
        from include.terms import GATED

        instant = datetime(2026, 10, 2, 23, 30, tzinfo=UTC)
        for refresh in refreshes().values():
            CADENCES[refresh.dag_id] = timedelta(days=1) / refresh.interval
            with self.phase(refresh.dag_id):
                run = RunContext(f"scheduled__{instant.isoformat()}", instant)
                scope = Scope(refresh.sources, refresh.relations, refresh.reused)
                self.open(refresh.dag_id, run, refresh.sources)
                for source in refresh.sources.values():
                    self.load(source, run)
                run_gates([source.dataset for source in refresh.sources.values()], run, scope=scope)
                # Seeds have not changed since the first run.
                names = [name for layer, nodes in refresh.layers.items() if layer != "seeds" for name in nodes]
                left_out = [
                    "--exclude-resource-type",
                    "unit_test",
                    *(["--exclude", *refresh.excluded_tests] if refresh.excluded_tests else []),
                ]
                self.dbt("build", "--select", *names, *left_out, run=run)
                for layer in refresh.layers:
                    if layer in GATED:
                        self.gate(layer, run, scope)
                publish(run, refresh.tables)
                finish_run(run, dag_id=refresh.dag_id, state="success")

    def faults(self, run: RunContext) -> None:
        """Samples, quarantine and alerts, as if every rule of every gate had found rows."""
        from include.alerts import notify_gate
        from include.quality import run_gates
        from include.terms import GATED

        raw = [source.dataset for source in self.sources.values()]
        for verdict in run_gates([*raw, *GATED], run):
            notify_gate(verdict, run)

    def queries(self, run: RunContext) -> None:
        """The dbt project's analyses, and every query in the documentation."""
        from include.warehouse import client

        self.dbt("compile", "--select", "path:analyses", run=run)
        folder = settings().state_dir / "dbt" / "compiled" / "customer_intelligence" / "analyses"
        found = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.sql"))}
        assert found, f"no analysis was compiled into {folder}"
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
            for number, query in enumerate(ready_queries(page.read_text(encoding="utf-8")), 1):
                found[f"{page.relative_to(ROOT)} query {number}"] = query
        bq = client(task="queries")
        for name, query in found.items():
            attempt(name, lambda query=query: bq.query(query).result())  # type: ignore[misc]

    def explanations(self, run: RunContext, every_table: bool) -> None:
        """The statements that explain the figures of a row of a published table."""
        from tests.google.explained import explain_tables

        explain_tables(run.as_of, attempt, None if every_table else EXPLAINED)

    def restatements(self, run: RunContext) -> None:
        """The search for changed source rows of every kind, and the statements of a closing."""
        from include import ops
        from include.restatements import CloseError, close, load_figures, reopen_months, write_page
        from include.restatements.evidence import Publication, changed_rows
        from include.warehouse import client, rows

        bq, figures, month = client(task="restatements"), load_figures(), run.as_of.date().replace(month=9, day=1)
        previous = Publication("nightly", run.as_of - timedelta(days=1), run.as_of, None)
        attempt("changed rows", lambda: changed_rows(figures, figures.rows, [month], run.as_of, previous, bq))
        for refused in (close.close_months, reopen_months):
            with suppress(CloseError):
                refused(month, "check", client=bq)
        rows(close.FIGURES, {"month": month, "organization": None}, bq)
        for name in ("ops.closed_figures", "ops.period_closes"):
            ops.append(name, [], replace_where={"close_id": "none"}, client=bq)
        write_page(bq)

    def maintenance(self, run: RunContext) -> None:
        from include.orchestration import delete_old_versions
        from include.warehouse import client

        delete_old_versions(run.as_of, client(task="retention"))

    def monitor(self) -> None:
        """A check of the freshness SLAs, with notification and delivery."""
        from include.alerts import Outbox, deliver, notify
        from include.freshness import Records, evaluate_all, statuses, write_page

        records = Records(datetime(2026, 10, 2, 12, 0, tzinfo=UTC))
        evaluate_all(records)
        write_page(records.now, statuses(records.now, records=records))
        outbox = Outbox()
        notify([], records.now, outbox=outbox)
        deliver(records.now, outbox)

    def commands(self, run: RunContext) -> None:
        """The queries of `make run`, `make status` and the MCP tools."""
        from include import ops
        from include.freshness import statuses
        from include.local.summary import failed_nodes, print_summary

        attempt("summary", lambda: print_summary(Console(quiet=True), self.stack.company, {"transform": run.run_id}))
        ops.runs()
        failed_nodes(run.run_id)
        statuses(datetime(2026, 10, 2, 12, 0, tzinfo=UTC))
        ask_tools()

    def changes(self, run: RunContext) -> None:
        """Former names and new columns of audit tables, new columns of raw tables, a published table of another partitioning, and a publication that fails."""
        from include import ops
        from include.ingestion.raw import RawTables
        from include.publish import PublishError, publish
        from include.warehouse import client

        bq = client(task="changes")
        bq.query("alter table ops.loads drop column if exists batch_id, drop column if exists rows_loaded").result()
        for definition in (definition for definition in ops.TABLES.values() if definition.former):
            for column in (column for column in definition.columns if column.formerly):
                bq.query(f"alter table {definition.qualified} rename column {column.name} to {column.formerly}").result()
            bq.query(f"alter table {definition.qualified} rename to {definition.formerly}").result()
        ops.ensure_tables()
        source = self.sources["crm"]
        table = next(iter(source.tables))
        bq.query(f"drop table {source.dataset}.{table}").result()
        bq.query(f"create table {source.dataset}.{table} (organization_id string)").result()
        RawTables(source, client(source="crm")).ensure()
        bq.query("drop table marts.mart_nrr_summary").result()
        bq.query("create table marts.mart_nrr_summary (made_at timestamp) partition by date(made_at)").result()
        publish(run)
        bq.query("drop table marts_build.mart_nrr_summary").result()
        try:
            publish(run, ["marts.mart_nrr_summary"])
        except PublishError:
            return
        raise AssertionError("a table that is not built was published")


def ask_tools() -> None:
    """The statements of the MCP tools. Nothing is published here, so the tools themselves would stop before these."""
    from datetime import date

    from include.mcp.answers import check_reads_only
    from include.mcp.churn import CHURNED_CUSTOMERS
    from include.mcp.root_causes import TOP_ROOT_CAUSES
    from include.warehouse import client

    of_organization = {"organization_id": None, "row_limit": 5}
    bq = client(tool="mcp")
    check_reads_only(bq, TOP_ROOT_CAUSES.sql, {"month": date(2026, 9, 1), "category": None} | of_organization, 1024**3)
    tiers: dict[str, object] = {"days": 30, "plan_tiers": [], "segments": []}
    check_reads_only(bq, CHURNED_CUSTOMERS.sql, tiers | of_organization, 1024**3)


def ready_queries(page: str) -> list[str]:
    """The queries of a Markdown page that can be sent without a change."""
    blocks = re.findall(r"```sql\n(.*?)```", page, flags=re.DOTALL)
    shell = [found.replace('\\"', '"') for found in re.findall(r'make sql Q="(.*?)(?<!\\)"', page)]
    begins = re.compile(r"(?is)\s*(--[^\n]*\n\s*)*(select|with)\b")
    # Abridged queries and the source of dbt models are left out.
    return [query for query in [*blocks, *shell] if begins.match(query) and not re.search(r"…|\{\{|\{%", query)]


def attempt(name: str, work: Callable[[], object]) -> None:
    """Run something that may be refused. The report names the refusal, so here it is only printed."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        work()
    except GoogleAPICallError as error:
        print(f"  {name}: {str(error)[:200]}")


def print_report(found: list[Complaint], jobs: list[dict[str, Any]], endpoint: Endpoint) -> None:
    counts = Counter(str(job["kind"]) for job in jobs)
    print(
        f"{len(jobs):,} jobs ({', '.join(f'{count:,} {kind}' for kind, count in counts.most_common())}); {cpu_seconds(endpoint.pid):.0f} s of CPU"
    )
    largest = max(((item["scans"], item["target"] or "a query") for job in jobs for item in job["statements"]), default=(0, ""))
    print(f"most tables scanned by one statement: {largest[0]} ({largest[1]})")
    table, times = max(changes_per_day(jobs, CADENCES).items(), key=lambda item: item[1], default=("", 0))
    print(f"most changes of one table a day: {times:.0f} ({table})")
    for item in found:
        print(f"  {item.rule}: {item.where}\n      {item.what}")
    print(f"{len(found)} complaints" if found else "Google's analyzer accepts every statement.")


def replayed(path: Path, covered: Iterable[dict[str, Any]], home: Path) -> tuple[list[dict[str, Any]], int]:
    """Replay a recorded run on an endpoint of its own.

    Returns:
        Its jobs, and the number of kinds of statement that this check has not sent.
    """
    endpoint = Endpoint(free_ports().warehouse, home / "replay.log")
    endpoint.start()
    try:
        sent = replay(path, endpoint)
        jobs = endpoint.recorded()
    finally:
        endpoint.stop()
    known = kinds(covered)
    missing = {kind: job for kind, job in kinds(jobs).items() if kind not in known}
    print(f"{path}: {sent:,} requests of a recorded run replayed; {len(missing)} kinds of statement that this check has not sent")
    for kind, job in missing.items():
        print(f"  {job['labels']}: {kind[:300]}")
    return jobs, len(missing)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make check-google", description=__doc__)
    arguments.add_argument("--recorded", type=Path, help="a run that the local warehouse has recorded: replay it too")
    arguments.add_argument(
        "--complete",
        action="store_true",
        help="record all statements of a run for `make cost`, and explain figures of every published table: some minutes more",
    )
    given = arguments.parse_args()
    name_origins()
    home = Path(tempfile.mkdtemp(prefix="check-google-"))
    os.environ["LOCAL_HOME"] = str(home)
    ensure_manifest(print)
    platform = Platform(replace(Company(FIRST), scale=SCALE), home / "endpoint.log")
    try:
        with platform:
            platform.all(given.complete)
            jobs, missing = platform.endpoint.recorded(), 0
            if given.complete:
                record.save(jobs, CADENCES)
            if given.recorded:
                more, missing = replayed(given.recorded, jobs, home)
                jobs += more
            found = complaints(jobs, CADENCES, settings().state_dir / "dbt" / "manifest.json", EXPECTED)
            print_report(found, jobs, platform.endpoint)
            print(*platform.failed, sep="\n")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if found or missing or platform.failed else 0


if __name__ == "__main__":
    sys.exit(main())
