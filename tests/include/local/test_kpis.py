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
            select 'a' as organization_id, date '2026-09-01' as month, numeric '9.5' as closing_mrr_amount;
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
