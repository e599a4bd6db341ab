"""The three exports in tests/data/exports go through a nightly run. Every expected figure is worked out by hand from the files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from include.check_data.loaded import check_source
from include.local.exports import read_exports
from include.local.home import Company
from include.manifest import ensure_manifest
from include.settings import ROOT, settings
from tests.pipeline.conftest import before_a_release
from tests.pipeline.nightly_runs import NightlyRuns, rows

pytestmark = before_a_release

AS_OF = "2026-10-01"
ACCOUNT = "0015g00000AAA{:02d}AAA"


@pytest.fixture(scope="module", autouse=True)
def run() -> Iterator[None]:
    entered = dict(os.environ)
    company = Company(AS_OF, data=str(ROOT / "tests" / "data" / "exports"))
    try:
        read_exports(company, Console(quiet=True))
        ensure_manifest(print)
        with NightlyRuns(company) as runs:
            runs.run(AS_OF)
            yield
    finally:
        os.environ.clear()
        os.environ.update(entered)
        settings.cache_clear()


def by_account(column: str) -> dict[str, Any]:
    """The sums of a column of customer 360 by customer, without those that are 0."""
    found = rows(f"select top_account_id, sum({column}) as value from marts.mart_customer_360 group by top_account_id")
    return {row["top_account_id"]: row["value"] for row in found if row["value"]}


def test_customers_of_three_systems_are_one() -> None:
    found = rows("select account_id, identity_status, rule, matched_account_id from marts.mart_account_identity")
    matches = {
        row["account_id"]: (row["rule"], row["matched_account_id"]) for row in found if row["identity_status"] == "matched"
    }
    unmatched = sorted(row["account_id"] for row in found if row["identity_status"] != "matched")
    by_id, by_mail, by_domain = "external_id", "email_domain", "domain"
    stripe = {1: by_mail, 2: by_mail, 3: by_mail, 4: by_mail, 5: by_mail, 6: by_id, 7: by_mail, 8: by_mail}
    zendesk = {1: by_domain, 2: by_id, 3: by_domain, 4: by_domain, 6: by_id, 8: by_domain, 17: by_domain}
    assert matches == {
        **{f"cus_Q{n:02d}": (rule, ACCOUNT.format(n)) for n, rule in stripe.items()},
        "cus_Q10": (by_id, ACCOUNT.format(9)),
        **{f"zendesk_3600000000{n:02d}": (rule, ACCOUNT.format(n)) for n, rule in zendesk.items()},
    }
    # Their e-mail addresses name no known company.
    assert unmatched == ["cus_Q09", "zendesk_360000000030"]


def test_recurring_revenue() -> None:
    found = rows(
        "select month, sum(opening_mrr_amount) as opening, sum(new_amount) as started, sum(churn_amount) as churn, "
        "sum(closing_mrr_amount) as closing from marts.mart_mrr_waterfall where month >= '2026-07-01' and is_complete group by month"
    )
    # At the end of June: 100 + 5 × 20 + 1,200 / 12 + 80 + 60 + 2 × 20 + 30. In July the one of 80 ends, in August the one of 250
    # begins, in September the one of 60 ends. A trial earns nothing.
    assert {
        row["month"]: tuple(map(Decimal, (row["opening"], row["started"], row["churn"], row["closing"]))) for row in found
    } == {
        date(2026, 7, 1): (Decimal(510), Decimal(0), Decimal(80), Decimal(430)),
        date(2026, 8, 1): (Decimal(430), Decimal(250), Decimal(0), Decimal(680)),
        date(2026, 9, 1): (Decimal(680), Decimal(0), Decimal(60), Decimal(620)),
    }


def test_pipeline() -> None:
    # Leclerc 10,000 × 10 %, Moreau 20,000 × 75 %, Novak 5,000 × 90 %, Oberhauser 8,000 × 20 %.
    assert by_account("open_deal_amount") == {
        ACCOUNT.format(12): Decimal(10000),
        ACCOUNT.format(13): Decimal(20000),
        ACCOUNT.format(14): Decimal(5000),
        ACCOUNT.format(15): Decimal(8000),
    }
    assert sum(by_account("weighted_open_deal_amount").values()) == Decimal(22100)
    assert by_account("won_deal_amount") == {ACCOUNT.format(1): Decimal(1200), ACCOUNT.format(4): Decimal(3000)}


def test_tickets() -> None:
    # Tickets of an organization in Zendesk count for the account in Salesforce. The deleted ticket does not count.
    counts = {1: 2, 2: 2, 3: 1, 4: 2, 6: 1, 8: 1, 17: 1}
    expected = {ACCOUNT.format(n): count for n, count in counts.items()}
    assert by_account("ticket_count") == expected | {"zendesk_360000000030": 1}
    assert by_account("open_ticket_count") == {ACCOUNT.format(n): 1 for n in (1, 2, 8, 17)} | {"zendesk_360000000030": 1}
    hours = rows("select ticket_id, resolution_hours from marts.mart_ticket_analytics where resolution_hours is not null")
    # Export is empty: from 3 August 09:00 to 4 August 21:00.
    assert {row["ticket_id"]: float(row["resolution_hours"]) for row in hours} == {
        "zendesk_101": 24,
        "zendesk_102": 36,
        "zendesk_103": 48,
        "zendesk_104": 6,
        "zendesk_105": 24,
        "zendesk_106": 24,
    }


def test_what_the_files_do_not_say_is_unknown() -> None:
    (found,) = rows(
        "select count(region) as regions, count(first_responded_at) as replies from marts.mart_customer_360 cross join "
        "(select max(first_responded_at) as first_responded_at from marts.mart_ticket_analytics) as tickets"
    )
    assert (found["regions"], found["replies"]) == (0, 0)


def test_a_rating_that_was_only_offered_is_no_answer() -> None:
    sent = "select count(*) as sent, countif(is_responded) as answered from core.fct_survey_responses where date(sent_at) >= '2026-09-01'"
    assert rows(sent) == [{"sent": 3, "answered": 2}]


def test_the_raw_tables_are_checked() -> None:
    report = check_source("zendesk")
    assert {table.table: table.rows for table in report.tables} == {
        "account_identifiers": 2,
        "accounts": 8,
        "contacts": 8,
        "survey_responses": 5,
        "tickets": 11,
        "users": 2,
    }
    assert not report.blocked
