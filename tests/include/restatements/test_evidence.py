"""Which source rows count otherwise in which month, by the declared rows and the real raw tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.ingestion.raw import RawTables
from include.ops import append, ensure_tables
from include.restatements import load_figures
from include.restatements.evidence import Publication, changed_rows, explain, months_of
from include.settings import ROOT
from include.sources import load_sources
from tests.warehouse import connected

JULY, AUGUST, SEPTEMBER = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)
AS_OF = datetime(2026, 10, 2, tzinfo=UTC)
PREVIOUS = Publication("nightly__1", datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 1, 3, tzinfo=UTC), "c1")
FIGURES = load_figures()
SUBSCRIPTION = {"organization_id": "acme", "quantity": 1, "status": "active", "started_at": "2026-01-10"}
TICKET = {"organization_id": "acme", "priority": "high", "status": "open", "created_at": "2026-09-10"}


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A client of a warehouse with the raw tables of billing, CRM and support, empty, and the words of `subscription_statuses`."""
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    with connected(monkeypatch) as client:
        for name in ("billing", "crm", "support"):
            source = load_sources()[name]
            for table in client.list_tables(source.dataset) if source.dataset in _datasets(client) else ():
                client.delete_table(table.reference)
            RawTables(source, client).ensure()
        with (ROOT / "dbt" / "seeds" / "subscription_statuses.csv").open() as seed:
            words = ", ".join(f"('{row['status']}', '{row['means']}')" for row in csv.DictReader(seed))
        client.query(
            "create or replace table core.subscription_statuses (status string, means string);"
            f"insert into core.subscription_statuses values {words}"
        ).result()
        yield client


def _datasets(bq: Client) -> set[str]:
    return {dataset.dataset_id for dataset in bq.list_datasets()}


def load(bq: Client, table: str, day: int, deleted: bool = False, **values: Any) -> None:
    """Load a version at 01:00 of a day of October; it was changed the noon before, or at the given `updated_at`."""
    loaded, changed = (
        f"2026-10-{day:02} 01:00:00+00",
        "2026-09-30 12:00:00+00" if day == 1 else f"2026-10-{day - 1:02} 12:00:00+00",
    )
    of_load = {
        "_loaded_at": loaded,
        "_extracted_at": loaded,
        "_batch_id": f"b{day}",
        "_is_deleted": deleted,
        "updated_at": changed,
    }
    row = of_load | values
    types = {field.name: field.field_type for field in bq.get_table(table).schema}
    cast = ", ".join(
        f"cast('{value}' as {types[name].replace('INTEGER', 'INT64').replace('BOOLEAN', 'BOOL')})" for name, value in row.items()
    )
    bq.query(f"insert into {table} ({', '.join(row)}) select {cast}").result()


def found(bq: Client, *names: str) -> list[tuple[str, int, str, list[str]]]:
    """Month, number and reason of the rows that count otherwise, and their keys."""
    rows = changed_rows(FIGURES, names, [JULY, AUGUST, SEPTEMBER], AS_OF, PREVIOUS, bq)
    return sorted((f"{row['month']:%Y-%m}", row["row_count"], row["reason"], list(row["first_rows"])) for row in rows)


def test_a_subscription_counts_in_the_months_at_whose_end_it_is_in_force(bq: Client) -> None:
    table = "raw_billing.subscriptions"
    load(bq, table, 1, subscription_id="cut", **SUBSCRIPTION)
    load(bq, table, 2, subscription_id="cut", **SUBSCRIPTION | {"status": "cancelled", "ended_at": "2026-08-20"})
    load(bq, table, 2, subscription_id="late", **SUBSCRIPTION | {"started_at": "2026-09-05"})
    load(bq, table, 1, subscription_id="gone", **SUBSCRIPTION | {"started_at": "2026-09-05"})
    load(bq, table, 2, deleted=True, subscription_id="gone", organization_id="acme")
    assert found(bq, "subscriptions") == [
        ("2026-08", 1, "status history", ["acme|cut"]),
        ("2026-09", 1, "deletion", ["acme|gone"]),
        ("2026-09", 1, "late arrival", ["acme|late"]),
        ("2026-09", 1, "status history", ["acme|cut"]),
    ]


def test_a_change_after_the_months_end_is_no_evidence(bq: Client) -> None:
    table = "raw_billing.subscriptions"
    changes = {
        "raised": {"quantity": 2},
        "paused": {"status": "paused"},
        "renewed": {"current_period_end": "2026-11-01"},
        "notice": {"cancelled_at": "2026-09-15", "current_period_end": "2026-09-20"},
        "cancelled": {"status": "canceled", "cancelled_at": "2026-09-15", "current_period_end": "2026-10-20"},
        "undated": {"status": "canceled"},
    }
    for key, change in changes.items():
        load(bq, table, 1, subscription_id=key, **SUBSCRIPTION)
        load(bq, table, 2, subscription_id=key, **SUBSCRIPTION | change)
    assert found(bq, "subscriptions") == []


def test_the_version_in_force_at_the_months_end_counts(bq: Client) -> None:
    """A version that arrives late counts from its own time until the next one."""
    table = "raw_billing.subscriptions"
    for key, change in {"paused": {"status": "paused"}, "raised": {"quantity": 2}}.items():
        load(bq, table, 1, subscription_id=key, updated_at="2026-07-10", **SUBSCRIPTION)
        load(bq, table, 1, subscription_id=key, updated_at="2026-09-10", **SUBSCRIPTION)
        load(bq, table, 2, subscription_id=key, updated_at="2026-08-10", **SUBSCRIPTION | change)
    assert found(bq, "subscriptions") == [
        ("2026-08", 1, "correction", ["acme|raised"]),
        ("2026-08", 1, "status history", ["acme|paused"]),
    ]


def test_the_first_version_counts_since_ever(bq: Client) -> None:
    table = "raw_billing.subscriptions"
    load(bq, table, 1, subscription_id="s1", updated_at="2026-09-10", **SUBSCRIPTION)
    load(bq, table, 2, subscription_id="s1", updated_at="2026-08-10", **SUBSCRIPTION | {"quantity": 2})
    assert found(bq, "subscriptions") == [
        ("2026-07", 1, "correction", ["acme|s1"]),
        ("2026-08", 1, "correction", ["acme|s1"]),
    ]


def test_a_cancellation_without_an_end_ends_at_the_later_of_its_other_dates(bq: Client) -> None:
    table = "raw_billing.subscriptions"
    load(bq, table, 1, subscription_id="s1", **SUBSCRIPTION)
    dates = {"cancelled_at": "2026-07-20", "current_period_end": "2026-08-20"}
    load(bq, table, 2, subscription_id="s1", **SUBSCRIPTION | {"status": "Non-Renewing"} | dates)
    assert found(bq, "subscriptions") == [
        ("2026-08", 1, "status history", ["acme|s1"]),
        ("2026-09", 1, "status history", ["acme|s1"]),
    ]


def test_a_change_of_dates_alone_counts_in_the_months_that_it_enters_or_leaves(bq: Client) -> None:
    table = "raw_billing.subscriptions"
    load(bq, table, 1, subscription_id="s1", **SUBSCRIPTION)
    load(bq, table, 2, subscription_id="s1", **SUBSCRIPTION | {"ended_at": "2026-09-20"})
    load(bq, table, 1, subscription_id="s2", **SUBSCRIPTION | {"started_at": "2026-09-20"})
    load(bq, table, 2, subscription_id="s2", **SUBSCRIPTION | {"started_at": "2026-08-20"})
    load(bq, table, 1, subscription_id="s3", **SUBSCRIPTION | {"trial_ends_at": "2026-07-20"})
    load(bq, table, 2, subscription_id="s3", **SUBSCRIPTION | {"trial_ends_at": "2026-08-01"})
    assert found(bq, "subscriptions") == [
        ("2026-07", 1, "correction", ["acme|s3"]),
        ("2026-08", 1, "correction", ["acme|s2"]),
        ("2026-09", 1, "correction", ["acme|s1"]),
    ]


def test_an_open_ticket_counts_otherwise_as_time_passes(bq: Client) -> None:
    table = "raw_support.tickets"
    load(bq, table, 1, ticket_id="open", **TICKET)
    load(bq, table, 1, ticket_id="answered", **TICKET | {"first_responded_at": "2026-09-11"})
    load(bq, table, 1, ticket_id="resolved", **TICKET)
    load(bq, table, 2, ticket_id="resolved", **TICKET | {"status": "resolved", "resolved_at": "2026-10-01"})
    assert found(bq, "unresolved_tickets") == [
        ("2026-09", 1, "status history", ["acme|resolved"]),
        ("2026-09", 2, "as-of time", ["acme|answered", "acme|open"]),
    ]
    assert found(bq, "unanswered_tickets") == [
        ("2026-09", 1, "as-of time", ["acme|open"]),
        ("2026-09", 1, "status history", ["acme|resolved"]),
    ]


def test_a_version_that_changed_after_the_former_as_of_time_was_not_seen_then(bq: Client) -> None:
    """It was loaded in time, but the publication before did not report on its instant."""
    table = "raw_billing.subscriptions"
    load(bq, table, 1, subscription_id="s1", **SUBSCRIPTION)
    load(bq, table, 1, subscription_id="s1", updated_at="2026-10-01 00:30:00", **SUBSCRIPTION | {"ended_at": "2026-09-20"})
    assert found(bq, "subscriptions") == [("2026-09", 1, "correction", ["acme|s1"])]


def test_a_figure_counts_its_month_its_cohort_and_the_months_before() -> None:
    by_metric = {figure.metric: figure for figure in FIGURES.figures}

    def months(metric: str, name: str, month: date, part: str = "total") -> set[date]:
        return months_of(by_metric[metric], FIGURES.rows[name], month, part)

    january, year_before = date(2026, 1, 1), date(2025, 1, 1)
    assert months("mrr", "subscriptions", SEPTEMBER) == months("mrr", "fx_rates", SEPTEMBER) == {SEPTEMBER}
    assert months("nrr", "subscriptions", january) == {january, year_before}
    assert months("nrr", "fx_rates", january) == months("grr", "fx_rates", january) == {year_before}
    assert months("cohort_logo_retention", "subscriptions", SEPTEMBER, "2026-07-01") == {JULY, SEPTEMBER}
    assert months("cohort_revenue_retention", "fx_rates", SEPTEMBER, "2026-07-01") == {JULY}


def test_only_rates_of_the_base_explain_a_retention_figure() -> None:
    (figure,) = (figure for figure in FIGURES.figures if figure.metric == "nrr")
    change = {"organization_id": "acme", "month": SEPTEMBER, "part": "total"}
    rate = {"name": "fx_rates", "organization_id": None, "reason": "exchange rate", "row_count": 1, "first_rows": ["EUR"]}
    late = change | {"name": "subscriptions", "reason": "late arrival", "row_count": 1, "first_rows": ["s"]}

    def reason(month: date) -> str:
        said = explain(FIGURES, figure, change, [rate | {"month": month}, late], AS_OF, "c1", PREVIOUS)
        return str(said["reason"])

    assert reason(SEPTEMBER) == "late arrival"
    assert reason(date(2025, 9, 1)) == "exchange rate"


def test_the_reason_is_that_of_most_rows_and_open_rows_come_last() -> None:
    (figure,) = (figure for figure in FIGURES.figures if figure.metric == "resolution_compliance")
    change = {"organization_id": "acme", "month": SEPTEMBER, "part": "total"}

    def reason(*counted: tuple[str, int], version: str = "c1", as_of: datetime = AS_OF) -> tuple[str, int | None, str | None]:
        changed = [
            change | {"name": "unresolved_tickets", "reason": name, "row_count": count, "first_rows": [name[0]]}
            for name, count in counted
        ]
        others = (
            [changed[0] | {"organization_id": "beta"}, changed[0] | {"month": JULY}, changed[0] | {"name": "orders"}]
            if changed
            else []
        )
        said = explain(FIGURES, figure, change, [*others, *changed], as_of, version, PREVIOUS)
        return said["reason"], said["row_count"], said["first_rows"]

    assert reason() == ("unknown", None, None)
    assert reason(("as-of time", 9)) == ("as-of time", 9, "unresolved_tickets a")
    assert reason(("as-of time", 9), ("correction", 1), ("deletion", 2)) == ("deletion", 2, "unresolved_tickets d")
    assert reason(("correction", 1), version="c2") == ("definition change", None, None)
    assert reason(("correction", 1), as_of=datetime(2026, 9, 30, tzinfo=UTC)) == ("as-of time", None, None)


def test_a_decision_on_accounts_is_evidence_in_every_month(bq: Client) -> None:
    ensure_tables(["crm"], bq)
    pair = {"organization_id": "acme", "account_id": "b1", "other_account_id": "c1", "is_same": True, "decided_by": "ann"}
    late = datetime(2026, 10, 1, 4, tzinfo=UTC)
    append("ops.account_decisions", [pair | {"decided_at": PREVIOUS.published_at}, pair | {"decided_at": late}], client=bq)
    rows = [
        row
        for row in changed_rows(FIGURES, ["accounts"], [AUGUST, SEPTEMBER], AS_OF, PREVIOUS, bq)
        if row["reason"] == "identity"
    ]
    found = sorted((row["organization_id"], row["month"], row["row_count"], list(row["first_rows"])) for row in rows)
    assert found == [("acme", AUGUST, 1, ["b1 and c1"]), ("acme", SEPTEMBER, 1, ["b1 and c1"])]
