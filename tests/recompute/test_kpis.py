"""The KPI marts and the facility health scores on hand-worked rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.recompute.factory import account, check, deal, facility, invoice, lead, order, organization, survey, user
from tests.recompute.health import health_tier, mart_facility_health_scores
from tests.recompute.kpis import mart_combined_kpis, mart_compliance_kpis, mart_pipeline_kpis, mart_revenue_kpis
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)
KEYS = {
    "leads": "lead_id",
    "deals": "deal_id",
    "compliance_checks": "check_id",
    "invoices": "invoice_id",
    "survey_responses": "response_id",
}


def sources(**tables: list[Row]) -> SourceData:
    given = {
        table: [{**row, KEYS[table]: str(number)} for number, row in enumerate(rows)] if table in KEYS else rows
        for table, rows in tables.items()
    }
    known = {"organizations": [organization()], "facilities": [facility()], "users": [user()]}
    return SourceData.of(AS_OF, **{**known, "accounts": [account(owner_user_id="u")], **given})


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_deals_are_counted_by_creation_and_by_close() -> None:
    deals = [
        deal("closed_won", "2026-07-01", "100", closed_at="2026-08-10"),
        deal("closed_lost", "2026-08-01", "50", closed_at="2026-08-21"),
        deal("closed_won", "2026-08-01", "25"),
    ]
    rows = {row["month"].month: row for row in mart_pipeline_kpis(sources(deals=deals))}
    assert values(rows[7], "deal_count", "won_deal_count", "deal_win_rate_pct") == (1, 0, None)
    assert values(rows[8], "deal_count", "deal_amount", "won_deal_count", "lost_deal_count") == (2, 75, 1, 1)
    assert values(rows[8], "won_deal_amount", "deal_win_rate_pct", "median_sales_cycle_days") == (100, 50, 30)


def test_leads_are_counted_by_creation() -> None:
    leads = [lead("sql", "2026-08-01", "400", sql_at="2026-08-02"), lead("won", "2026-08-01"), lead("lost", "2026-08-01")]
    (row,) = mart_pipeline_kpis(sources(leads=leads))
    assert values(row, "lead_count", "sql_count", "won_lead_count", "open_lead_amount") == (3, 2, 1, 400)
    # 400 × 0.30 × 0.25, plus 100 for the won lead.
    assert values(row, "weighted_lead_amount", "leads_without_rate") == (130, 0)


def test_revenue_is_counted_at_the_facility_of_the_account_owner() -> None:
    invoices = [
        invoice("paid", "2026-08-01", "119", amount_paid=Decimal(119)),
        invoice("open", "2026-08-02", "119"),
        invoice("void", "2026-08-02", "119"),
        invoice("open", "2026-08-02", "119", currency="XXX"),
        invoice("open", "2026-08-02", "7", account_id="gone"),
    ]
    rows = {
        row["facility_id"]: row for row in mart_revenue_kpis(sources(invoices=invoices, orders=[order("1", "2026-08-03", "10")]))
    }
    assert values(rows["f"], "invoice_count", "invoiced_amount", "invoiced_net_amount", "outstanding_amount") == (
        2,
        238,
        200,
        119,
    )
    assert values(rows["f"], "collection_rate_pct", "overdue_invoice_count", "invoices_without_rate") == (50, 1, 1)
    assert values(rows["f"], "order_count", "order_revenue", "average_revenue_per_customer") == (1, 10, 10)
    assert values(rows["unknown"], "invoiced_amount", "order_count", "average_order_value") == (7, 0, None)


def test_a_pending_check_is_overdue_once_it_is_due() -> None:
    checks = [
        check("passed", "2026-09-01", completed_at="2026-09-02"),
        check("failed", "2026-09-01", completed_at="2026-08-31"),
        check("pending", "2026-09-14T23:59:59"),
        check("pending", "2026-09-15"),
        check("waived", "2026-09-01"),
        check("pending", "2026-10-01"),
    ]
    (row,) = mart_compliance_kpis(sources(compliance_checks=checks))
    assert values(row, "check_count", "passed_count", "failed_count", "overdue_count") == (5, 1, 1, 1)
    assert values(row, "pending_count", "waived_count", "completed_late_count") == (1, 1, 1)
    assert float(row["compliance_rate_pct"]) == 100 / 3


def test_the_combined_mart_joins_all_figures() -> None:
    bought = order("1", "2026-08-03", "10", tax_amount=Decimal(2), shipping_amount=Decimal(1), total_amount=Decimal(13))
    given = sources(leads=[lead("won", "2026-08-01")], compliance_checks=[check("passed", "2026-08-01")], orders=[bought])
    rows = {row["facility_id"]: row for row in mart_combined_kpis(given)}
    row = rows["f"]
    assert values(row, "order_revenue", "order_tax_amount", "order_shipping_amount", "order_charged_amount") == (10, 2, 1, 13)
    assert values(row, "order_count", "orders_without_charges") == (1, 0)
    assert values(row, "lead_count", "lead_conversion_pct", "compliance_rate_pct") == (1, 100, 100)
    assert values(row, "invoice_count", "invoiced_amount", "average_order_value", "response_rate_pct") == (0, 0, 10, None)


def test_facility_health_is_the_mean_of_the_known_components() -> None:
    leads = [
        lead("won", "2026-05-01", "300"),
        lead("lost", "2026-06-01"),
        *[lead("lead", "2026-08-01", "2000") for _ in range(5)],
    ]
    surveys = [
        survey("csat", 5, "2026-08-02"),
        survey("csat", 3, "2026-08-02"),
        survey("nps", 9, "2026-08-02"),
        survey("nps", 0, None),
    ]
    checks = [check("passed", "2026-08-01"), check("failed", "2026-08-01")]
    rows = {
        row["month"]: row
        for row in mart_facility_health_scores(sources(leads=leads, survey_responses=surveys, compliance_checks=checks))
    }
    assert [month.month for month in rows] == [5, 6, 7, 8, 9]
    row = rows[date(2026, 8, 1)]
    # 5 × 2000 × 0.015 = 150 against a mean of (300 + 0 + 0) ÷ 3 = 100; no lead from June to August is won.
    assert values(row, "compliance_score", "pipeline_base_amount", "pipeline_score", "conversion_score") == (50, 100, 75, 0)
    assert values(row, "sla_score", "satisfied_pct", "nps", "satisfaction_score") == (None, 50, 100, 75)
    assert values(row, "known_component_count", "health_score", "health_tier") == (4, 50, "fair")
    # Half of the leads of May and June are won, more than the target. The three months before have no data.
    june = rows[date(2026, 6, 1)]
    assert values(june, "conversion_pct", "conversion_score", "pipeline_base_amount", "health_score") == (50, 100, None, 100)


def test_a_tier_includes_its_lower_bound() -> None:
    assert [health_tier(score) for score in (None, 39.9, 40, 60, 80)] == ["unknown", "poor", "fair", "good", "excellent"]
