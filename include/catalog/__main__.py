"""`python -m include.catalog [--check]`: write the pages about what analysts read from dbt's manifest, or say which are out of date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from include.catalog import FACTS, METRICS, metric_pages, read_manifest, render
from include.local.stack import ensure_manifest
from include.settings import ROOT


def drifted(pages: Mapping[Path, str], folder: Path = METRICS) -> list[Path]:
    """The pages that are missing or differ from what they should be, and those in the folder that nothing makes any more."""
    differing = [path for path, content in pages.items() if not path.exists() or path.read_text() != content]
    return sorted([*differing, *_left_over(pages, folder)])


def write(pages: Mapping[Path, str], folder: Path = METRICS) -> None:
    """Write the pages, and remove from the folder what is none of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in _left_over(pages, folder):
        path.unlink()
    for path, content in pages.items():
        path.write_text(content)


def _left_over(pages: Mapping[Path, str], folder: Path) -> set[Path]:
    return set(folder.glob("*.md")) - set(pages)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m include.catalog", description="The pages about what analysts read.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is out of date")
    arguments = parser.parse_args()
    ensure_manifest(print)
    manifest = read_manifest()
    pages = {FACTS: render(manifest), **metric_pages(manifest)}
    if not arguments.check:
        write(pages)
        print(f"{FACTS.relative_to(ROOT)}, {len(pages) - 1} pages in {METRICS.relative_to(ROOT)}")
        return 0
    outdated = drifted(pages)
    for path in outdated:
        print(f"{path.relative_to(ROOT)} is out of date: run `make generate` and commit it.", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
