"""The KPI marts by facility and month: pipeline, revenue, outreach, compliance, and all of them combined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.recompute.checks import fct_compliance_checks
from tests.recompute.deals import fct_deals
from tests.recompute.grouping import counted, counted_known, grouped, known
from tests.recompute.invoices import fct_invoices, invoice_figures
from tests.recompute.known_sums import percent, sum_of, total_known
from tests.recompute.leads import fct_leads
from tests.recompute.money import mean, percentile
from tests.recompute.months import month_end, month_of
from tests.recompute.orders import fct_orders, order_figures
from tests.recompute.outreach import fct_outreach
from tests.recompute.recorded import KINDS, recorded
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
    """The weighted amount of leads: amount × win probability × stage weight, where it is known."""
    return sum(
        (
            lead["amount_reporting"] * Fraction(lead["win_probability"] * lead["stage_weight"])
            for lead in leads
            if lead["amount_reporting"] is not None and lead["stage"] != UNKNOWN
        ),
        Fraction(0),
    )


def lead_figures(leads: list[Row]) -> Row:
    """The figures of leads by the month of their creation."""
    weighing = [lead for lead in leads if lead["amount_reporting"] is not None and lead["stage"] != UNKNOWN]
    won = counted_known(leads, "is_won")
    return {
        "lead_count": len(leads),
        "sql_count": counted_known(leads, "reached_sql"),
        "opportunity_count": counted_known(leads, "reached_opportunity"),
        "won_lead_count": won,
        "lost_lead_count": counted_known(leads, "is_lost"),
        "open_lead_count": counted_known(leads, "is_open"),
        "unknown_stage_lead_count": sum(lead["stage"] == UNKNOWN for lead in leads),
        "lead_amount": total_known(leads, "amount_reporting"),
        "open_lead_amount": sum_of(leads, "is_open", "amount_reporting"),
        "weighted_lead_amount": weighted_leads(weighing) if weighing or not leads else None,
        "leads_without_rate": len(leads) - counted(leads, "has_rate"),
        "lead_conversion_pct": percent(won, len(leads)),
    }


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
    kinds, with_closings = recorded(sources), _organizations_with_closings(sources)

    def figures(place: tuple[str, str, date]) -> Row:
        created, begun, ended = (groups.get(place, []) for groups in (leads, deals, closed))
        has, knows_closings = kinds.get(place[0], dict.fromkeys(KINDS, False)), place[0] in with_closings
        return {
            **(lead_figures(created) if has["has_leads"] else dict.fromkeys(lead_figures([]))),
            **(_begun(begun) if has["has_deals"] else dict.fromkeys(_begun([]))),
            **(_closed(ended) if knows_closings else dict.fromkeys(_closed([]))),
        }

    return _rows(sources, leads.keys() | deals.keys() | closed.keys(), figures)


def _organizations_with_closings(sources: SourceData) -> set[str]:
    """The organizations whose deals say when they were closed, or that none was."""
    seen = grouped((deal for deal in fct_deals(sources) if deal["created_at"] < sources.as_of), "organization_id")
    return {
        tenant
        for (tenant,), deals in seen.items()
        if any(deal["is_closed"] and sees(sources, deal["closed_at"]) for deal in deals) or counted_known(deals, "is_closed") == 0
    }


def sees(sources: SourceData, moment: datetime | None) -> bool:
    """Whether an instant is known and before the as-of time."""
    return moment is not None and moment < sources.as_of


def _begun(deals: list[Row]) -> Row:
    return {
        "deal_count": len(deals),
        "deal_amount": total_known(deals, "amount_reporting"),
        "deals_without_rate": len(deals) - counted(deals, "has_rate"),
    }


def _closed(deals: list[Row]) -> Row:
    won = [deal for deal in deals if deal["is_won"]]
    return {
        "won_deal_count": len(won),
        "lost_deal_count": len(deals) - len(won),
        "deal_win_rate_pct": share(len(won), len(deals)),
        "won_deal_amount": total_known(won, "amount_reporting"),
        "won_deals_without_rate": len(won) - counted(won, "has_rate"),
        "median_sales_cycle_days": percentile(known(deals, "sales_cycle_days"), HALF),
    }


def _at_owner(sources: SourceData, rows: Iterable[Row]) -> list[Row]:
    """The rows that count as revenue or may do so, each with the facility of the account owner."""
    tenants = Tenants(sources)
    placed: list[Row] = []
    for row in rows:
        tenant = row["organization_id"]
        account = tenants.row("accounts", tenant, row["account_id"])
        owner = tenants.row("users", tenant, account["owner_user_id"]) if account else None
        if row["is_revenue"] is not False:
            placed.append({**row, **tenants.facility(tenant, owner["facility_id"] if owner else None)})
    return placed


@model
def mart_revenue_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_revenue_kpis, by organization, facility and month."""
    invoices = by_place(sources, _at_owner(sources, fct_invoices(sources)), "issued_at")
    orders = by_place(sources, _at_owner(sources, fct_orders(sources)), "ordered_at")
    with_invoices, with_orders = (
        {row["organization_id"] for row in rows} for rows in (fct_invoices(sources), fct_orders(sources))
    )

    def figures(place: tuple[str, str, date]) -> Row:
        return {
            **(invoice_figures(invoices.get(place, [])) if place[0] in with_invoices else dict.fromkeys(invoice_figures([]))),
            **(order_figures(orders.get(place, [])) if place[0] in with_orders else dict.fromkeys(order_figures([]))),
        }

    return _rows(sources, invoices.keys() | orders.keys(), figures)


@model
def mart_outreach_kpis(sources: SourceData) -> list[Row]:
    """The rows of mart_outreach_kpis, by organization, facility and month."""
    outreach = by_place(sources, fct_outreach(sources), "sent_at")

    def figures(place: tuple[str, str, date]) -> Row:
        sent = outreach[place]
        responded, converted = counted_known(sent, "is_responded"), counted_known(sent, "is_converted")
        hours = known(sent, "hours_to_response")
        return {
            "outreach_count": len(sent),
            "responded_count": responded,
            "converted_count": converted,
            "response_rate_pct": percent(responded, len(sent)),
            "conversion_rate_pct": percent(converted, len(sent)),
            "rep_count": len({row["rep_user_id"] for row in sent} - {UNKNOWN}) or None,
            "outreach_without_rep": sum(row["rep_user_id"] == UNKNOWN for row in sent),
            "lead_count": len({row["lead_id"] for row in sent} - {None}) or None,
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
