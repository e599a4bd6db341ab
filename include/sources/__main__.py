"""`python -m include.sources`: check the source files, and generate the dbt project's files that follow from them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from include.settings import settings
from include.sources import SourceError, load_sources
from include.sources.describe import described
from include.sources.generated import drift, undeclared, write
from include.sources.mapping import nearest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.sources", description=__doc__)
    parser.add_argument("--folder", type=Path, help="folder of the source files (default: include/sources)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="validate the source files")
    mapping = commands.add_parser(
        "mapping", help="show where the contract's columns come from in a source, and which stay unknown"
    )
    mapping.add_argument("source", help="name of the source")
    generate = commands.add_parser(
        "dbt-sources", help="write dbt's source files, its staging views, and the macros raw_tables and feeds"
    )
    generate.add_argument(
        "--check", action="store_true", help="write nothing; show the diff and exit with 1 if a file is out of date"
    )
    generate.add_argument("--dbt-dir", type=Path, help="the dbt project (default: PLATFORM_DBT_DIR)")
    options = parser.parse_args(arguments)
    try:
        sources = load_sources(options.folder)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    if options.command == "mapping":
        if options.source not in sources:
            known = f"there is no source {options.source} among {', '.join(sources)}"
            print(known + nearest(options.source, sources), file=sys.stderr)
            return 1
        print(described(sources[options.source]))
        return 0
    dbt_dir = getattr(options, "dbt_dir", None) or settings().dbt_dir
    if missing := undeclared(sources, dbt_dir):
        print("\n".join(missing), file=sys.stderr)
        return 1
    if options.command == "check":
        print(f"{len(sources)} sources, {sum(len(s.tables) for s in sources.values())} tables: all valid")
        return 0
    if options.check:
        difference = drift(sources, dbt_dir)
        if difference:
            print(difference)
            print("dbt's source files are out of date: run `python -m include.sources dbt-sources`.", file=sys.stderr)
            return 1
        print(f"dbt's source files of {len(sources)} sources are up to date")
        return 0
    for path in write(sources, dbt_dir):
        print(f"{'wrote' if path.exists() else 'deleted'} {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
