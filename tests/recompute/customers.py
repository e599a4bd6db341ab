"""mart_customer_360: one row per account, with its contacts, sales, invoices, tickets and surveys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from tests.recompute.accounts import dim_accounts
from tests.recompute.activities import fct_activities
from tests.recompute.deals import fct_deals
from tests.recompute.grouping import counted, grouped, known, total, without_status
from tests.recompute.invoices import fct_invoices
from tests.recompute.money import mean
from tests.recompute.orders import charges, fct_orders
from tests.recompute.people import dim_contacts
from tests.recompute.sources import Row, SourceData
from tests.recompute.surveys import fct_survey_responses
from tests.recompute.tenants import share
from tests.recompute.tickets import fct_tickets

# The length of the recent period. It repeats a dbt var on purpose: a wrong value in either place shows as a difference.
RECENT = timedelta(days=90)
ATTRIBUTES = (
    *("account_key", "organization_id", "account_id", "account_name", "account_category", "segment", "plan_tier"),
    *("revenue_band", "industry", "region", "country", "owner_user_id", "owner_name", "top_account_id"),
    *("is_top_account", "signup_date", "reporting_currency"),
)


def _recent(rows: Iterable[Row], moment: str, as_of: datetime) -> list[Row]:
    return [row for row in rows if as_of - RECENT <= row[moment] < as_of]


def _contacts(contacts: list[Row], as_of: datetime) -> Row:
    del as_of
    first = min((row for row in contacts if row["is_primary"]), key=lambda row: row["contact_id"], default={})
    return {
        "contact_count": len(contacts),
        "primary_contact_id": first.get("contact_id"),
        "primary_contact_name": first.get("full_name"),
        "primary_contact_title": first.get("title"),
    }


def _deals(rows: list[Row], as_of: datetime) -> Row:
    deals = [deal for deal in rows if deal["created_at"] < as_of]
    open_deals, won = [deal for deal in deals if deal["is_open"]], [deal for deal in deals if deal["is_won"]]
    lost = counted(deals, "is_lost")
    return {
        "deal_count": len(deals),
        "open_deal_count": len(open_deals),
        "unknown_stage_deal_count": sum(deal["stage"] == "unknown" for deal in deals),
        "open_deal_amount": total(open_deals, "amount_reporting"),
        "weighted_open_deal_amount": total(open_deals, "weighted_amount"),
        "won_deal_count": len(won),
        "won_deal_amount": total(won, "amount_reporting"),
        "lost_deal_count": lost,
        "deals_without_rate": len(deals) - counted(deals, "has_rate"),
        "deal_win_rate_pct": share(len(won), len(won) + lost),
    }


def _activities(rows: list[Row], as_of: datetime) -> Row:
    activities = [activity for activity in rows if activity["created_at"] < as_of]
    completed = [activity["completed_at"] for activity in activities if activity["completed_at"] is not None]
    return {
        "activity_count": len(activities),
        "recent_activity_count": len(_recent(activities, "created_at", as_of)),
        "completed_activity_count": len(completed),
        "overdue_activity_count": counted(activities, "is_overdue"),
        "last_activity_at": max(completed, default=None),
    }


def _orders(rows: list[Row], as_of: datetime) -> Row:
    orders = [order for order in rows if order["is_revenue"] and order["ordered_at"] < as_of]
    bought = [order for order in orders if order["has_rate"]]
    moments = [order["ordered_at"] for order in orders]
    revenue, today = total(bought, "revenue_amount"), (as_of - timedelta(microseconds=1)).date()
    return {
        "order_count": len(bought),
        "recent_order_count": len(_recent(bought, "ordered_at", as_of)),
        "order_revenue": revenue,
        **charges(bought),
        "orders_without_rate": len(orders) - len(bought),
        "average_order_value": revenue / len(bought) if bought else None,
        "first_ordered_at": min(moments, default=None),
        "last_ordered_at": max(moments, default=None),
        "days_since_last_order": (today - max(moments).date()).days if moments else None,
    }


def _invoices(rows: list[Row], as_of: datetime) -> Row:
    invoices = [invoice for invoice in rows if invoice["is_revenue"] and invoice["issued_at"] < as_of]
    billed = [invoice for invoice in invoices if invoice["has_rate"]]
    invoiced, paid = total(billed, "total_amount_reporting"), total(billed, "amount_paid_reporting")
    return {
        "invoice_count": len(billed),
        "invoiced_amount": invoiced,
        "paid_amount": paid,
        "outstanding_amount": invoiced - paid,
        "overdue_invoice_count": counted(invoices, "is_overdue"),
        "invoices_without_rate": len(invoices) - len(billed),
    }


def _tickets(rows: list[Row], as_of: datetime) -> Row:
    tickets = [ticket for ticket in rows if ticket["created_at"] < as_of]
    recent = _recent(tickets, "created_at", as_of)
    return {
        "ticket_count": len(tickets),
        "open_ticket_count": counted(tickets, "is_open"),
        "merged_ticket_count": counted(tickets, "is_merged"),
        "unknown_status_ticket_count": without_status(tickets),
        "recent_ticket_count": len(recent),
        "earlier_ticket_count": len(_recent(tickets, "created_at", as_of - RECENT)),
        "recent_breached_ticket_count": sum("breached" in (row["response_state"], row["resolution_state"]) for row in recent),
        "mean_csat_score": mean(known((row for row in tickets if row["csat_tier"] is not None), "csat_score")),
        "last_ticket_at": max((ticket["created_at"] for ticket in tickets), default=None),
    }


def _surveys(rows: list[Row], as_of: datetime) -> Row:
    del as_of
    scored = [survey for survey in rows if survey["survey_type"] == "nps" and survey["score_class"] is not None]
    last = max(scored, key=lambda survey: (survey["responded_at"], survey["response_id"]), default={})
    return {
        "last_nps_score": last.get("score"),
        "last_nps_class": last.get("score_class"),
        "last_nps_at": last.get("responded_at"),
    }


PARTS: tuple[tuple[Callable[[SourceData], list[Row]], Callable[[list[Row], datetime], Row]], ...] = (
    (dim_contacts, _contacts),
    (fct_deals, _deals),
    (fct_activities, _activities),
    (fct_orders, _orders),
    (fct_invoices, _invoices),
    (fct_tickets, _tickets),
    (fct_survey_responses, _surveys),
)


def mart_customer_360(sources: SourceData) -> list[Row]:
    """The rows of mart_customer_360, by account_id. Figures of child accounts are not included."""
    parts = [(grouped(table(sources), "organization_id", "account_id"), figures) for table, figures in PARTS]
    rows: list[Row] = []
    for account in dim_accounts(sources):
        row = {name: account[name] for name in ATTRIBUTES}
        for groups, figures in parts:
            row |= figures(groups.get((account["organization_id"], account["account_id"]), []), sources.as_of)
        rows.append(row)
    return rows
