"""`python -m tests.backtest`: back-tests the churn score with a run as of six months ago and one as of today.

Several seeds are several companies, whose accounts are pooled. Writes docs/backtest.md and docs/images/backtest.svg after each company, of all companies so
far. The runs have no gates and build only what they need. The warehouse is in a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from include.local.home import Company
from include.settings import ROOT
from tests.backtest.company import study_of
from tests.backtest.page import document
from tests.backtest.picture import picture
from tests.backtest.study import Study, pooled


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.backtest", description="Back-test of the churn score.")
    parser.add_argument("--as-of", default="2026-10-01", help="today, the first of a month (2026-10-01)")
    parser.add_argument("--scale", type=float, default=6.0, help="size of a demo company (6: some 500 accounts)")
    parser.add_argument("--seed", type=int, nargs="+", default=[42], help="seeds, each of a demo company (42)")
    parser.add_argument("--data", help="a folder of CSV files in place of the demo company")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where to write (docs)")
    arguments = parser.parse_args()
    seen_on = date.fromisoformat(arguments.as_of)
    if seen_on.day != 1:
        parser.error("--as-of must be the first of a month: revenue is measured at the ends of months")
    if arguments.data and len(arguments.seed) > 1:
        parser.error("--data is one company: name no seeds")
    (arguments.out / "images").mkdir(parents=True, exist_ok=True)
    studies: list[Study] = []
    for seed in arguments.seed:
        with tempfile.TemporaryDirectory(prefix="backtest-") as home:
            # If root starts PostgreSQL, it runs as another user, who must be able to open the folder.
            Path(home).chmod(0o755)
            os.environ["LOCAL_HOME"] = home
            company = Company(seen_on.isoformat(), arguments.scale, seed, arguments.data)
            # dbt keeps the credentials of a process's first warehouse.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                studies.append(process.submit(study_of, seen_on, company).result())
        study = pooled(studies)
        (arguments.out / "backtest.md").write_text(document(study))
        (arguments.out / "images" / "backtest.svg").write_text(picture(study))
    print(document(study))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
