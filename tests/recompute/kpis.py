"""The KPI marts by facility and month: pipeline, revenue, outreach, compliance, and all of them combined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from tests.recompute.checks import fct_compliance_checks
from tests.recompute.deals import fct_deals
from tests.recompute.grouping import counted, grouped, known, total
from tests.recompute.invoices import fct_invoices
from tests.recompute.leads import fct_leads
from tests.recompute.money import mean, percentile
from tests.recompute.months import month_end, month_of
from tests.recompute.orders import charges, fct_orders
from tests.recompute.outreach import fct_outreach
from tests.recompute.recorded import recorded
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants, share

PLACE = ("organization_id", "facility_id", "month")
HALF = Fraction(1, 2)
Groups = dict[tuple[str, str, date], list[Row]]


def by_place(sources: SourceData, rows: Iterable[Row], moment: str) -> Groups:
    """Rows grouped by organization, facility and the month of a timestamp column. Timestamps from as_of on are left out."""
    dated = [{**row, "month": month_of(row[moment])} for row in rows if row[moment] is not None and row[moment] < sources.as_of]
    return grouped(dated, *PLACE)


def weighted_leads(leads: Iterable[Row]) -> Fraction:
    """The weighted amount of leads: amount × win probability × stage weight, where there is a rate."""
    return sum(
        (
            lead["amount_reporting"] * Fraction(lead["win_probability"] * lead["stage_weight"])
            for lead in leads
            if lead["has_rate"] and lead["stage"] != UNKNOWN
        ),
        Fraction(0),
    )


def _rows(sources: SourceData, places: Iterable[tuple[str, str, date]], figures: Callable[..., Row]) -> list[Row]:
    tenants = Tenants(sources)
    return [
        {
            "organization_id": tenant,
            "facility_id": facility,
            "facility_name": tenants.facility_name(tenant, facility),
            "month": month,
            "is_complete": month_end(month) <= sources.as_of,
            "reporting_currency": tenants.reporting_currency(tenant),
            **figures((tenant, facility, month)),
        }
        for tenant, facility, month in places
    ]


@model
def mart_pipeline_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_pipeline_kpis, by organization, facility and month."""
    leads = by_place(sources, fct_leads(sources), "created_at")
    deals = by_place(sources, fct_deals(sources), "created_at")
    closed = by_place(sources, fct_deals(sources), "closed_at")

    def figures(place: tuple[str, str, date]) -> Row:
        created, begun, ended = (groups.get(place, []) for groups in (leads, deals, closed))
        won = [deal for deal in ended if deal["is_won"]]
        return {
            "lead_count": len(created),
            "sql_count": counted(created, "reached_sql"),
            "opportunity_count": counted(created, "reached_opportunity"),
            "won_lead_count": counted(created, "is_won"),
            "lost_lead_count": counted(created, "is_lost"),
            "open_lead_count": counted(created, "is_open"),
            "unknown_stage_lead_count": sum(lead["stage"] == UNKNOWN for lead in created),
            "lead_amount": total(created, "amount_reporting"),
            "open_lead_amount": total((lead for lead in created if lead["is_open"]), "amount_reporting"),
            "weighted_lead_amount": weighted_leads(created),
            "leads_without_rate": len(created) - counted(created, "has_rate"),
            "lead_conversion_pct": share(counted(created, "is_won"), len(created)),
            "deal_count": len(begun),
            "deal_amount": total(begun, "amount_reporting"),
            "deals_without_rate": len(begun) - counted(begun, "has_rate"),
            "won_deal_count": len(won),
            "lost_deal_count": len(ended) - len(won),
            "deal_win_rate_pct": share(len(won), len(ended)),
            "won_deal_amount": total(won, "amount_reporting"),
            "won_deals_without_rate": len(won) - counted(won, "has_rate"),
            "median_sales_cycle_days": percentile(known(ended, "sales_cycle_days"), HALF),
        }

    return _rows(sources, leads.keys() | deals.keys() | closed.keys(), figures)


def _at_owner(sources: SourceData, rows: Iterable[Row]) -> list[Row]:
    """The rows that count as revenue, each with the facility of the account owner."""
    tenants = Tenants(sources)
    placed: list[Row] = []
    for row in rows:
        tenant = row["organization_id"]
        account = tenants.row("accounts", tenant, row["account_id"])
        owner = tenants.row("users", tenant, account["owner_user_id"]) if account else None
        if row["is_revenue"]:
            placed.append({**row, **tenants.facility(tenant, owner["facility_id"] if owner else None)})
    return placed


@model
def mart_revenue_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_revenue_kpis, by organization, facility and month."""
    invoices = by_place(sources, _at_owner(sources, fct_invoices(sources)), "issued_at")
    orders = by_place(sources, _at_owner(sources, fct_orders(sources)), "ordered_at")

    def figures(place: tuple[str, str, date]) -> Row:
        issued, placed = invoices.get(place, []), orders.get(place, [])
        billed = [invoice for invoice in issued if invoice["has_rate"]]
        bought = [order for order in placed if order["has_rate"]]
        invoiced, paid = total(billed, "total_amount_reporting"), total(billed, "amount_paid_reporting")
        revenue, customers = total(bought, "revenue_amount"), {order["account_id"] for order in bought} - {None}
        return {
            "invoice_count": len(billed),
            "invoiced_amount": invoiced,
            "invoiced_net_amount": total(billed, "subtotal_amount_reporting"),
            "paid_amount": paid,
            "outstanding_amount": invoiced - paid,
            "collection_rate_pct": share(paid, invoiced),
            "paid_invoice_count": counted(billed, "is_paid"),
            "overdue_invoice_count": counted(billed, "is_overdue"),
            "invoices_without_rate": len(issued) - len(billed),
            "order_count": len(bought),
            "order_revenue": revenue,
            **charges(bought),
            "orders_without_rate": len(placed) - len(bought),
            "customer_count": len(customers),
            "average_order_value": revenue / len(bought) if bought else None,
            "average_revenue_per_customer": revenue / len(customers) if customers else None,
        }

    return _rows(sources, invoices.keys() | orders.keys(), figures)


@model
def mart_outreach_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_outreach_kpis, by organization, facility and month."""
    outreach = by_place(sources, fct_outreach(sources), "sent_at")

    def figures(place: tuple[str, str, date]) -> Row:
        sent = outreach[place]
        responded, converted = counted(sent, "is_responded"), counted(sent, "is_converted")
        hours = known(sent, "hours_to_response")
        return {
            "outreach_count": len(sent),
            "responded_count": responded,
            "converted_count": converted,
            "response_rate_pct": share(responded, len(sent)),
            "conversion_rate_pct": share(converted, len(sent)),
            "rep_count": len({row["rep_user_id"] for row in sent} - {UNKNOWN}),
            "outreach_without_rep": sum(row["rep_user_id"] == UNKNOWN for row in sent),
            "lead_count": len({row["lead_id"] for row in sent} - {None}),
            "mean_hours_to_response": mean(hours),
            "median_hours_to_response": percentile(hours, HALF),
        }

    return _rows(sources, outreach, figures)


def due_checks(sources: SourceData) -> Groups:
    """The compliance checks by facility and due month, up to the month of the as-of time."""
    last = month_of(sources.as_of - timedelta(microseconds=1))
    checks = [{**check, "month": check["due_month"]} for check in fct_compliance_checks(sources)]
    return grouped((check for check in checks if check["month"] is not None and check["month"] <= last), *PLACE)


def passed_failed_overdue(checks: Sequence[Row]) -> Row:
    """The number of passed, failed and overdue checks, and the share that passed. None if there are checks, and the result of all is unknown."""
    names = ("passed_count", "failed_count", "overdue_count")
    results = [check["counts_as"] for check in checks]
    if results and set(results) == {UNKNOWN}:
        return dict.fromkeys((*names, "compliance_rate_pct"))
    counts = {name: results.count(name.removesuffix("_count")) for name in names}
    return {**counts, "compliance_rate_pct": share(counts["passed_count"], sum(counts.values()))}


def _completed_late(checks: Sequence[Row]) -> int | None:
    """The number of completed checks that were late. None if none says when, or if the result of all checks is unknown."""
    completed = [check for check in checks if check["counts_as"] in {"passed", "failed"}]
    dated = [check for check in completed if check["completed_at"] is not None]
    if completed:
        return sum(check["completed_at"] > check["due_at"] for check in dated) if dated else None
    return None if {check["counts_as"] for check in checks} == {UNKNOWN} else 0


@model
def mart_compliance_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_compliance_kpis, by organization, facility and month."""
    due = due_checks(sources)

    def figures(place: tuple[str, str, date]) -> Row:
        checks = due[place]
        counts = passed_failed_overdue(checks)
        others = [check["status"] == "pending" for check in checks if check["counts_as"] == "other"]
        unknown = sum(check["counts_as"] == UNKNOWN for check in checks)
        nobody_knows = unknown == len(checks)
        return {
            **counts,
            "check_count": len(checks),
            "pending_count": None if nobody_knows else sum(others),
            "waived_count": None if nobody_knows else len(others) - sum(others),
            "unknown_status_check_count": unknown,
            "completed_late_count": _completed_late(checks),
        }

    return _rows(sources, due, figures)


# The columns of mart_combined_kpis: their mart, the kind of rows that they are about, the figures that are 0 without a row, and the rates that are NULL.
COMBINED: tuple[tuple[Callable[[SourceData], list[Row]], str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        mart_pipeline_kpis,
        "has_leads",
        ("lead_count", "won_lead_count", "weighted_lead_amount", "leads_without_rate"),
        ("lead_conversion_pct",),
    ),
    (mart_pipeline_kpis, "has_deals", ("deal_count",), ()),
    (
        mart_pipeline_kpis,
        "has_closings",
        ("won_deal_count", "lost_deal_count", "won_deal_amount", "won_deals_without_rate"),
        ("deal_win_rate_pct",),
    ),
    (
        mart_revenue_kpis,
        "has_invoices",
        ("invoice_count", "invoiced_amount", "outstanding_amount", "invoices_without_rate"),
        ("collection_rate_pct",),
    ),
    (
        mart_revenue_kpis,
        "has_orders",
        (
            *("order_count", "order_revenue", "orders_without_rate", "order_tax_amount", "order_shipping_amount"),
            *("order_charged_amount", "orders_without_charges"),
        ),
        ("average_order_value",),
    ),
    (
        mart_outreach_kpis,
        "has_outreach",
        ("outreach_count", "responded_count", "converted_count"),
        ("response_rate_pct", "conversion_rate_pct"),
    ),
    (
        mart_compliance_kpis,
        "has_compliance_checks",
        ("check_count", "passed_count", "failed_count", "overdue_count"),
        ("compliance_rate_pct",),
    ),
)


def mart_combined_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_combined_kpis, by organization, facility and month."""
    marts = {mart: mart(sources) for mart, *_ in COMBINED}
    found = [
        ({tuple(row[name] for name in PLACE): row for row in marts[mart]}, kind, sums, rates)
        for mart, kind, sums, rates in COMBINED
    ]
    kinds = {tenant: {**row, "has_closings": False} for tenant, row in recorded(sources).items()}
    for row in marts[mart_pipeline_kpis]:
        kinds[row["organization_id"]]["has_closings"] |= row["won_deal_count"] is not None

    def figures(place: tuple[str, str, date]) -> Row:
        combined: Row = {}
        for rows, kind, sums, rates in found:
            without = {**dict.fromkeys(sums, 0 if kinds[place[0]][kind] else None), **dict.fromkeys(rates)}
            row = rows.get(place, without)
            combined |= {name: row[name] for name in (*sums, *rates)}
        return combined

    return _rows(sources, {place for rows, _, _, _ in found for place in rows}, figures)
