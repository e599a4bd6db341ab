"""`python -m tests.backtest`: back-tests the churn score with a nightly run as of six months ago and one as of today.

Writes docs/backtest.md and docs/images/backtest.svg. The warehouse is in a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import date
from pathlib import Path

from include.local.home import Company
from include.settings import ROOT
from tests.backtest.page import HORIZONS, Account, Study, document, picture
from tests.pipeline.nightly_runs import NightlyRuns, rows

# One row per account with recurring revenue.
SCORED_SQL = """
    select organization_id, account_id, churn_risk_level, churn_risk_score, days_since_login
    from marts.mart_churn_risk
"""

# An account may have been merged into another one since the first run: then the revenue of its top account counts.
LEFT_SQL = """
    select accounts.organization_id, accounts.account_id, min(revenue.month) as left_month
    from core.dim_accounts as accounts
    inner join core.fct_revenue as revenue
        on revenue.organization_id = accounts.organization_id
        and revenue.account_id = accounts.top_account_id
    where revenue.movement = 'churn' and revenue.month >= '{since}' and revenue.month < '{until}'
    group by accounts.organization_id, accounts.account_id
"""


def months_before(day: date, months: int) -> date:
    """The first day of the month that is `months` before that of `day`."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def study_of(seen_on: date, company: Company) -> Study:
    """Run both nightly runs, and join the scores of the first with the churn dates of the second."""
    scored_on = months_before(seen_on, HORIZONS[-1])
    with NightlyRuns(company) as runs:
        runs.run(scored_on.isoformat(), tested=False)
        scored = rows(SCORED_SQL)
        runs.run(seen_on.isoformat(), tested=False)
        left = {
            (row["organization_id"], row["account_id"]): row["left_month"]
            for row in rows(LEFT_SQL.format(since=scored_on, until=seen_on))
        }

    def after(month: date | None) -> int | None:
        return None if month is None else (month.year - scored_on.year) * 12 + month.month - scored_on.month + 1

    accounts = tuple(
        Account(
            row["churn_risk_level"],
            float(row["churn_risk_score"]),
            row["days_since_login"],
            after(left.get((row["organization_id"], row["account_id"]))),
        )
        for row in scored
    )
    return Study(scored_on.isoformat(), seen_on.isoformat(), company.describe().rpartition(", as of ")[0], accounts)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.backtest", description="Back-test of the churn score.")
    parser.add_argument("--as-of", default="2026-10-01", help="today, the first of a month (2026-10-01)")
    parser.add_argument("--scale", type=float, default=6.0, help="size of the demo company (6: some 500 accounts)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the demo company (42)")
    parser.add_argument("--data", help="a folder of CSV files in place of the demo company")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where to write (docs)")
    arguments = parser.parse_args()
    seen_on = date.fromisoformat(arguments.as_of)
    if seen_on.day != 1:
        parser.error("--as-of must be the first of a month: revenue is measured at the ends of months")
    with tempfile.TemporaryDirectory(prefix="backtest-") as home:
        # If root starts PostgreSQL, it runs as another user, who must be able to open the folder.
        Path(home).chmod(0o755)
        os.environ["LOCAL_HOME"] = home
        study = study_of(seen_on, Company(seen_on.isoformat(), arguments.scale, arguments.seed, arguments.data))
    (arguments.out / "images").mkdir(parents=True, exist_ok=True)
    (arguments.out / "backtest.md").write_text(document(study))
    (arguments.out / "images" / "backtest.svg").write_text(picture(study))
    print(document(study))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
