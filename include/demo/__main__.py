"""Command line of the demo company: `python -m include.demo generate|serve --help`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from include.demo.clock import parse_as_of
from include.demo.company import Company
from include.demo.csv_out import write_csv
from include.demo.generator import generate


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 2 for bad input with one message on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.demo", description="The synthetic company.")
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("generate", help="write every table as CSV")
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the CSV files")
    _company_options(command)
    command.set_defaults(run=_generate)
    return parser


def _company_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scale", type=float, default=1.0, help="size; 1 has 10,000 orders (default 1)")
    command.add_argument("--seed", type=int, default=42, help="which company (default 42)")
    command.add_argument("--as-of", metavar="DATE", help="what is known before this day, UTC (default today)")


def _generated(options: argparse.Namespace) -> Company:
    return generate(options.scale, options.seed, parse_as_of(options.as_of))


def _generate(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    company = _generated(options)
    write_csv(company, options.out)
    rows = sum(table.num_rows for table in company.tables.values())
    print(f"{rows:,} rows in {len(company.tables)} tables, {options.out} ({time.monotonic() - begun:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
