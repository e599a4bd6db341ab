"""The summary that `make run` prints: loaded rows, built models, gates, KPIs, and where to look next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from include.contract import contract
from include.dbt_project import SEEDS, folders
from include.local.home import Company
from include.local.inputs import input_line
from include.local.kpis import KPIS
from include.quality.verdict import VERDICTS, Verdict
from include.sources import load_sources
from include.sources.feeds import feeds
from include.terms import GATED, TRANSFORM
from include.warehouse import Row, rows

COLOURS: dict[Verdict, str] = {"pass": "green", "warn": "yellow", "quarantine": "magenta", "block": "red"}

#: Restatements that the summary shows.
SHOWN_RESTATEMENTS = 10

LAYERS_SQL = """
    select
        layer,
        countif(resource_type in ('model', 'seed', 'snapshot')) as built,
        countif(resource_type in ('model', 'seed', 'snapshot') and status != 'success') as not_built,
        countif(resource_type in ('test', 'unit_test')) as tests,
        countif(status = 'warn') as warned,
        countif(resource_type in ('test', 'unit_test') and status in ('fail', 'error')) as failed,
        sum(execution_seconds) as seconds
    from (
        select * from ops.dbt_results
        where run_id = @run_id
        qualify row_number() over (partition by node_id order by finished_at desc) = 1
    )
    group by layer
"""
WARNED_TESTS_SQL = """
    select layer, name, message
    from ops.dbt_results
    where run_id = @run_id and status = 'warn'
    qualify row_number() over (partition by node_id order by finished_at desc) = 1
    order by layer, name
"""


def print_summary(console: Console, company: Company, run_ids: dict[str, str]) -> None:
    """Print the summary of a nightly run from the audit tables. The warehouse must be up.

    Args:
        console: the console to print on.
        company: the company of the run.
        run_ids: DAG id → run id.
    """
    from include import ops

    as_of = datetime.fromisoformat(company.as_of).replace(tzinfo=UTC)
    console.print()
    console.print(_raw_table(ops.loads(as_of=as_of)))
    console.print(input_line(run_ids[TRANSFORM]), highlight=False)
    gates = [row for run_id in dict.fromkeys(run_ids.values()) for row in ops.gate_results(run_id=run_id)]
    console.print(
        Columns(
            [_layer_table(rows(LAYERS_SQL, {"run_id": run_ids[TRANSFORM]}, tool="summary")), _gate_table(gates)], padding=(0, 4)
        )
    )
    _print_findings(console, gates, rows(WARNED_TESTS_SQL, {"run_id": run_ids[TRANSFORM]}, tool="summary"))
    _print_unknown(console)
    _print_restatements(console, run_ids[TRANSFORM])
    for kpis in KPIS:
        console.print(kpis.table(rows(kpis.sql, tool="summary")))
    _print_next(console, company, ops.publications())


def failed_nodes(run_id: str) -> list[str]:
    """dbt's messages about the models and tests that failed in a run, a line each. The warehouse must be up."""
    sql = """
        select name, message from ops.dbt_results
        where run_id = @run_id and status in ('error', 'fail')
        qualify row_number() over (partition by node_id order by finished_at desc) = 1
        order by name
    """
    return [f"dbt {row['name']}: {row['message']}" for row in rows(sql, {"run_id": run_id}, tool="summary")]


def _raw_table(loads: list[Row]) -> Table:
    """The rows that the ingestion runs have loaded, a line per source. Entities of the contract that no source feeds are named as absent.

    Of tables that a loader has landed, it shows all live rows. It names those of which the loader keeps only the newest state.
    """
    table = Table(title="Loaded into raw", title_justify="left", box=None, pad_edge=False, show_header=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in loads:
        by_source[row["source"]].append(row)
    sources = load_sources()
    landed = {name for name, source in sources.items() if source.reader.type == "landed"}
    for source, loaded in sorted(by_source.items()):
        count = "rows_read" if source in landed else "rows_loaded"
        notes = [
            f"{sum(row[key] or 0 for row in loaded)} {word}"
            for key, word in (("rows_deleted", "deleted"), ("rows_rejected", "rejected"), ("rows_recovered", "found by key"))
            if any(row[key] for row in loaded)
        ]
        details = "  ".join(f"{row['table_name']} {row[count]:,}" for row in loaded)
        total = f"{sum(row[count] for row in loaded):,}"
        table.add_row(f"raw_{source}", f"[bold]{total}[/]", details + (f"  [yellow]({', '.join(notes)})[/]" if notes else ""))
    if absent := sorted({name for name, entity in contract().items() if not entity.optional} - feeds(sources).keys()):
        table.add_row("[yellow]absent[/]", "", f"[yellow]{'  '.join(absent)}[/]")
    if newest := [f"{name}.{each.name}" for name in sorted(landed) for each in sources[name].tables.values() if not each.history]:
        table.add_row(
            "[yellow]newest state[/]", "", f"[yellow]a run for a past day shows the state of today: {'  '.join(newest)}[/]"
        )
    return table


def _layer_table(rows: list[Row]) -> Table:
    table = Table(title="Built by dbt", title_justify="left", box=None, pad_edge=False)
    for name in ("layer", "models", "tests", "warnings", "seconds"):
        table.add_column(name, justify="left" if name == "layer" else "right")
    order = folders()
    if not any(row["layer"] == SEEDS for row in rows):
        table.add_row(SEEDS, "unchanged")
    for row in sorted(rows, key=lambda row: order.index(row["layer"]) if row["layer"] in order else len(order)):
        models = f"{row['built'] - row['not_built']}/{row['built']}"
        tests = f"{row['tests'] - row['failed']}/{row['tests']}"
        table.add_row(row["layer"], models, tests, str(row["warned"]), f"{row['seconds']:.1f}")
    return table


def _gate_table(rows: list[Row]) -> Table:
    table = Table(title="Gates", title_justify="left", box=None, pad_edge=False)
    for name in ("gate", "verdict", "expectations", "not met"):
        table.add_column(name, justify="left" if name in {"gate", "verdict"} else "right")
    by_gate: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_gate[row["gate"]].append(row)
    for gate in sorted(by_gate, key=lambda name: (name in GATED, GATED.index(name) if name in GATED else 0, name)):
        worst = max((row["verdict"] for row in by_gate[gate]), key=VERDICTS.index)
        unmet = sum(row["verdict"] != "pass" for row in by_gate[gate])
        table.add_row(gate, f"[{COLOURS[worst]}]{worst}[/]", str(len(by_gate[gate])), str(unmet))
    return table


def _print_findings(console: Console, gates: Iterable[Row], warned_tests: Iterable[Row]) -> None:
    for row in gates:
        if row["verdict"] != "pass":
            count = "" if row["unexpected_count"] is None else f", {row['unexpected_count']} rows"
            console.print(
                f"  [{COLOURS[row['verdict']]}]{row['verdict']}[/] {row['relation']}: {row['expectation']}{count}",
                highlight=False,
            )
    for row in warned_tests:
        console.print(f"  [{COLOURS['warn']}]warn[/] {row['layer']}: {row['name']}, rows: {row['message']}", highlight=False)
    console.print()


def _print_unknown(console: Console) -> None:
    from include.local.unknown import unknown_figures

    if lines := unknown_figures():
        console.print("[bold]Unknown, because no row says it[/]")
        for line in lines:
            console.print(f"  [yellow]{line}[/]", highlight=False)
        console.print()


def _print_restatements(console: Console, run_id: str) -> None:
    from include.restatements import page, restatement_table, restatements

    found = restatements(run_id=run_id)
    if found:
        count = f"{len(found)} or more" if len(found) == page.SHOWN else str(len(found))
        console.print(restatement_table(found[:SHOWN_RESTATEMENTS], f"{count} figures of ended months restated"))
        if len(found) > SHOWN_RESTATEMENTS:
            console.print("  all of them: make restatements", highlight=False)
        console.print()


def _print_next(console: Console, company: Company, publications: list[Row]) -> None:
    from include.local.home import local_home

    docs = company.home / "state" / "gx" / "data_docs" / "index.html"
    console.print()
    console.print(f"[bold]{len(publications)} tables published[/]: " + ", ".join(sorted(p["table_name"] for p in publications)))
    console.print("[bold]Where to look next[/]")
    console.print('  make sql Q="select * from metrics.mtr_revenue_by_month order by month desc limit 12"', highlight=False)
    console.print("  make up                      Airflow's web UI on this run's warehouse", highlight=False)
    if docs.exists():
        console.print(f"  {_short(docs)}   what each gate saw", highlight=False, soft_wrap=True)
    console.print(f"  {_short(local_home() / 'logs')}   logs", highlight=False, soft_wrap=True)


def _short(path: Path) -> Path:
    """A path relative to the working folder, if it is inside."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
