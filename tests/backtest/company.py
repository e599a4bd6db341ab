"""The two runs of a company, and what they say about each of its accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from include.local.home import Company
from include.ops import ensure_tables
from include.run_context import RunContext
from tests.backtest.study import HORIZONS, Account, Study
from tests.pipeline.nightly_runs import NightlyRuns, rows

PARTS = ("recency", "frequency", "holdings", "tickets", "revenue")
OTHERS = ("overdue_invoices", "low_survey_score", "days_since_contact")

# One row per account with recurring revenue, with signals that the score does not use. They cover accounts below it too.
SCORED_SQL = """
    with

    accounts as (
        select organization_id, account_id, top_account_id from core.dim_accounts
    ),

    invoices as (
        select accounts.organization_id, accounts.top_account_id as account_id, count(*) as overdue_invoices
        from core.fct_invoices as invoices
        join accounts on accounts.organization_id = invoices.organization_id and accounts.account_id = invoices.account_id
        where invoices.is_revenue and not invoices.is_paid and invoices.due_at between timestamp '{first}' and timestamp '{now}'
        group by accounts.organization_id, accounts.top_account_id
    ),

    surveys as (
        select
            accounts.organization_id,
            accounts.top_account_id as account_id,
            -avg(if(responses.survey_type = 'nps', responses.score / 10, (responses.score - 1) / 4)) as low_survey_score
        from core.fct_survey_responses as responses
        join accounts on accounts.organization_id = responses.organization_id and accounts.account_id = responses.account_id
        where responses.survey_type in ('nps', 'csat') and responses.responded_at between timestamp '{first}' and timestamp '{now}'
        group by accounts.organization_id, accounts.top_account_id
    ),

    contacts as (
        select
            accounts.organization_id,
            accounts.top_account_id as account_id,
            timestamp_diff(timestamp '{now}', max(activities.completed_at), day) as days_since_contact
        from core.fct_activities as activities
        join accounts on accounts.organization_id = activities.organization_id and accounts.account_id = activities.account_id
        where activities.is_completed
        group by accounts.organization_id, accounts.top_account_id
    )

    select
        risks.organization_id, risks.account_id, risks.churn_risk_level, risks.churn_risk_score, risks.days_since_login,
        risks.recency_part, risks.frequency_part, risks.holdings_part, risks.tickets_part, risks.revenue_part,
        coalesce(invoices.overdue_invoices, 0) as overdue_invoices, 2 + surveys.low_survey_score as low_survey_score,
        contacts.days_since_contact
    from marts_build.mart_churn_risk as risks
    left join invoices on invoices.organization_id = risks.organization_id and invoices.account_id = risks.account_id
    left join surveys on surveys.organization_id = risks.organization_id and surveys.account_id = risks.account_id
    left join contacts on contacts.organization_id = risks.organization_id and contacts.account_id = risks.account_id
"""
SIGNAL_DAYS = 120

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


def build(runs: NightlyRuns, day: date, sources: Sequence[str], models: Sequence[str]) -> None:
    """The part of a nightly run that the back-test needs: load the sources, and build the models with all upstream of them."""
    run = RunContext(f"backtest__{day}", datetime(day.year, day.month, day.day, tzinfo=UTC), full_refresh=False)
    runs.serve(day.isoformat())
    ensure_tables()
    for name in sources:
        runs.load(runs.sources[name], run)
    untested = [word for kind in ("test", "unit_test") for word in ("--exclude-resource-type", kind)]
    runs.dbt("build", "--select", *(f"+{model}" for model in models), *untested, run=run)


def study_of(seen_on: date, company: Company) -> Study:
    """Run both runs, and join the scores of the first with the churn dates of the second."""
    scored_on = months_before(seen_on, HORIZONS[-1])
    with NightlyRuns(company) as runs:
        scores = ("mart_churn_risk", "fct_invoices", "fct_survey_responses", "fct_activities")
        build(runs, scored_on, tuple(runs.sources), scores)
        scored = rows(SCORED_SQL.format(first=scored_on - timedelta(days=SIGNAL_DAYS), now=scored_on))
        (settings,) = rows("select * from core.churn_risk_settings")
        build(runs, seen_on, ("crm", "billing", "reference"), ("fct_revenue", "dim_accounts"))
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
            {part: row[f"{part}_part"] for part in PARTS},
            {name: row[name] for name in OTHERS},
        )
        for row in scored
    )
    weights = {part: float(settings[f"{part}_weight"]) for part in PARTS}
    return Study(scored_on.isoformat(), seen_on.isoformat(), (company.describe().rpartition(", as of ")[0],), weights, accounts)
