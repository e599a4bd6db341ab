"""`python -m include.catalog [--check]`: write docs/facts.md from dbt's manifest, or say whether it is out of date."""

from __future__ import annotations

import argparse
import sys

from include.catalog import FACTS, render
from include.local.stack import ensure_manifest


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m include.catalog", description="The page of facts about what analysts read.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when docs/facts.md is out of date")
    arguments = parser.parse_args()
    ensure_manifest(print)
    page = render()
    if arguments.check:
        if FACTS.exists() and FACTS.read_text() == page:
            return 0
        print("docs/facts.md is out of date: run `make generate` and commit it.", file=sys.stderr)
        return 1
    FACTS.write_text(page)
    print("docs/facts.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
