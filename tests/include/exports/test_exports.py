"""The exports in tests/data/exports are found by their columns and read under the contract's columns. Expected values are worked out by hand."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.check_data import Report, check
from include.contract import contract
from include.exports import ExportError, find, prepare, read_exported
from include.exports.files import columns_of, copy
from include.exports.mappings import ready
from include.exports.rows import in_duckdb
from include.settings import ROOT
from include.sources import load_sources

EXPORTS = ROOT / "tests" / "data" / "exports"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
ORGANIZATION = "organization: {timezone: Europe/Berlin, currency: EUR}\n"


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict[str, Any]]]:
    """Entity → its rows, from the three exports."""
    exported = read_exported(find(EXPORTS))
    assert exported.folder.problems == [] and exported.unread == []
    return {name: rows.data.to_pylist() for name, rows in exported.folder.tables.items()}


@pytest.fixture(scope="module")
def report() -> Report:
    return check(EXPORTS, NOW)


def test_the_files_are_found_by_their_columns() -> None:
    found = find(EXPORTS)
    assert {name: sorted(each) for name, each in found.deliveries.items()} == {
        "salesforce": ["account", "contact", "event", "lead", "opportunity", "opportunity_history", "product2", "task", "user"],
        "stripe": ["customer", "customer_email", "customer_id_elsewhere", "price", "subscription"],
        "zendesk": ["agent", "end_user", "organization", "organization_id_elsewhere", "satisfaction_rating", "ticket"],
    }
    assert found.contract_files == {}
    (note,) = found.notes
    assert note.startswith("salesforce/Account.csv: not UTF-8; read as cp1252. Line 2:") and "München" in note


def test_a_file_may_have_another_name(tmp_path: Path) -> None:
    shutil.copy(EXPORTS / "stripe" / "subscriptions.csv", tmp_path / "unsere Abos.csv")
    (tmp_path / "customers (3).csv").write_text("id,Email\ncus_1,a@b.example\n")
    (tmp_path / "holidays.csv").write_text("organization_id,holiday_date,name\nmain,2026-01-01,New Year\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "notes.docx").write_text("x")
    found = find(tmp_path)
    assert sorted(found.deliveries["stripe"]) == ["customer", "customer_email", "subscription"]
    assert list(found.contract_files) == ["holidays"]
    assert sorted(found.notes) == [
        "customers (3).csv has no column salesforce_account_id (metadata) or account_id (metadata) or crm_account_id (metadata): "
        "no account_identifiers are read from it as stripe.customer_id_elsewhere",
        "notes.docx is neither CSV nor JSON and is ignored",
        "other.csv is ignored: it is not a known export. mapping.yml can map it",
    ]


def test_a_number_in_the_vendor_s_own_name_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "Product2.csv").write_text("Id,Name\n01t1,Saw\n")
    (tmp_path / "Account 2.csv").write_text("Id,Name\n0011,A\n")
    assert sorted(find(tmp_path).deliveries["salesforce"]) == ["account", "product2"]


def test_files_of_the_same_name_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text(ORGANIZATION)
    for number, place in enumerate(("a/old/Account.csv", "b/old/Account.csv", "b/old/Account.tsv")):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(f"Id,Name\n001{number},A\n" if place.endswith("csv") else f"Id\tName\n001{number}\tA\n")
    rows = read_exported(find(tmp_path)).folder.tables["accounts"].data.to_pylist()
    assert sorted(row["account_id"] for row in rows) == ["0010", "0011", "0012"]


def test_salesforce(tables: dict[str, list[dict[str, Any]]]) -> None:
    accounts = {row["account_id"]: row for row in tables["accounts"] if row["account_id"].startswith("001")}
    # The twentieth account is deleted, because it was merged.
    assert len(accounts) == 19
    second = accounts["0015g00000AAA02AAA"]
    # Account.csv is in windows-1252.
    assert (second["name"], second["city"], second["account_type"]) == ("Bauer & Söhne KG", "Köln", "customer")
    assert (second["currency"], second["employee_count"], second["status"]) == ("EUR", 35, None)
    assert second["updated_at"] == datetime(2026, 9, 2, 8, 15, tzinfo=UTC)
    is_open = {"prospecting", "qualification", "proposal", "negotiation"}
    deals = [row for row in tables["deals"] if row["stage"] in is_open]
    # 10,000 + 20,000 + 5,000 + 8,000; weighted with 10, 75, 90 and 20 percent.
    assert sum(row["amount"] for row in deals) == Decimal(43000)
    assert sum(row["amount"] * row["probability_pct"] / 100 for row in deals) == Decimal(22100)
    assert Counter(row["stage"] for row in tables["deals"]) == {
        "prospecting": 1,
        "proposal": 1,
        "negotiation": 1,
        "qualification": 1,
        "closed_won": 2,
        "closed_lost": 2,
    }
    assert Counter(row["activity_type"] for row in tables["activities"]) == {"call": 1, "task": 1, "meeting": 1}


def test_stripe(tables: dict[str, list[dict[str, Any]]]) -> None:
    active = [row for row in tables["subscriptions"] if row["status"] in ("active", "past_due")]
    per_year = {"month": 12, "year": 1}
    monthly = [row["unit_amount"] * row["quantity"] * per_year[row["billing_interval"]] / 12 for row in active]
    # 100 + 5 × 20 + 1,200 / 12 + 250 + 2 × 20 + 30.
    assert sum(monthly) == Decimal(620)
    assert Counter((row["kind"], row["account_id"][:4]) for row in tables["account_identifiers"]) == {
        ("email", "cus_"): 9,
        ("account_id", "cus_"): 2,
        ("account_id", "zend"): 2,
    }


def test_zendesk(tables: dict[str, list[dict[str, Any]]]) -> None:
    # One of twelve tickets is deleted.
    assert Counter(row["status"] for row in tables["tickets"]) == {
        "closed": 2,
        "solved": 4,
        "open": 2,
        "pending": 1,
        "hold": 1,
        "new": 1,
    }
    assert Counter(row["channel"] for row in tables["tickets"]) == {
        "email": 5,
        "web": 2,
        "app": 1,
        "chat": 1,
        "phone": 1,
        "social": 1,
    }
    # The rating that was only offered is no answer.
    answers = [(row["score"], row["responded_at"] is not None) for row in tables["survey_responses"]]
    assert sorted(answers, key=str) == [(1, True), (5, True), (5, True), (5, True), (None, False)]
    agents = {row["user_id"]: row["role"] for row in tables["users"] if row["user_id"].startswith("zendesk_")}
    assert agents == {"zendesk_370000000001": "support_agent", "zendesk_370000000002": None}


def test_the_report_names_what_stays_unknown(report: Report) -> None:
    assert not report.blocked
    unknown = {each.table: each.message for each in report.findings if each.kind == "unknown_column"}
    assert unknown["accounts"] == (
        "no file fills status, plan_tier, region, signup_date; so these are unknown: segment by plan, "
        "retention by plan of accounts without subscriptions, figures by region"
    )
    assert {each.kind for each in report.findings} == {"unknown_column", "missing_column", "empty"}
    assert any(note.startswith("Stripe does not say: Earlier terms") for note in report.notes)


def test_values_that_cannot_be_read_are_named_by_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text(ORGANIZATION)
    lines = (EXPORTS / "stripe" / "subscriptions.csv").read_text().splitlines()
    lines[3] = lines[3].replace("1200.00", '"1.200,00"')
    lines[4] = lines[4].replace("2026-08-15 12:00", "15/08/2026")
    (tmp_path / "subscriptions.csv").write_text("\n".join(lines) + "\n")
    found = [each for each in check(tmp_path, NOW).findings if each.kind == "unreadable"]
    assert {(each.severity, each.file, each.line, each.column) for each in found} == {
        ("warn", "subscriptions.csv", 4, "Amount"),
        ("warn", "subscriptions.csv", 5, "Created (UTC)"),
        ("warn", "subscriptions.csv", 5, "Start (UTC)"),
    }


def test_the_organization_is_asked_for(tmp_path: Path) -> None:
    shutil.copy(EXPORTS / "stripe" / "customers.csv", tmp_path)
    with pytest.raises(ExportError, match=r"Write mapping\.yml into the folder"):
        read_exported(find(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("organization: {timezone: Berlin, currency: EUR}", "organization.timezone: 'Berlin' is no IANA time zone"),
        ("organization: {timezone: UTC}", "organization.currency: is missing"),
        (
            "sources: {salesforce: {tables: {acount: {columns: {region: Region}}}}}",
            "sources.salesforce.tables.acount.entity: is missing, and no ready table is named acount. Did you mean account?",
        ),
        (ORGANIZATION + "sources: {stripe: {tabels: {}}}", "sources.stripe.tabels: unknown key"),
        (
            ORGANIZATION + "sources: {erp: {tables: {kunden: {entity: acounts, file: Kunden, columns: {}}}}}",
            "sources.erp.tables.kunden.entity: the contract has no entity 'acounts'. Did you mean accounts?",
        ),
        ("- a", "expected a mapping with organization and sources"),
    ],
)
def test_mistakes_in_mapping_yml_name_the_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mapping.yml").write_text(text)
    with pytest.raises(ExportError) as refused:
        find(tmp_path)
    assert message in str(refused.value)


def test_mapping_yml_maps_other_files_and_changes_ready_mappings(tmp_path: Path) -> None:
    own = {
        "organization": {"id": "acme", "timezone": "UTC", "currency": "USD"},
        "sources": {
            "salesforce": {"tables": {"account": {"columns": {"status": {"from": "Rating", "values": {"Hot": "active"}}}}}},
            "erp": {
                "id_prefix": "erp_",
                "tables": {
                    "kunden": {
                        "entity": "accounts",
                        "file": "Kunden",
                        "columns": {
                            "account_id": "Nr",
                            "name": "Firma",
                            "created_at": {"from": "Seit", "unit": "epoch_seconds"},
                            "annual_revenue": {"from": "Umsatz", "unit": "minor", "currency": "Währung"},
                        },
                    }
                },
            },
        },
    }
    (tmp_path / "mapping.yml").write_text(yaml.safe_dump(own))
    (tmp_path / "Account.csv").write_text("Id,Name,BillingCountry,Rating\n001,A,DE,Hot\n002,B,DE,\n")
    (tmp_path / "Kunden 2026.csv").write_text("Nr;Firma;Seit;Umsatz;Währung\n7;Müller;1767225600;1250;JPY\n", encoding="utf-8")
    found = read_exported(find(tmp_path)).folder.tables["accounts"].data.to_pylist()
    rows = {row["account_id"]: row for row in found}
    assert (rows["001"]["status"], rows["002"]["status"]) == ("active", None)
    assert rows["erp_7"]["name"] == "Müller" and rows["erp_7"]["organization_id"] == "acme"
    # The yen has no decimals, and 1,767,225,600 seconds are the first of January 2026.
    assert (rows["erp_7"]["annual_revenue"], rows["erp_7"]["created_at"]) == (Decimal(1250), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "content", ['[{"id": 1}, {"id": 2}]', '{"users": [{"id": 1}, {"id": 2}], "next_page": null}', '{"id": 1}\n{"id": 2}\n']
)
def test_json_becomes_lines(tmp_path: Path, content: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(content)
    assert columns_of(path) == (["id"], None)
    copy(path, tmp_path / "landing", "users")
    lines = (tmp_path / "landing" / "users.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2]


def test_the_project_has_the_sources_and_their_views(tmp_path: Path) -> None:
    project = prepare(find(EXPORTS), tmp_path)
    assert sorted(load_sources(project.sources_dir)) == ["crm", "salesforce", "stripe", "zendesk"]
    variables = yaml.safe_load((project.dbt_dir / "dbt_project.yml").read_text())["vars"]
    # Salesforce has deals, so its accounts come before those of the others.
    assert variables["account_systems"] == ["crm", "salesforce", "stripe", "zendesk"]
    views = {path.stem for path in (project.dbt_dir / "models" / "staging").rglob("*.sql")}
    assert {"stg_stripe__subscription", "stg_zendesk__ticket", "stg_crm__organizations"} <= views
    assert "stg_crm__accounts" not in views
    model = project.dbt_dir / "models" / "staging" / "stripe" / "stg_stripe__price.sql"
    before = model.stat().st_mtime_ns
    prepare(find(EXPORTS), tmp_path)
    assert model.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", sorted(ready()))
def test_ready_mappings_fit_the_contract(name: str) -> None:
    given = ready()[name]
    assert given["pages"] and given["cannot_know"]
    for table in given["tables"].values():
        assert table["columns"].keys() <= contract()[table["entity"]].columns.keys()


def test_duckdb_reads_the_mapping_as_bigquery_does() -> None:
    duckdb = pytest.importorskip("duckdb")
    cases = {
        # NULL makes the whole text NULL, as in BigQuery.
        "concat('a_', nullif('', ''))": None,
        "concat('a_', nullif('7', ''))": "a_7",
        "if(trim(' ') != '', ' ', null)": None,
        "case trim(' x ') when 'x' then 1 end": 1,
        "json_value('{\"a\": [{\"b\": 5}]}', '$.a[0].b')": "5",
        "json_value('[\"x.example\"]', '$[0]')": "x.example",
        "safe_cast('no' as int64)": None,
        "{{ from_minor_units('numeric \\'12345\\'', '\\'CLF\\'') }}": Decimal("1.2345"),
        "safe.timestamp_seconds(0)": datetime(1970, 1, 1, tzinfo=UTC),
    }
    for sql, expected in cases.items():
        assert duckdb.sql(in_duckdb(f"select {sql} as value")).fetchall()[0][0] == expected, sql
