"""Command line of the demo company: `python -m include.demo generate|serve --help`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from include.demo.clock import parse_as_of
from include.demo.company import Company
from include.demo.csv_in import read_csv
from include.demo.csv_out import write_csv
from include.demo.generator import SMALLEST, generate
from include.demo.landed import LOADERS, land
from include.demo.serve import Place, serve


def main(arguments: list[str] | None = None) -> int:
    """Run a command. The exit code is 0, or 2 for invalid input, with the reason on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.demo",
        description="A synthetic company, as CSV files or as running source systems (CRM, billing, support, files).",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser(
        "generate",
        help="write every table as CSV",
        description="Write every table as CSV, and demo_cases.md, which lists the rows that break naive SQL.",
    )
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the CSV files")
    _company_options(command)
    command.set_defaults(run=_generate)
    command = commands.add_parser(
        "serve",
        help="run the company's systems until stopped",
        description="Fill a PostgreSQL database with the CRM, write landing and reference files, and start the billing and "
        "support servers. Then write the connections to systems.json and run until SIGTERM.",
    )
    command.add_argument("--home", required=True, type=Path, metavar="DIR", help="folder for the files and systems.json")
    url = os.environ.get("DEMO_POSTGRES_URL")
    command.add_argument(
        "--postgres-url",
        required=url is None,
        default=url,
        metavar="URL",
        help="database for the CRM (default: the variable DEMO_POSTGRES_URL, which hides it from other users)",
    )
    command.add_argument("--billing-port", type=_port, default=0, metavar="PORT", help="default: any free port")
    command.add_argument("--support-port", type=_port, default=0, metavar="PORT", help="default: any free port")
    command.add_argument(
        "--data", type=_folder, metavar="DIR", help="serve the CSV files of this folder instead of generated data"
    )
    command.add_argument("--no-faults", action="store_true", help="send no 429, no 500 and no duplicate rows")
    command.add_argument("--with-bad-lines", action="store_true", help="end the newest JSONL file with a truncated line")
    _company_options(command)
    command.set_defaults(run=_serve)
    command = commands.add_parser(
        "land",
        help="land every table in the warehouse, as a loader does",
        description="Write every table into datasets of the warehouse that the environment names, in the shape of a loader's tables.",
    )
    command.add_argument("--loader", required=True, choices=LOADERS)
    command.add_argument(
        "--data", type=_folder, metavar="DIR", help="land the CSV files of this folder instead of generated data"
    )
    _company_options(command)
    command.set_defaults(run=_land)
    return parser


def _company_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scale", type=float, default=1.0, help=f"size, at least {SMALLEST}; 1 has 10,000 orders (default 1)")
    command.add_argument("--seed", type=int, default=42, help="seed of the generator; each seed is another company (default 42)")
    command.add_argument("--as-of", metavar="DATE", help="only data known before 00:00 UTC of this day (default today)")


def _folder(text: str) -> Path:
    if text:
        return Path(text)
    raise argparse.ArgumentTypeError("the folder is empty: name a folder of CSV files, or leave the option out")


def _port(text: str) -> int:
    if text.isdigit() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port number")


def _generated(options: argparse.Namespace) -> Company:
    return generate(options.scale, options.seed, parse_as_of(options.as_of))


def _generate(options: argparse.Namespace) -> None:
    begun = time.monotonic()
    company = _generated(options)
    write_csv(company, options.out)
    rows = sum(table.num_rows for table in company.tables.values())
    print(f"{rows:,} rows in {len(company.tables)} tables, {options.out} ({time.monotonic() - begun:.1f} s)")


def _served(options: argparse.Namespace) -> Company:
    company = read_csv(options.data) if options.data else _generated(options)
    for warning in company.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    return company


def _land(options: argparse.Namespace) -> None:
    land(_served(options), options.loader, lambda line: print(line, flush=True))


def _serve(options: argparse.Namespace) -> None:
    company = _served(options)
    place = Place(options.home.resolve(), options.postgres_url, options.billing_port, options.support_port)
    serve(company, place, lambda line: print(line, flush=True), not options.no_faults, options.with_bad_lines)


if __name__ == "__main__":
    sys.exit(main())
