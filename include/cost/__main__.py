"""`make cost`: bytes, price and limits of the statements that the platform sends, at the size of a warehouse and at multiples of it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any

from include.cost import page, record, sizes
from include.cost.sizes import Size
from include.cost.work import Nodes, works
from include.local.errors import StackError
from include.local.home import Company, Ports
from include.local.stack import warehouse_of
from include.local.warehouse import WarehouseError
from include.manifest import ManifestError, ensure_manifest, read_manifest
from include.settings import ROOT, settings
from include.warehouse import client

#: The cap that `.env.example` sets.
CAP = 1024**4
_PAGE = ROOT / "docs" / "cost.md"


def main() -> int:
    given = _arguments()
    try:
        ensure_manifest(print)
        nodes = Nodes(read_manifest())
        known, what = _of_google(given.project) if given.project else _of_local_warehouse(nodes)
        recorded = record.load() or _record_statements()
    except (ManifestError, StackError, WarehouseError) as error:
        print(f"Failed {error}", file=sys.stderr)
        return 1
    text = page.page(
        works(recorded["jobs"], recorded["cadences"], nodes), known, nodes, what, settings().maximum_bytes_billed or CAP
    )
    print(text)
    if given.write:
        page.write(_PAGE, text)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.cost", description=__doc__)
    parser.add_argument(
        "--project", default="", help="use the table sizes of this Google Cloud project, from dry runs, which are free"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/cost.md")
    return parser.parse_args()


def _of_local_warehouse(nodes: Nodes) -> tuple[dict[str, Size], str]:
    company = Company.last()
    if company is None:
        raise StackError("There is no local warehouse yet: `make run` makes one.")
    with warehouse_of(company, Ports.from_environment()) as variables:
        os.environ.update(variables)
        settings.cache_clear()
        return sizes.measured(client(tool="cost"), nodes.partitioning()), company.describe()


def _of_google(project: str) -> tuple[dict[str, Size], str]:
    os.environ["GOOGLE_CLOUD_PROJECT"] = project
    settings.cache_clear()
    return sizes.estimated(client(tool="cost")), f"project {project}"


def _record_statements() -> dict[str, Any]:
    """Run `tests.google.check`, which records the statements of this version.

    Raises:
        StackError: it has left no record.
    """
    print(
        "The statements of this version are not recorded yet: running two nightly runs and the refreshes against Google's analyzer first.",
        flush=True,
    )
    # The check may fail because of its findings. Its record is complete all the same.
    subprocess.run([sys.executable, "-m", "tests.google.check", "--complete"], cwd=ROOT, check=False)
    recorded = record.load()
    if recorded is None:
        raise StackError("The statements could not be recorded: see what `make check-google` says.")
    return recorded


if __name__ == "__main__":
    sys.exit(main())
