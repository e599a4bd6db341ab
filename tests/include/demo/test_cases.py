"""Every labelled edge case exists at every scale, under the keys in demo_cases.md."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.demo import Company, generate, write_csv
from include.demo.schema import TABLES

TITLES = {
    "annual and weekly plans",
    "currency without a rate for its day",
    "duplicate delivery (files)",
    "duplicate delivery (REST)",
    "hard delete",
    "late-arriving event",
    "merged account",
    "merged ticket",
    "mid-month change",
    "orphan foreign key",
    "parent with children",
    "priority change mid-ticket",
    "re-delivered file",
    "reactivation after churn",
    "refund",
    "reopened ticket",
    "spike of tickets after app version 1.2",
    "stage re-entered",
    "text with quotes, newlines and emoji",
    "ticket over a daylight-saving switch",
    "ticket over a weekend",
    "trial that never converts",
    "two stage changes in one second",
    "two subscriptions of which one ends",
    "unanswered survey",
    "upgrade by replacement",
}


@pytest.mark.parametrize("as_of", ["2026-10-01", "2027-02-14"])
@pytest.mark.parametrize("scale", [0.02, 0.3])
def test_the_document_lists_existing_rows(tmp_path: Path, scale: float, as_of: str) -> None:
    company = generate(scale, 5, datetime.fromisoformat(as_of).replace(tzinfo=UTC))
    write_csv(company, tmp_path)
    keys: dict[str, set[str]] = {}
    for name, table in TABLES.items():
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            keys[name] = {row[table.id] for row in csv.DictReader(file)}
    document = (tmp_path / "demo_cases.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| (\w+) \| `([^`]+)` \| ([^|]+) \| .+ \|$", document, re.MULTILINE)
    assert len(named) == len(company.cases) > 40
    for table_name, key, where in named:
        assert (key in keys[table_name]) == (not where.startswith("deleted")), (table_name, key)
    headings = {line[3:].lower() for line in document.splitlines() if line.startswith("## ")}
    assert headings == {title.lower() for title in TITLES}


@pytest.fixture(scope="module")
def found(company: Company) -> dict[str, list[dict[str, Any]]]:
    """The rows of each case, by title, in the order of demo_cases.md."""
    by_table = {name: {row[table.id]: row for row in company.tables[name].to_pylist()} for name, table in TABLES.items()}
    result = defaultdict(list)
    for case in company.cases:
        if case.where == "table":
            result[case.title].append(by_table[case.table][case.key])
    return result


def mrr(subscriptions: list[dict[str, Any]], account: str, end: datetime) -> Decimal:
    """The MRR of an account at a month's end, for monthly plans only."""
    total = Decimal(0)
    for row in subscriptions:
        if row["account_id"] == account and row["started_at"] < end and (row["ended_at"] is None or end <= row["ended_at"]):
            assert row["billing_interval"] == "month"
            total += row["quantity"] * row["unit_amount"] * (1 - row["discount_pct"] / 100)
    return total


def test_the_golden_account_has_the_mrr_of_the_definition(company: Company, found: dict[str, list[dict[str, Any]]]) -> None:
    account = next(row["account_id"] for row in found["reactivation after churn"] if "name" in row)
    subscriptions = company.tables["subscriptions"].to_pylist()
    ends = [datetime(2026, month + 1, 1, tzinfo=UTC) for month in range(1, 7)]
    assert [mrr(subscriptions, account, end) for end in ends] == [100, 150, 0, 120, 200, 80]


def test_subscription_cases(company: Company, found: dict[str, list[dict[str, Any]]]) -> None:
    assert [row["billing_interval"] for row in found["annual and weekly plans"]] == ["year", "week", "quarter"]
    for row in found["trial that never converts"]:
        assert row["ended_at"] == row["trial_ends_at"]
        assert row["subscription_id"] not in company.tables["invoices"]["subscription_id"].to_pylist()
    before, after = found["mid-month change"]
    assert after["replaces_subscription_id"] == before["subscription_id"]
    assert before["ended_at"].day == 14
    first, second = found["upgrade by replacement"]
    assert second["replaces_subscription_id"] == first["subscription_id"]


def test_account_cases(company: Company, found: dict[str, list[dict[str, Any]]]) -> None:
    source, target = found["merged account"]
    assert source["merged_into_account_id"] == target["account_id"]
    parent, *children = found["parent with children"]
    assert [child["parent_account_id"] for child in children] == [parent["account_id"]] * 2


def test_sales_cases(company: Company, found: dict[str, list[dict[str, Any]]]) -> None:
    history = company.tables["deal_stage_history"].to_pylist()

    def stages(deal: dict[str, Any]) -> list[dict[str, Any]]:
        changes = [row for row in history if row["deal_id"] == deal["deal_id"]]
        return sorted(changes, key=lambda row: (row["changed_at"], row["history_id"]))

    reentered = [row["to_stage"] for row in stages(found["stage re-entered"][0])]
    assert reentered.count("qualification") == reentered.count("proposal") == 2
    changes = stages(found["two stage changes in one second"][0])
    assert changes[1]["changed_at"] == changes[2]["changed_at"]
    assert [row["to_stage"] for row in changes] == ["prospecting", "qualification", "proposal", "closed_lost"]
    assert found["refund"][0]["status"] == "refunded"


def test_currency_cases(company: Company, found: dict[str, list[dict[str, Any]]]) -> None:
    rates = {(row["rate_date"], row["currency"]) for row in company.tables["fx_rates"].to_pylist()}
    never, weekend = found["currency without a rate for its day"]
    assert not any(day <= never["ordered_at"].date() for day, currency in rates if currency == never["currency"])
    saturday = weekend["ordered_at"].date()
    assert (saturday, weekend["currency"]) not in rates
    assert (saturday - timedelta(days=1), weekend["currency"]) in rates


def test_support_cases(company: Company, found: dict[str, list[dict[str, Any]]]) -> None:
    weekend = found["ticket over a weekend"][0]
    assert weekend["resolved_at"] - weekend["created_at"] == timedelta(minutes=3800)
    spring, autumn = found["ticket over a daylight-saving switch"]
    assert spring["resolved_at"] - spring["created_at"] == timedelta(minutes=3810)
    assert autumn["resolved_at"] - autumn["created_at"] == timedelta(minutes=4020)
    assert found["reopened ticket"][0]["reopened_count"] == 1
    changed = found["priority change mid-ticket"][0]
    changes = [row for row in company.tables["ticket_priority_changes"].to_pylist() if row["ticket_id"] == changed["ticket_id"]]
    assert [row["to_priority"] for row in sorted(changes, key=lambda row: row["changed_at"])] == ["low", "critical", "high"]
    assert changed["priority"] == "high"
    assert [row["responded_at"] for row in found["unanswered survey"]] == [None, None]


def test_version_1_2_causes_a_spike(company: Company) -> None:
    organizations = company.tables["organizations"]["organization_id"].to_pylist()
    daily: dict[tuple[str, Any], int] = defaultdict(int)
    for ticket in company.tables["tickets"].to_pylist():
        daily[ticket["organization_id"], ticket["created_at"].date()] += 1
    release = datetime(2026, 6, 16, tzinfo=UTC).date()
    for organization in organizations:
        usual = [daily[organization, release - timedelta(days=7 * week)] for week in range(1, 5)]
        assert daily[organization, release] >= 10
        assert daily[organization, release] > 2 * max(usual)


def test_awkward_text_has_quotes_newlines_emoji_and_backslashes(found: dict[str, list[dict[str, Any]]]) -> None:
    text = found["text with quotes, newlines and emoji"][1]["subject"]
    assert '"' in text and "\n\n" in text and "🔥" in text and "\\" in text
