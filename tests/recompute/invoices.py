"""fct_invoices: one row per invoice, in the invoice currency and the reporting currency."""

from __future__ import annotations

from collections.abc import Sequence

from tests.recompute.grouping import counted_known
from tests.recompute.known_sums import both, difference, is_counted, percent, sum_of
from tests.recompute.months import month_of
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import Tenants

NOT_REVENUE = {"draft", "void"}


@model
def fct_invoices(sources: SourceData) -> list[Row]:
    """The rows of fct_invoices, by invoice_id."""
    tenants = Tenants(sources)
    rows: list[Row] = []
    for invoice in sources["invoices"]:
        tenant, day = invoice["organization_id"], invoice["issued_at"].date()
        status, due_at = invoice["status"], invoice["due_at"]
        converted = {
            f"{name}_reporting": tenants.convert(invoice[name], invoice["currency"], tenant, day)
            for name in ("subtotal_amount", "tax_amount", "total_amount", "amount_paid")
        }
        rows.append(
            {
                **invoice,
                **converted,
                "paid_at": tenants.seen(invoice["paid_at"]),
                "account_key": tenants.key("accounts", tenant, invoice["account_id"]),
                "reporting_currency": tenants.reporting_currency(tenant),
                "has_rate": converted["total_amount_reporting"] is not None,
                "is_paid": None if status is None else status == "paid",
                "is_overdue": both(
                    None if status is None else status == "open", None if due_at is None else due_at < sources.as_of
                ),
                "is_revenue": None if status is None else status not in NOT_REVENUE,
                "issued_date": day,
                "invoice_month": month_of(invoice["issued_at"]),
            }
        )
    return rows


def invoice_figures(invoices: Sequence[Row]) -> Row:
    """The figures of invoices. An invoice without a status is in none of them, and counted."""
    rows = [_measured(invoice) for invoice in invoices]
    paid, outstanding = sum_of(rows, "is_revenue", "paid"), sum_of(rows, "is_revenue", "outstanding")
    return {
        "invoice_count": counted_known(rows, "is_counted"),
        "invoiced_amount": sum_of(rows, "is_revenue", "total_amount_reporting"),
        "invoiced_net_amount": sum_of(rows, "is_revenue", "net"),
        "paid_amount": paid,
        "outstanding_amount": outstanding,
        "collection_rate_pct": None if paid is None or outstanding is None else percent(paid, paid + outstanding),
        "paid_invoice_count": counted_known(rows, "counts_as_paid"),
        "overdue_invoice_count": counted_known(rows, "counts_as_overdue"),
        "invoices_without_rate": sum(bool(row["is_revenue"]) and not row["has_rate"] for row in rows),
        "invoices_without_status": sum(row["is_revenue"] is None for row in rows),
    }


def _measured(invoice: Row) -> Row:
    """An invoice with what it adds to each figure: None if it does not say it."""
    counts, has_rate = is_counted(invoice), invoice["has_rate"]
    return {
        **invoice,
        "is_counted": counts,
        "counts_as_paid": invoice["is_paid"] if counts else counts,
        "counts_as_overdue": invoice["is_overdue"] if counts else counts,
        "net": invoice["subtotal_amount_reporting"] if has_rate else None,
        "paid": invoice["amount_paid_reporting"] if has_rate else None,
        "outstanding": difference(invoice["total_amount_reporting"], invoice["amount_paid_reporting"]),
    }
