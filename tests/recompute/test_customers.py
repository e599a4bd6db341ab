"""mart_customer_360, fct_activities, fct_invoices and fct_survey_responses on hand-worked rows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.recompute.activities import fct_activities
from tests.recompute.customers import mart_customer_360
from tests.recompute.factory import account, activity, at, contact, deal, invoice, order, organization, survey, ticket
from tests.recompute.invoices import fct_invoices
from tests.recompute.sources import Row, SourceData
from tests.recompute.surveys import fct_survey_responses


def sources(**tables: list[Row]) -> SourceData:
    children = [account(), account(account_id="child", parent_account_id="a")]
    return SourceData.of(datetime(2026, 9, 15, tzinfo=UTC), organizations=[organization()], accounts=children, **tables)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_an_account_has_its_own_figures_only() -> None:
    parent, child = mart_customer_360(
        sources(orders=[order("1", "2026-06-17", "10"), order("2", "2026-06-16", "20", account_id="child")])
    )
    # Ninety days before the 15th of September is the 17th of June.
    assert values(parent, "order_count", "order_revenue", "recent_order_count", "days_since_last_order") == (1, 10, 1, 89)
    assert values(child, "order_revenue", "recent_order_count", "top_account_id") == (20, 0, "a")


def test_an_account_without_activity_has_a_row() -> None:
    row = mart_customer_360(sources())[1]
    assert values(row, "deal_count", "order_revenue", "invoiced_amount", "ticket_count") == (0, 0, 0, 0)
    assert values(row, "deal_win_rate_pct", "average_order_value", "last_ordered_at", "last_nps_score") == (
        None,
        None,
        None,
        None,
    )


def test_contacts_deals_and_invoices() -> None:
    contacts = [contact(), contact(contact_id="y", is_primary=True), contact(contact_id="x", is_primary=True, title="CFO")]
    deals = [deal("closed_won", "2026-08-01"), deal("proposal", "2026-08-01", deal_id="e")]
    invoices = [invoice("open", "2026-08-01", amount_paid=Decimal(19)), invoice("draft", "2026-08-01", invoice_id="m")]
    row = mart_customer_360(sources(contacts=contacts, deals=deals, invoices=invoices))[0]
    assert values(row, "contact_count", "primary_contact_id", "primary_contact_title") == (3, "x", "CFO")
    assert values(row, "open_deal_amount", "weighted_open_deal_amount", "deal_win_rate_pct") == (100, 50, 100)
    assert values(row, "invoice_count", "outstanding_amount", "overdue_invoice_count") == (1, 100, 1)


def test_activities_tickets_and_surveys() -> None:
    activities = [
        activity("completed", "2026-09-01", completed_at="2026-09-02"),
        activity("planned", "2026-01-01", activity_id="w", due_at="2026-09-14"),
    ]
    tickets = [ticket("2026-09-01", account_id="a"), ticket("2026-06-01", account_id="a", ticket_id="l", csat_score=4)]
    surveys = [
        survey("nps", 9, "2026-09-01"),
        survey("nps", 3, "2026-09-02", response_id="r"),
        survey("nps", 11, "2026-09-03", response_id="q"),
    ]
    row = mart_customer_360(sources(activities=activities, tickets=tickets, survey_responses=surveys))[0]
    assert values(row, "activity_count", "recent_activity_count", "overdue_activity_count") == (2, 1, 1)
    assert row["last_activity_at"] == at("2026-09-02")
    assert values(row, "recent_ticket_count", "earlier_ticket_count", "recent_breached_ticket_count") == (1, 1, 1)
    assert values(row, "mean_csat_score", "last_nps_score", "last_nps_class") == (4, 3, "detractor")


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


def test_a_survey_answered_at_as_of_counts_as_unanswered() -> None:
    surveys = [survey("csat", 4, "2026-09-14T23:59:59"), survey("csat", 4, "2026-09-15", response_id="r", comment="Fine")]
    rows = fct_survey_responses(sources(survey_responses=surveys))
    assert [values(row, "is_responded", "score", "score_class", "comment") for row in rows] == [
        (True, 4, "satisfied", None),
        (False, None, None, None),
    ]
