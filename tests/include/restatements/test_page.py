"""The page and the table of restatements."""

from __future__ import annotations

from io import StringIO

import pytest
from google.cloud.bigquery import Client
from rich.console import Console

from include.local.summary import _print_restatements
from include.restatements import close_months, page, restatement_table, restatements, write_page
from include.restatements.page import page_path
from tests.include.restatements.company import Company
from tests.include.restatements.test_close import SEPTEMBER, publish


def test_the_terminal_and_the_page_show_old_new_and_the_rows(
    bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.publish(1, monkeypatch)
    company.order(2, "a<3", "2026-09-10", "750.5")
    company.publish(2, monkeypatch)
    shown = ["2026-10-02 03:00", "order_revenue", "acme", "2026-09", "100.00", "1,601.00", "+1,501.00", "late arrival", "1"]
    found = restatements(bq)
    assert [row["metric"] for row in found] == ["order_count", "order_revenue"]
    out = StringIO()
    Console(file=out, width=240).print(restatement_table(found))
    assert all(cell in out.getvalue() for cell in [*shown, "orders acme|a<3"])
    page = write_page(bq).read_text()
    assert "".join(f"<td>{cell}" for cell in [*shown, "orders acme|a&lt;3"]) in page
    assert restatements(bq, "nightly__1") == []


def test_the_page_shows_frozen_figures_that_have_changed(bq: Client) -> None:
    publish(bq, acme=100, beta=7)
    close_months(SEPTEMBER, "ann", client=bq)
    assert write_page(bq).read_text().count("<p>None.</p>") == 2
    publish(bq, 3, acme=90)
    page = write_page(bq).read_text()
    assert "<td>acme<td>2026-09<td>order_revenue<td>100.00<td>90.00<td>-10.00<td>ann<td>" in page
    assert "beta" not in page


def test_a_publication_that_changes_a_figure_writes_the_page(
    bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.publish(1, monkeypatch)
    assert "<p>None.</p>" in page_path().read_text(), "there was no page yet"
    page_path().write_text("of day 1")
    company.publish(2, monkeypatch)
    assert page_path().read_text() == "of day 1", "no figure has changed"
    company.order(3, "a3", "2026-09-10", "7")
    company.publish(3, monkeypatch)
    assert "<td>order_revenue<td>acme<td>2026-09<td>100.00<td>114.00" in page_path().read_text()


def test_as_many_restatements_are_shown_as_the_page_says(bq: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "SHOWN", 1)
    company.publish(1, monkeypatch)
    company.order(2, "a3", "2026-09-10", "7")
    assert company.publish(2, monkeypatch) == 2
    assert len(restatements(bq)) == 1
    out = StringIO()
    _print_restatements(Console(file=out, width=240), "nightly__2")
    assert out.getvalue().startswith("1 or more figures of ended months restated")
    publish(bq, acme=100, beta=7)
    close_months(SEPTEMBER, "ann", client=bq)
    publish(bq, 3, acme=90, beta=6)
    text = write_page(bq).read_text()
    assert "the last 1." in text and text.count("<tr><td>") == 2
