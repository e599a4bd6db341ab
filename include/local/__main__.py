"""The commands behind the Makefile: `python -m include.local --help`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.demo.landed import LOADERS
from include.local.carried import start_again_if_changed, write_saved
from include.local.errors import StackError
from include.local.exports import read_exports, use_project
from include.local.home import Company, Ports, local_home, make_local_home, only_one, parse_as_of, secret, today
from include.local.leftovers import end_leftovers
from include.local.stack import Stack, clean, end_interrupted, kept, last_warehouse, stop_all, warehouse_of
from include.local.warehouse import WarehouseError
from include.manifest import ManifestError, ensure_manifest
from include.terms import TRANSFORM
from include.warehouse import execute

# Without a terminal, rich would use 80 columns.
console = Console(width=None if sys.stdout.isatty() else 140)
errors = Console(stderr=True)
#: Ctrl-C, `kill`, and a terminal that closes.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal has ended the command; the argument is its number."""


def company_from(arguments: argparse.Namespace) -> Company:
    """The company that the options select.

    Raises:
        StackError: the folder does not exist, or an option is not a number or a date.
    """
    as_of = parse_as_of(arguments.as_of or today())
    landed = getattr(arguments, "landed", "") or None
    if landed not in (None, *LOADERS):
        raise StackError(f"LANDED is one of {', '.join(LOADERS)}, not {landed!r}.")
    if arguments.data is None:
        return Company(as_of, scale=arguments.scale, seed=arguments.seed, landed=landed)
    if not arguments.data:
        raise StackError("DATA is empty: name a folder of exports or CSV files, or leave DATA out for the demo company.")
    folder = Path(arguments.data).expanduser().resolve()
    if not folder.is_dir():
        raise StackError(f"DATA must be a folder of exports or CSV files; {folder} is not a folder.")
    return Company(as_of, data=str(folder), landed=landed)


def run(arguments: argparse.Namespace) -> None:
    """Run one nightly run from the sources to the published marts."""
    from include.local.progress import Watch
    from include.local.shell import keep_manifest
    from include.local.summary import failed_nodes, print_summary
    from include.orchestration import refreshes
    from include.sources import load_sources

    company, ports = company_from(arguments), Ports.from_environment()
    started = time.monotonic()
    with only_one("run"):
        if kept() is not None:
            raise StackError("The platform is up (`make up`): trigger the run in its web UI, or `make down` first.")
        _say_ended(end_interrupted())
        console.print(f"[bold]Nightly run[/]: {company.describe()}")
        if start_again_if_changed(company, ports):
            console.print(
                "  the folder has changed since its last run: starting with an empty warehouse, which keeps decisions and closed months"
            )
        read_exports(company, console)
        with Stack(company, ports, nightly=False) as stack:
            stack.start(lambda line: console.print(f"  {line}", highlight=False))
            write_saved(company, stack.variables)
            ingests = {f"ingest_{name}" for name in load_sources()}
            # A refresh that an interrupted `make up` has left would hold the lock.
            known = {*ingests, TRANSFORM, *refreshes()}
            stack.api.wait_for_dags(known, stack.processes)
            stack.api.cancel_unfinished(known)
            run_id = f"make_run__{datetime.now(UTC):%Y-%m-%dT%H%M%S}"
            runs = dict.fromkeys(sorted(ingests), run_id)
            watch = Watch(stack.api, stack.processes, console, runs)
            for dag in runs:
                stack.api.trigger(dag, run_id, {"as_of": company.as_of})
            os.environ.update(stack.variables)
            try:
                run_ids = watch.follow(timeout=arguments.timeout * 60)
            except StackError as error:
                details = failed_nodes(watch.run_ids[TRANSFORM] or "") if stack.warehouse.is_running() else []
                raise StackError("\n".join([str(error), *details])) from error
            keep_manifest(company)
            with ThreadPoolExecutor(max_workers=1) as pool:
                # All runs have ended, so Airflow need not shut down cleanly, which takes seconds.
                stopped = pool.submit(stack.stop_all_but_the_warehouse, grace=1.0)
                print_summary(console, company, run_ids)
                stopped.result()
    console.print(f"[bold green]Done[/] in {time.monotonic() - started:.0f} s.")


def _say_ended(count: int) -> None:
    if count:
        console.print(f"Ended {count} processes that an interrupted command had left.", highlight=False)


def up(arguments: argparse.Namespace) -> None:
    """Start everything and leave it running."""
    from include.local.keeper import start_keeper

    company, ports = company_from(arguments), Ports.from_environment()
    with only_one("up"):
        if kept() is not None:
            raise StackError("The platform is up already; `make down` stops it.")
        _say_ended(end_interrupted())
        start_again_if_changed(company, ports)
        read_exports(company, console)
        stack = Stack(company, ports, nightly=True)
        try:
            stack.start(lambda line: console.print(f"  {line}", highlight=False))
            write_saved(company, stack.variables)
            start_keeper(stack)
            stack.keep()
        except BaseException:
            stack.stop()
            raise
    addresses = Table(box=None, pad_edge=False, show_header=False)
    addresses.add_row("Airflow", stack.api.address, f"user admin, password {secret('admin_password')[:16]}")
    addresses.add_row("Warehouse", stack.warehouse.url, 'project local · make sql Q="select …"')
    addresses.add_row("CRM", stack.postgres.address(company.database), f"schema crm, password in {local_home()}/secrets/postgres")
    addresses.add_row("Billing API", f"http://127.0.0.1:{ports.billing}", "bearer token")
    addresses.add_row("Support API", f"http://127.0.0.1:{ports.support}", "basic auth")
    addresses.add_row("Logs", str(local_home() / "logs"), "")
    console.print(addresses)


def down(_: argparse.Namespace) -> None:
    """Stop what `make up` started, and whatever else of the stack runs."""
    with only_one("down", end_other=console.print):
        was_up, left = stop_all()
    _say_ended(left)
    console.print("Stopped." if was_up else "Nothing is up.")


def keeper(_: argparse.Namespace) -> None:
    """Restart parts of the running stack that have stopped. `make up` starts it."""
    from include.local.keeper import keep_up

    keep_up()


def sql(arguments: argparse.Namespace) -> None:
    """Run one query on the local warehouse and print its rows."""
    if not arguments.query.strip():
        raise StackError('Give a query: make sql Q="select * from metrics.mtr_revenue_by_month limit 10"')
    with last_warehouse():
        rows = execute(arguments.query, tool="sql").result()
        table = Table(*[field.name for field in rows.schema or []])
        for row in rows:
            table.add_row(*["" if value is None else str(value) for value in row.values()])
    # Piped output is for programs: no line is wrapped.
    wide = console if console.is_terminal else Console(width=100_000)
    wide.print(table, highlight=False)


def dbt(arguments: argparse.Namespace) -> None:
    """Run a dbt command on the local warehouse, at the as-of time of its last run."""
    from include.local.shell import run_dbt

    # The words follow `--`, so that they may begin with an option of dbt.
    sys.exit(run_dbt(arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words))


def docs(_: argparse.Namespace) -> None:
    """Write dbt's documentation with its lineage graph as one HTML file, and a page per metric."""
    from include.local.shell import write_docs

    for path in write_docs():
        console.print(f"Written: {path}", highlight=False, soft_wrap=True)


def status(_: argparse.Namespace) -> None:
    """Print the freshness SLA of every table: now, over the last seven days, and when it is due next."""
    from include.freshness import status_table, statuses, write_page
    from include.local.keeper import stopped_parts
    from include.local.stack import postgres_of

    ensure_manifest(console.print)
    with last_warehouse() as company:
        now = datetime.now(UTC)
        found = statuses(now)
        path = write_page(now, found)
    if (running := kept()) is not None and (stopped := stopped_parts(running[2], postgres_of(running[1]))):
        console.print(
            f"[bold red]Stopped[/]: {', '.join(stopped)}; see {local_home()}/logs. `make down`, then `make up` starts all again."
        )
    wide = console if console.is_terminal else Console(width=200)
    wide.print(f"[bold]Freshness SLAs[/] of {company.describe()}; {now:%Y-%m-%d %H:%M} UTC", highlight=False)
    wide.print(status_table(found), highlight=False)
    wide.print(f"As a page: {path}", highlight=False, soft_wrap=True)


def restatements(_: argparse.Namespace) -> None:
    """Print the figures of ended months that publications have changed, and why."""
    from include.local.months import show_restatements

    show_restatements(console if console.is_terminal else Console(width=240))


def close(arguments: argparse.Namespace) -> None:
    """Freeze the published figures of a month, or re-open it."""
    from include.local.months import change_month

    said = change_month(arguments.month, arguments.organization, arguments.by, arguments.reopen)
    console.print("\n".join(map(escape, said)), highlight=False)


def identity(arguments: argparse.Namespace) -> None:
    """Print the accounts that no other system is known to have, or decide that two accounts are one customer or two."""
    from include.local.identities import decide_identity, show_identity

    if arguments.decision:
        said = decide_identity(arguments.decision, arguments.pair, arguments.organization, arguments.by)
        console.print(escape(said), highlight=False)
    else:
        show_identity(console if console.is_terminal else Console(width=200), arguments.organization)


def explain(arguments: argparse.Namespace) -> None:
    """Explain a published figure: its definition, its formula, the rows that give it, its changes and its checks."""
    from include.explain import SHOWN, ExplainError, Queries, show, write_csv, write_query
    from include.explain import explain as explain_figure

    with last_warehouse():
        queries = Queries()
        try:
            found = explain_figure(
                arguments.table,
                arguments.column,
                arguments.where,
                limit=arguments.limit or SHOWN,
                queries=queries,
                say=console.print,
            )
            wide = console if console.is_terminal else Console(width=160)
            show(found, wide, write_query(found, local_home() / "explain" / "figure.sql"))
            if arguments.out:
                folder = Path(arguments.out).expanduser()
                files = write_csv(found, folder, queries)
                wide.print(f"  All rows as CSV: {len(files)} files in {folder}", highlight=False, soft_wrap=True)
        except ExplainError as error:
            raise StackError(str(error)) from error


def check_source(arguments: argparse.Namespace) -> None:
    """Check the raw tables of a source by the input contract."""
    from include.check_data.__main__ import main as check_data

    with last_warehouse():
        options = [*(["--html", arguments.html] if arguments.html else []), *(["--json"] if arguments.json else [])]
        code = check_data(["--source", arguments.source, *options])
    sys.exit(code)


def mcp(arguments: argparse.Namespace) -> None:
    """Serve the KPI tools for AI assistants on the local warehouse, over HTTP."""
    from include.mcp import HOST, PORT, serve

    port = arguments.port or PORT
    company = Company.last()
    if company is None:
        raise StackError("There is no local warehouse yet: `make run` makes one.")
    with warehouse_of(company, Ports.from_environment()) as variables:
        os.environ.update(variables)
        console.print(f"MCP (streamable HTTP): http://{HOST}:{port}/mcp   Ctrl-C stops it.", highlight=False)
        serve("http", port)


def env(_: argparse.Namespace) -> None:
    """Print the environment of the local warehouse as shell exports: eval "$(python -m include.local env)"."""
    import shlex

    from include.local.stack import platform_environment

    if sys.stdout.isatty():
        raise StackError('The exports contain passwords. To set them without showing them: eval "$(python -m include.local env)"')

    company = Company.last() or Company(today())
    for name, value in platform_environment(company, Ports.from_environment()).items():
        print(f"export {name}={shlex.quote(value)}")


def remove(_: argparse.Namespace) -> None:
    """Stop what `make up` started and remove the folder .local."""
    with only_one("clean", end_other=console.print):
        clean()
    console.print(f"Removed {local_home()}.")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m include.local", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="command")
    functions = {
        "run": run,
        "up": up,
        "down": down,
        "sql": sql,
        "dbt": dbt,
        "docs": docs,
        "status": status,
        "restatements": restatements,
        "close": close,
        "identity": identity,
        "explain": explain,
        "check-source": check_source,
        "mcp": mcp,
        "keeper": keeper,
        "env": env,
        "clean": remove,
    }
    for name, function in functions.items():
        command = commands.add_parser(name, help=(function.__doc__ or "").splitlines()[0], description=function.__doc__)
        command.set_defaults(function=function)
        if name in {"run", "up"}:
            command.add_argument("--scale", type=float, default=1.0, help="size of the demo company (default 1)")
            command.add_argument("--seed", type=int, default=42, help="seed of the demo company (default 42)")
            command.add_argument("--as-of", default="", help="the day to report on, YYYY-MM-DD (default: today, UTC)")
            command.add_argument("--data", help="use the exports or CSV files of this folder; --scale and --seed are ignored")
        if name == "run":
            command.add_argument("--landed", default="", help=f"start from tables that a loader has landed: {', '.join(LOADERS)}")
            command.add_argument("--timeout", type=float, default=60, help="minutes after which the run fails (default 60)")
        if name == "dbt":
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="…", help="a dbt command with its options")
        if name == "sql":
            command.add_argument("query")
        if name == "close":
            command.add_argument("month", help="YYYY-MM")
            command.add_argument("--organization", default="", help="only this organization (default: all)")
            command.add_argument("--by", default="", help="who closes it (default: the user of this machine)")
            command.add_argument("--reopen", action="store_true", help="re-open a closed month")
        if name == "identity":
            decisions = ("same", "different", "withdraw")
            command.add_argument("decision", nargs="?", choices=decisions, help="what to decide (default: list the accounts)")
            command.add_argument("pair", nargs="?", default="", help="two account ids, separated by a space")
            command.add_argument("--organization", default="", help="only this organization (default: all)")
            command.add_argument("--by", default="", help="who decides (default: the user of this machine)")
        if name == "explain":
            command.add_argument("table", help="a published table, such as marts.mart_nrr_summary")
            command.add_argument("column", help="a numeric column of it")
            command.add_argument("where", help="a condition that one row fulfils, in BigQuery's SQL")
            command.add_argument("--limit", type=_positive, help="rows to show of each table")
            command.add_argument("--out", default="", help="write all rows as CSV into this folder")
        if name == "check-source":
            command.add_argument("source", help="the source's name")
            command.add_argument("--html", default="", help="write the report as a web page, too")
            command.add_argument("--json", action="store_true", help="print the report as JSON")
        if name == "mcp":
            command.add_argument("--port", type=int, help="port to listen on (default 9061)")
    return top


def _end_at(number: int, _: object) -> None:
    """End the command at the first signal. Later ones are ignored, so that nothing is left half stopped."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    with suppress(OSError):  # the terminal may be gone
        errors.print("Stopping …")
    raise Interrupted(number)


def main() -> int:
    arguments = parser().parse_args()
    for number in SIGNALS:
        signal.signal(number, _end_at)
    try:
        make_local_home()
        if arguments.function not in (run, up):
            use_project(Company.last())
        arguments.function(arguments)
    except (ManifestError, StackError, WarehouseError) as error:
        return _failed(str(error))
    except Interrupted as end:
        if kept() is None:
            end_leftovers(own=True)
        with suppress(OSError):
            errors.print("Stopped.")
        return 128 + int(end.args[0])
    except Exception as error:
        log = local_home() / "logs" / "error.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(traceback.format_exc())
        reason = " ".join(str(error).split())[:300]
        return _failed(f"{type(error).__name__}: {reason}. The details are in {log}.")
    return 0


def _failed(message: str) -> int:
    errors.print(f"[bold red]Failed[/] {escape(message)}", highlight=False, soft_wrap=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
