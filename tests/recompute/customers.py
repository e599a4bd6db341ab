"""mart_customer_360: one row per account, with its contacts, sales, invoices, tickets and surveys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from tests.recompute.accounts import dim_accounts
from tests.recompute.activities import fct_activities
from tests.recompute.deals import fct_deals
from tests.recompute.grouping import counted, grouped, known, without_status
from tests.recompute.invoices import fct_invoices
from tests.recompute.known_sums import counted_where, difference, sum_where
from tests.recompute.money import mean
from tests.recompute.orders import charges, fct_orders
from tests.recompute.people import dim_contacts
from tests.recompute.recorded import recorded
from tests.recompute.signals import is_breached
from tests.recompute.sources import Row, SourceData
from tests.recompute.surveys import fct_survey_responses
from tests.recompute.tenants import share
from tests.recompute.tickets import fct_tickets

# The length of the recent period. It repeats a dbt var on purpose: a wrong value in either place shows as a difference.
RECENT = timedelta(days=90)
#: The time of an answer that says no time: before all others.
NEVER = datetime.min.replace(tzinfo=UTC)
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

    won, lost = counted_where(deals, "is_won"), counted_where(deals, "is_lost")
    return {
        "deal_count": len(deals),
        "open_deal_count": counted_where(deals, "is_open"),
        "unknown_stage_deal_count": sum(deal["stage"] == "unknown" for deal in deals),
        "open_deal_amount": sum_where(deals, "is_open", "amount_reporting"),
        "weighted_open_deal_amount": sum_where(deals, "is_open", "weighted_amount"),
        "won_deal_count": won,
        "won_deal_amount": sum_where(deals, "is_won", "amount_reporting"),
        "lost_deal_count": lost,
        "deals_without_rate": len(deals) - counted(deals, "has_rate"),
        "deal_win_rate_pct": share(won or 0, (won or 0) + (lost or 0)),
    }


def _activities(rows: list[Row], as_of: datetime) -> Row:
    activities = [activity for activity in rows if activity["created_at"] < as_of]
    done = [activity for activity in activities if activity["completed_at"] is not None]
    planned = [activity for activity in activities if activity["status"] == "planned"]
    has_status = any(activity["status"] is not None for activity in activities)
    is_done_without_time = any(activity["is_completed"] for activity in activities) and not done
    return {
        "activity_count": len(activities),
        "recent_activity_count": len(_recent(activities, "created_at", as_of)),
        "completed_activity_count": len(done) if done or (has_status and not is_done_without_time) else None,
        "overdue_activity_count": (counted_where(planned, "is_overdue") if planned else 0) if has_status else None,
        "last_activity_at": max((activity["completed_at"] for activity in done), default=None),
    }


def _orders(rows: list[Row], as_of: datetime) -> Row:
    orders = [order for order in rows if order["ordered_at"] < as_of]
    counting = [order for order in orders if order["is_revenue"]]
    bought = [order for order in counting if order["has_rate"]]
    is_known = any(order["is_revenue"] is not None for order in orders)
    moments = [order["ordered_at"] for order in counting]
    revenue, today = sum_where(orders, "is_revenue", "revenue_amount"), (as_of - timedelta(microseconds=1)).date()
    return {
        "order_count": len(bought) if is_known else None,
        "recent_order_count": len(_recent(bought, "ordered_at", as_of)) if is_known else None,
        "order_revenue": revenue,
        "order_tax_amount": _charge(counting, "tax_amount_reporting") if is_known else None,
        "order_shipping_amount": _charge(counting, "shipping_amount_reporting") if is_known else None,
        "order_charged_amount": _charge(counting, "total_amount_reporting") if is_known else None,
        "orders_without_charges": charges(bought)["orders_without_charges"] if is_known else None,
        "orders_without_rate": len(counting) - len(bought) if is_known else None,
        "average_order_value": revenue / len(bought) if bought and revenue is not None else None,
        "first_ordered_at": min(moments, default=None),
        "last_ordered_at": max(moments, default=None),
        "days_since_last_order": (today - max(moments).date()).days if moments else None,
    }


def _charge(orders: list[Row], column: str) -> Fraction | None:
    """The sum of a charge over the orders that have a rate; None if there are orders, and none of them says it."""
    values = known((order for order in orders if order["has_rate"]), column)
    return sum(values, Fraction(0)) if values or not orders else None


def _invoices(rows: list[Row], as_of: datetime) -> Row:
    invoices = [invoice for invoice in rows if invoice["issued_at"] < as_of]
    counting = [invoice for invoice in invoices if invoice["is_revenue"]]
    is_known = any(invoice["is_revenue"] is not None for invoice in invoices)
    owed = [
        {**each, "outstanding": difference(each["total_amount_reporting"], each["amount_paid_reporting"])} for each in invoices
    ]
    overdue = counted_where(counting, "is_overdue") if counting else 0
    return {
        "invoice_count": counted(counting, "has_rate") if is_known else None,
        "invoiced_amount": sum_where(invoices, "is_revenue", "total_amount_reporting"),
        "paid_amount": _charge(counting, "amount_paid_reporting") if is_known else None,
        "outstanding_amount": sum_where(owed, "is_revenue", "outstanding"),
        "overdue_invoice_count": overdue if is_known else None,
        "invoices_without_rate": len(counting) - counted(counting, "has_rate") if is_known else None,
    }


def _tickets(rows: list[Row], as_of: datetime) -> Row:
    tickets = [ticket for ticket in rows if ticket["created_at"] < as_of]
    recent = _recent(tickets, "created_at", as_of)
    return {
        "ticket_count": len(tickets),
        "open_ticket_count": counted_where(tickets, "is_open"),
        "merged_ticket_count": counted(tickets, "is_merged"),
        "unknown_status_ticket_count": without_status(tickets),
        "recent_ticket_count": len(recent),
        "earlier_ticket_count": len(_recent(tickets, "created_at", as_of - RECENT)),
        "recent_breached_ticket_count": counted_where(recent, is_breached) if recent else 0,
        "mean_csat_score": mean(known((row for row in tickets if row["csat_tier"] is not None), "csat_score")),
        "last_ticket_at": max((ticket["created_at"] for ticket in tickets), default=None),
    }


def _surveys(rows: list[Row], as_of: datetime) -> Row:
    del as_of
    scored = [survey for survey in rows if survey["survey_type"] == "nps" and survey["score_class"] is not None]
    last = max(scored, key=lambda survey: (survey["responded_at"] or NEVER, survey["response_id"]), default={})
    return {
        "last_nps_score": last.get("score"),
        "last_nps_class": last.get("score_class"),
        "last_nps_at": last.get("responded_at"),
    }


#: The rows, whether an organization has any of them, and the figures of an account about them.
PARTS: tuple[tuple[Callable[[SourceData], list[Row]], str, Callable[[list[Row], datetime], Row]], ...] = (
    (dim_contacts, "has_contacts", _contacts),
    (fct_deals, "has_deals", _deals),
    (fct_activities, "has_activities", _activities),
    (fct_orders, "has_orders", _orders),
    (fct_invoices, "has_invoices", _invoices),
    (fct_tickets, "has_tickets", _tickets),
    (fct_survey_responses, "has_surveys", _surveys),
)


def mart_customer_360(sources: SourceData) -> list[Row]:
    """The rows of mart_customer_360, by account_id. Figures of child accounts are not included."""
    parts = [(grouped(table(sources), "organization_id", "account_id"), kind, figures) for table, kind, figures in PARTS]
    kinds = recorded(sources)
    rows: list[Row] = []
    for account in dim_accounts(sources):
        row = {name: account[name] for name in ATTRIBUTES}
        for groups, kind, figures in parts:
            own = groups.get((account["organization_id"], account["account_id"]), [])
            # Rows that are not seen yet are none.
            found = figures(own, sources.as_of) if own else _nothing(figures, sources.as_of)
            row |= found if kinds[account["organization_id"]][kind] else dict.fromkeys(found)
        rows.append(row)
    return rows


def _nothing(figures: Callable[[list[Row], datetime], Row], as_of: datetime) -> Row:
    """The figures of an account without such rows: counts and sums are 0."""
    found = figures([], as_of)
    zero = ("_count", "_amount", "_charges", "_rate", "order_revenue")
    return {name: 0 if name.endswith(zero) else value for name, value in found.items()}
