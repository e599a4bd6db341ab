"""The KPI tables of a run: what is unknown is not shown as zero."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

from include.local.kpis import KPIS
from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "marts", "conformed") as client:
        yield client


@pytest.mark.parametrize(
    ("levels", "shown"),
    [
        ([("high", 10), ("critical", 5), ("low", 3), (None, 2)], ("2", "GBP 15.00")),
        ([("low", 3), ("active", 2)], ("0", "–")),
        ([(None, 10), (None, 5)], ("–", "–")),
        ([], ("–", "–")),
    ],
)
def test_accounts_at_high_risk(bq: Client, levels: list[tuple[str | None, int]], shown: tuple[str, str]) -> None:
    (revenue,) = [each for each in KPIS if "at high risk" in each.columns]
    rows = "".join(f", ('a', {'null' if level is None else repr(level)}, {amount})" for level, amount in levels)
    bq.query(
        f"""
        create table marts.mart_churn_risk (organization_id string, churn_risk_level string, mrr_amount numeric);
        insert into marts.mart_churn_risk values ('b', 'high', 7){rows};
        create table marts.mart_mrr_waterfall as
            select 'a' as organization_id, date '2026-09-01' as month, numeric '9.5' as closing_mrr_amount, 0 as subscriptions_without_rate;
        create table marts.mart_nrr_summary as
            select 'a' as organization_id, date '2026-09-01' as month, 'GBP' as reporting_currency, 4 as account_count, 101.5 as nrr_pct,
                cast(null as float64) as grr_pct, true as is_complete, 'total' as dimension;
        create table conformed.conformed_organizations as select 'a' as organization_id, 'Albion' as organization_name
        """
    ).result()
    table = revenue.table([dict(row.items()) for row in bq.query(revenue.sql).result()])
    cells = {str(column.header): list(column.cells) for column in table.columns}
    assert cells["MRR"] == ["GBP 9.50"] and cells["customers"] == ["4"] and cells["GRR"] == ["–"]
    assert (*cells["at high risk"], *cells["worth"]) == shown


@pytest.mark.parametrize(
    ("missing", "shown"),
    [
        ((0, 0), "GBP 12.00"),
        ((1, 0), "GBP 12.00 + 1 subscription without a rate"),
        ((2, 1), "GBP 12.00 + 3 subscriptions without a rate"),
    ],
)
def test_mrr_names_the_subscriptions_that_are_missing_in_it(bq: Client, missing: tuple[int, int], shown: str) -> None:
    (revenue,) = [each for each in KPIS if "MRR" in each.columns]
    bq.query(
        f"""
        create table marts.mart_churn_risk (organization_id string, churn_risk_level string, mrr_amount numeric);
        create table marts.mart_mrr_waterfall as
            select 'a' as organization_id, date '2026-09-01' as month, numeric '9.5' as closing_mrr_amount,
                {missing[0]} as subscriptions_without_rate
            union all select 'a', date '2026-09-01', 2.5, {missing[1]}
            union all select 'a', date '2026-08-01', 5, 9;
        create table marts.mart_nrr_summary as
            select 'a' as organization_id, date '2026-09-01' as month, 'GBP' as reporting_currency, 4 as account_count, 101.5 as nrr_pct,
                cast(null as float64) as grr_pct, true as is_complete, 'total' as dimension;
        create table conformed.conformed_organizations as select 'a' as organization_id, 'Albion' as organization_name
        """
    ).result()
    table = revenue.table([dict(row.items()) for row in bq.query(revenue.sql).result()])
    assert [list(column.cells) for column in table.columns if column.header == "MRR"] == [[shown]]


def test_sla_rates_name_the_tickets_that_have_default_targets(bq: Client) -> None:
    (sla,) = [each for each in KPIS if "first response" in each.columns]
    bq.query(
        """
        create table marts.mart_ticket_sla_compliance as
            select 'a' as organization_id, date '2026-09-01' as created_month, true as is_complete, 3 as ticket_count,
                1 as response_met_count, 1 as response_breached_count, 2 as resolution_met_count, 0 as resolution_breached_count
            union all select 'a', date '2026-09-01', true, 2, 1, 0, 0, 0
            union all select 'b', date '2026-09-01', true, 1, 1, 0, 1, 0;
        create table marts.mart_ticket_analytics as
            select 'a' as organization_id, date '2026-09-01' as created_month, 'default' as response_policy, 'default' as resolution_policy,
                false as is_merged
            union all select 'a', date '2026-09-01', 'policy', 'default', false
            union all select 'a', date '2026-09-01', 'policy', 'policy', false
            union all select 'a', date '2026-09-01', 'none', 'none', false
            union all select 'a', date '2026-09-01', 'default', 'default', true
            union all select 'a', date '2026-08-01', 'default', 'default', false
            union all select 'b', date '2026-09-01', 'policy', 'policy', false;
        create table conformed.conformed_organizations as
            select 'a' as organization_id, 'Albion' as organization_name union all select 'b', 'Bay'
        """
    ).result()
    table = sla.table([dict(row.items()) for row in bq.query(sla.sql).result()])
    cells = {str(column.header): list(column.cells) for column in table.columns}
    assert cells["organization"] == ["Albion", "Bay"] and cells["tickets"] == ["5", "1"]
    assert cells["first response"] == ["66.7 %", "100.0 %"]
    assert cells["by default targets"] == ["2 of 5", "–"]
