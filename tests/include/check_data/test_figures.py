"""The report names the figures that will be unknown, and how accounts of several systems match. Expected values are worked out by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.check_data import Report, check
from include.check_data.figures import UnknownFigures
from include.check_data.identities import Identities
from include.check_data.render import as_html, as_json, as_text
from include.settings import ROOT

EXPORTS = ROOT / "tests" / "data" / "exports"
NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def report() -> Report:
    return check(EXPORTS, NOW)


def test_accounts_of_later_systems_are_matched_as_a_run_matches_them(report: Report) -> None:
    # The same accounts as in tests/pipeline/test_exports.py, where a run has matched them.
    assert report.identities == [
        Identities("stripe", "matched", "email_domain", 7, "cus_Q01"),
        Identities("stripe", "matched", "external_id", 2, "cus_Q06"),
        Identities("stripe", "unmatched", None, 1, "cus_Q09"),
        Identities("zendesk", "matched", "domain", 5, "zendesk_360000000001"),
        Identities("zendesk", "matched", "external_id", 2, "zendesk_360000000002"),
        Identities("zendesk", "unmatched", None, 1, "zendesk_360000000030"),
    ]


def test_a_column_without_a_value_and_a_table_without_rows_name_their_figures(report: Report) -> None:
    found = {(each.table, each.column): each for each in report.unknown_figures}
    assert found["accounts", "region"] == UnknownFigures("accounts", "region", "figures by region")
    assert found["orders", None].missing == "no orders" and "AOV" in found["orders", None].figures
    # Columns of a table without rows are not named, nor those that some row has.
    assert ("orders", "status") not in found and ("accounts", "employee_count") not in found


def test_every_form_of_the_report_shows_both(report: Report) -> None:
    text, page, data = as_text(report), as_html(report), json.loads(as_json(report))
    for shown in (text, page):
        assert "figures by region" in shown and "no region in accounts" in shown
        assert "email_domain" in shown and "zendesk_360000000030" in shown
    assert {"table": "accounts", "column": "region", "figures": "figures by region"} in data["unknown_figures"]
    assert {"system": "stripe", "status": "unmatched", "rule": None, "count": 1, "example": "cus_Q09"} in data["identities"]


def test_files_of_one_system_match_nothing(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,organization_id,updated_at\na,o,2026-01-01\n")
    (tmp_path / "organizations.csv").write_text(
        "organization_id,name,reporting_currency,timezone,updated_at\no,O,USD,UTC,2026-01-01\n"
    )
    report = check(tmp_path, NOW)
    assert report.identities == [] and "accounts of" not in as_text(report)
