"""`python -m include.orchestration [--check]`: writes `docs/runs.md`, or fails if it is out of date."""

from __future__ import annotations

import argparse
import sys

from include.manifest import ensure_manifest, read_manifest
from include.orchestration.page import PAGE, runs_page
from include.settings import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m include.orchestration", description="Write the page about runs.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    arguments = parser.parse_args()
    ensure_manifest(print)
    page = runs_page(read_manifest())
    if not arguments.check:
        PAGE.write_text(page, encoding="utf-8")
        print(PAGE.relative_to(ROOT))
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is out of date: run `make generate` and commit it.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
