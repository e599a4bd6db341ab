"""fct_invoices: one row per invoice, in the invoice currency and the reporting currency."""

from __future__ import annotations

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
                "is_paid": invoice["status"] == "paid",
                "is_overdue": invoice["status"] == "open" and tenants.seen(invoice["due_at"]) is not None,
                "is_revenue": invoice["status"] not in NOT_REVENUE,
                "issued_date": day,
                "invoice_month": month_of(invoice["issued_at"]),
            }
        )
    return rows
