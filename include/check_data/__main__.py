"""Command line: `python -m include.check_data FOLDER [--html FILE] [--json]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from include.check_data.render import as_html, as_json, as_text
from include.check_data.report import check
from include.exports import ExportError


def main(arguments: list[str] | None = None) -> int:
    """Check a folder. The exit code is 0; 1 if a finding blocks a run; 2 if the folder or the page cannot be read or written."""
    parser = argparse.ArgumentParser(
        prog="python -m include.check_data", description="Check a folder of exports or of CSV files against the input contract."
    )
    parser.add_argument("folder", type=Path, help="the folder that `make run DATA=folder` reads")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a web page, too")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    try:
        report = check(options.folder)
        if options.html:
            options.html.write_text(as_html(report), encoding="utf-8")
    except (OSError, ExportError) as error:
        print(f"Failed {error}", file=sys.stderr)
        return 2
    print(as_json(report) if options.json else as_text(report), end="")
    return 1 if report.blocked else 0


if __name__ == "__main__":
    sys.exit(main())
