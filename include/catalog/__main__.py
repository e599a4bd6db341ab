"""`python -m include.catalog [--check]`: writes `docs/facts.md` from dbt's manifest, or says whether it is out of date."""

from __future__ import annotations

import argparse
import sys

from include.catalog import FACTS, render
from include.manifest import ensure_manifest, read_manifest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.catalog", description="Generate docs/facts.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    check: bool = parser.parse_args(arguments).check
    ensure_manifest(print)
    content = render(read_manifest())
    if not check:
        FACTS.write_text(content, encoding="utf-8")
        print(f"{FACTS} is written.")
    elif not FACTS.exists() or FACTS.read_text(encoding="utf-8") != content:
        print(f"{FACTS} is out of date: run `make generate` and commit it.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
