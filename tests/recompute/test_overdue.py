"""The flag is_overdue of fct_activities and fct_invoices on hand-worked rows: golden cases take it from staging."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.recompute.activities import fct_activities
from tests.recompute.factory import account, activity, invoice, organization
from tests.recompute.invoices import fct_invoices
from tests.recompute.sources import Row, SourceData


def sources(**tables: list[Row]) -> SourceData:
    children = [account(), account(account_id="child", parent_account_id="a")]
    return SourceData.of(datetime(2026, 9, 15, tzinfo=UTC), organizations=[organization()], accounts=children, **tables)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_only_a_planned_activity_is_overdue() -> None:
    due = {"due_at": "2026-09-14"}
    rows = fct_activities(
        sources(
            activities=[activity("planned", "2026-09-01", **due), activity("cancelled", "2026-09-01", activity_id="w", **due)]
        )
    )
    assert [values(row, "is_overdue", "user_id", "account_key") for row in rows] == [
        (True, "unknown", "t|a"),
        (False, "unknown", "t|a"),
    ]


def test_drafts_and_voids_are_no_revenue_and_an_open_invoice_becomes_overdue() -> None:
    states = ("draft", "open", "paid", "void", "uncollectible")
    rows = fct_invoices(sources(invoices=[invoice(state, "2026-08-01", invoice_id=state) for state in states]))
    assert [values(row, "is_revenue", "is_paid", "is_overdue") for row in rows] == [
        (False, False, False),
        (True, False, True),
        (True, True, False),
        (False, False, False),
        (True, False, False),
    ]
