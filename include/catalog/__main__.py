"""`python -m include.catalog [--check]`: writes the pages about published tables from dbt's manifest, or lists outdated pages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from include.catalog import FACTS, METRICS, metric_pages, render
from include.manifest import ensure_manifest, read_manifest
from include.settings import ROOT


def drifted(pages: Mapping[Path, str], folder: Path = METRICS) -> list[Path]:
    """The paths of outdated pages: missing or changed pages, and files in the folder that are no longer generated."""
    differing = [path for path, content in pages.items() if not path.exists() or path.read_text() != content]
    return sorted([*differing, *_no_longer_generated(pages, folder)])


def write(pages: Mapping[Path, str], folder: Path = METRICS) -> None:
    """Write the pages, and delete files in the folder that are no longer generated."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in _no_longer_generated(pages, folder):
        path.unlink()
    for path, content in pages.items():
        path.write_text(content)


def _no_longer_generated(pages: Mapping[Path, str], folder: Path) -> set[Path]:
    return set(folder.glob("*.md")) - set(pages)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m include.catalog", description="Generate the pages about published tables.")
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
