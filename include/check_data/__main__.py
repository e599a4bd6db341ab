"""Command line: `python -m include.check_data FOLDER [--html FILE] [--json]`, or with `--source NAME` in place of the folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from google.api_core.exceptions import NotFound

from include.check_data.loaded import check_source
from include.check_data.render import as_html, as_json, as_text
from include.check_data.report import check
from include.exports import ExportError
from include.sources import SourceError


def main(arguments: list[str] | None = None) -> int:
    """Check a folder, or a source that is loaded.

    The exit code is 0; 1 if a finding blocks a run; 2 if the folder, the source or the page cannot be read or written.
    """
    parser = argparse.ArgumentParser(
        prog="python -m include.check_data", description="Check a folder of exports or of CSV files against the input contract."
    )
    checked = parser.add_mutually_exclusive_group(required=True)
    checked.add_argument("folder", type=Path, nargs="?", help="the folder that `make run DATA=folder` reads")
    checked.add_argument("--source", metavar="NAME", help="check the raw tables of a source in the warehouse instead")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a web page, too")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    try:
        report = check_source(options.source) if options.source else check(options.folder)
        if options.html:
            options.html.write_text(as_html(report), encoding="utf-8")
    except (OSError, ExportError, SourceError) as error:
        print(f"Failed {error}", file=sys.stderr)
        return 2
    except NotFound as error:
        print(f"Failed a source is not loaded yet: {error.message}", file=sys.stderr)
        return 2
    print(as_json(report) if options.json else as_text(report), end="")
    return 1 if report.blocked else 0


if __name__ == "__main__":
    sys.exit(main())
