"""Published figures are recorded when they change, and each restatement has the reason that the rows show."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from google.cloud.bigquery import Client

from tests.include.restatements.company import Company
from tests.warehouse import rows

D = Decimal
_RESTATED = "select metric, organization_id, cast(month as string), old_value, new_value, reason, row_count, first_rows from ops.restatements"


def restated(bq: Client, day: int) -> list[tuple[object, ...]]:
    return rows(f"{_RESTATED} where run_id = 'nightly__{day}' order by metric desc, month", bq)


def test_the_first_publication_restates_nothing(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    assert company.publish(1, monkeypatch) == 0
    recorded = rows("select metric, cast(month as string), part, value, base_count from ops.published_figures order by 1, 2", bq)
    assert recorded == [
        ("order_count", "2026-08-01", "total", D(1), 1),
        ("order_count", "2026-09-01", "total", D(1), 1),
        ("order_revenue", "2026-08-01", "total", D(200), None),
        ("order_revenue", "2026-09-01", "total", D(100), None),
    ]


def test_unchanged_figures_are_not_recorded_again(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    assert company.publish(2, monkeypatch) == 0
    assert rows("select distinct run_id from ops.published_figures", bq) == [("nightly__1",)]


def test_a_late_order(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    company.order(2, "a3", "2026-09-10", "7")
    assert company.publish(2, monkeypatch) == 2
    reason = ("late arrival", 1, "orders acme|a3")
    assert restated(bq, 2) == [
        ("order_revenue", "acme", "2026-09-01", D(100), D(114), *reason),
        ("order_count", "acme", "2026-09-01", D(1), D(2), *reason),
    ]


def test_a_correction_a_deletion_and_a_refund(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.order(1, "a3", "2026-07-10", "5", organization="beta")
    company.rate(1, "2026-07-10", "1")
    company.publish(1, monkeypatch)
    company.order(2, "a1", "2026-08-10", "110")
    company.order(2, "a2", "2026-09-10", "50", status="refunded")
    company.order(2, "a3", "2026-07-10", "5", organization="beta", deleted=True)
    assert company.publish(2, monkeypatch) == 5
    assert restated(bq, 2) == [
        ("order_revenue", "beta", "2026-07-01", D(5), None, "deletion", 1, "orders beta|a3"),
        ("order_revenue", "acme", "2026-08-01", D(200), D(220), "correction", 1, "orders acme|a1"),
        ("order_revenue", "acme", "2026-09-01", D(100), D(0), "status history", 1, "orders acme|a2"),
        ("order_count", "beta", "2026-07-01", D(1), None, "deletion", 1, "orders beta|a3"),
        ("order_count", "acme", "2026-09-01", D(1), D(0), "status history", 1, "orders acme|a2"),
    ]


def test_an_order_that_moves_to_another_month_is_a_correction_of_both(
    bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.publish(1, monkeypatch)
    company.order(2, "a2", "2026-08-10", "50")
    company.publish(2, monkeypatch)
    assert restated(bq, 2)[:2] == [
        ("order_revenue", "acme", "2026-08-01", D(200), D(300), "correction", 1, "orders acme|a2"),
        ("order_revenue", "acme", "2026-09-01", D(100), None, "correction", 1, "orders acme|a2"),
    ]


def test_a_rate_goes_before_rows_and_all_evidence_is_kept(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    company.rate(2, "2026-09-10", "3")
    company.order(2, "a3", "2026-09-10", "1")
    company.publish(2, monkeypatch)
    assert restated(bq, 2)[0][3:] == (D(100), D(153), "exchange rate", 1, "fx_rates 2026-09-10|EUR")
    ((evidence,),) = rows("select evidence_json from ops.restatements where metric = 'order_revenue'", bq)
    assert [(item["reason"], item["rows"]) for item in json.loads(str(evidence))] == [("exchange rate", 1), ("late arrival", 1)]
    # The count does not depend on a rate.
    assert restated(bq, 2)[1][5] == "late arrival"


def test_other_code_is_a_definition_change(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    company.order(2, "a3", "2026-09-10", "7")
    company.publish(2, monkeypatch, code="c2")
    assert [row[5:] for row in restated(bq, 2)] == [("definition change", None, None)] * 2
    assert rows("select distinct previous_code_version, code_version from ops.restatements", bq) == [("c1", "c2")]


def test_a_change_without_a_changed_row_is_unknown(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    # Removed from raw by hand: no version says so.
    bq.query("delete from raw_crm.orders where order_id = 'a2'").result()
    company.publish(2, monkeypatch)
    assert [row[5:] for row in restated(bq, 2)] == [("unknown", None, None)] * 2


def test_a_backfill_shows_the_figures_of_its_as_of_time(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    company.order(2, "a2", "2026-09-10", "60")
    company.publish(3, monkeypatch)
    run = company.build(1)
    bq.query("delete from ops.publications where run_id = 'nightly__1'").result()
    from include.restatements import record_figures
    from tests.include.restatements.company import TABLE

    record_figures(type(run)("backfill", run.as_of), [TABLE], bq)
    found = rows(f"{_RESTATED} where run_id = 'backfill' and metric = 'order_revenue'", bq)
    assert found == [("order_revenue", "acme", "2026-09-01", D(120), D(100), "as-of time", None, None)]


def test_a_new_month_and_a_new_organization_are_no_restatement(
    bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.publish(1, monkeypatch)
    company.rate(2, "2026-07-10", "1")
    company.order(2, "b1", "2026-07-10", "9", organization="beta")
    assert company.publish(2, monkeypatch) == 0
    # A month before the first of a known organization is one: the publication before showed nothing for it.
    company.order(3, "a4", "2026-07-10", "8")
    assert company.publish(3, monkeypatch) == 2
    assert restated(bq, 3)[0] == ("order_revenue", "acme", "2026-07-01", None, D(8), "late arrival", 1, "orders acme|a4")


def test_recording_twice_equals_recording_once(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.publish(1, monkeypatch)
    company.order(2, "a3", "2026-09-10", "7")
    assert [company.publish(2, monkeypatch) for _ in range(2)] == [2, 2]
    assert rows("select count(*) from ops.restatements", bq) == [(2,)]
    assert rows("select count(*) from ops.published_figures", bq) == [(6,)]
