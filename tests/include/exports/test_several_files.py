"""Files of one table may have different columns, and may lack what the mapping reads: each is read by its own columns, and named."""

from __future__ import annotations

import io
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from include.check_data import Finding, check
from include.check_data.render import as_html, as_text
from include.exports import find, prepare, read_exported
from include.local.exports import read_exports
from include.local.home import Company
from include.settings import ROOT
from include.sources import load_sources

EXPORTS = ROOT / "tests" / "data" / "exports"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
ORGANIZATION = "organization: {timezone: Europe/Berlin, currency: EUR}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mapping.yml").write_text(ORGANIZATION)
    return tmp_path


def of_kind(folder: Path, kind: str) -> list[Finding]:
    return [each for each in check(folder, NOW).findings if each.kind == kind]


def test_each_file_is_read_by_its_own_columns(folder: Path) -> None:
    (folder / "Account.csv").write_text("Id,Name,Industry,CurrencyIsoCode,SystemModstamp\n001,A,Steel,CHF,2026-09-01T00:00:00Z\n")
    (folder / "Account (2).csv").write_text("Id,Name,Website,LastModifiedDate\n002,B,b.example,2026-09-02T00:00:00Z\n")
    rows = {row["account_id"]: row for row in read_exported(find(folder)).folder.tables["accounts"].data.to_pylist()}
    assert [rows[key]["updated_at"].day for key in ("001", "002")] == [1, 2]
    assert [(rows[key]["industry"], rows[key]["domain"], rows[key]["currency"]) for key in ("001", "002")] == [
        ("Steel", None, "CHF"),
        (None, "b.example", None),
    ]
    source = load_sources(prepare(find(folder), folder / "home").sources_dir)["salesforce"]
    assert {"industry", "website", "system_modstamp", "last_modified_date"} <= source.tables["account"].columns.keys()


def test_what_a_file_lacks_is_named_with_the_figures_that_are_unknown(folder: Path) -> None:
    (folder / "Account.csv").write_text("Id,Name,Industry,CurrencyIsoCode,SystemModstamp\n001,A,Steel,CHF,2026-09-01T00:00:00Z\n")
    (folder / "Account (2).csv").write_text("Id,Name,Website,NumberOfEmployees,LastModifiedDate\n002,B,b.example,9,2026-09-02\n")
    found = {each.file: each for each in of_kind(folder, "missing_column")}
    assert found.keys() == {"Account.csv", "Account (2).csv"}
    first, second = found["Account.csv"].message, found["Account (2).csv"].message
    assert "Website, NumberOfEmployees, " in first and "parent_account_id, " in first and "domain, employee_count, " in first
    # The other file has the number of employees and the industry, so only figures of columns that no file fills are unknown.
    assert "; unknown in its rows: " in first and "revenue band" in first
    assert "segment by size" not in first
    assert "CurrencyIsoCode, " in second and "currency, " in second and "SystemModstamp" not in second
    assert found["Account.csv"].remedy == "export these columns, or map others in mapping.yml"


def test_a_file_without_the_column_that_chooses_rows_is_not_read(folder: Path) -> None:
    (folder / "users.csv").write_text("id,name,email\n1,A,a@b.example\n")
    found = find(folder)
    assert found.deliveries == {}
    assert found.notes == [
        f"users.csv has no column role, by which zendesk.{table} chooses its rows: {entity} are not read from it. "
        "Export the column, or change `where` in mapping.yml"
        for table, entity in (("agent", "users"), ("end_user", "contacts"))
    ]


def test_a_file_whose_key_has_another_column_is_not_read_with_the_others(folder: Path) -> None:
    (folder / "customers.csv").write_text("id,Email,account_id (metadata)\ncus_1,a@b.example,001\n")
    (folder / "customers (2).csv").write_text("id,Email,salesforce_account_id (metadata)\ncus_2,c@d.example,002\n")
    found = find(folder)
    assert [path.name for path in found.deliveries["stripe"]["customer"].files] == ["customers (2).csv", "customers.csv"]
    assert [path.name for path in found.deliveries["stripe"]["customer_id_elsewhere"].files] == ["customers (2).csv"]
    (note,) = found.notes
    assert note.startswith(
        "customers.csv: value of stripe.customer_id_elsewhere would come from another column than in its other"
    )


def test_a_file_without_the_key_of_one_of_its_tables_is_named(folder: Path) -> None:
    (folder / "customers.csv").write_text("id,E-Mail\ncus_1,a@b.example\n")
    notes = find(folder).notes
    assert "customers.csv has no column Email: no account_identifiers are read from it as stripe.customer_email" in notes


def test_capitals_of_a_column_do_not_count(folder: Path) -> None:
    """Data Loader writes the names of columns in capitals."""
    lines = (EXPORTS / "salesforce" / "Task.csv").read_text(encoding="utf-8").splitlines()
    (folder / "Task.csv").write_text("\n".join([lines[0].upper(), *lines[1:]]) + "\n", encoding="utf-8")
    rows = read_exported(find(folder)).folder.tables["activities"].data.to_pylist()
    assert [(row["activity_type"], row["status"], row["created_at"].month) for row in rows] == [
        ("call", "completed", 9),
        ("task", "planned", 9),
    ]
    (folder / "Tasks.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [path.name for path in find(folder).deliveries["salesforce"]["task"].files] == ["Tasks.csv"]
    assert find(folder).notes[0].startswith("Task.csv: activity_id of salesforce.task would come from another column")


def test_a_column_s_own_condition_needs_its_column(folder: Path) -> None:
    (folder / "satisfaction_ratings.csv").write_text("id,score,created_at,updated_at\n1,good,2026-09-01,2026-09-02\n")
    own = {"sources": {"zendesk": {"tables": {"satisfaction_rating": {"columns": {"responded_at": None}}}}}}
    own["sources"]["zendesk"]["tables"]["satisfaction_rating"]["columns"]["responded_at"] = {
        "from": "updated_at",
        "where": {"state": "done"},
    }
    (folder / "mapping.yml").write_text(ORGANIZATION + yaml.safe_dump(own))
    (found,) = of_kind(folder, "missing_column")
    assert "updated_at or state" in found.message and "responded_at" in found.message


def test_findings_name_the_file_and_not_its_copy(folder: Path) -> None:
    (folder / "zendesk").mkdir()
    record = {"id": 1, "subject": "x", "requester_id": 2, "priority": "hot", "status": "open", "created_at": "soon"}
    (folder / "zendesk" / "tickets.json").write_text(json.dumps(record) + "\n")
    found = {each.kind: each.file for each in check(folder, NOW).findings}
    assert found["unknown_word"] == found["unreadable"] == found["missing_column"] == "zendesk/tickets.json"


def test_local_times_are_read_as_in_bigquery(folder: Path) -> None:
    own = {
        "sources": {
            "erp": {
                "tables": {
                    "kunden": {
                        "entity": "accounts",
                        "file": "Kunden",
                        "columns": {
                            "account_id": "Nr",
                            "created_at": {"from": "Seit", "timezone": "Europe/Berlin"},
                            "signup_date": {"from": "Neu", "timezone": "Europe/Berlin"},
                        },
                    }
                }
            }
        }
    }
    (folder / "mapping.yml").write_text(ORGANIZATION + yaml.safe_dump(own))
    # In winter; of the hour that comes twice, the first; in the hour that clocks skip, with the offset before.
    lines = ["Nr,Seit,Neu", "1,2026-01-01 12:00,2026-01-01T23:30:00Z", "2,2026-10-25 02:30,", "3,2026-03-29 02:30,"]
    (folder / "Kunden.csv").write_text("\n".join(lines) + "\n")
    rows = read_exported(find(folder)).folder.tables["accounts"].data.to_pylist()
    assert [row["created_at"] for row in rows] == [
        datetime(2026, 1, 1, 11, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    ]
    assert rows[0]["signup_date"] == date(2026, 1, 2)


def test_unknown_words_come_with_the_lines_for_mapping_yml(folder: Path) -> None:
    header = "Id,AccountId,StageName,CloseDate\n"
    (folder / "Opportunity.csv").write_text(header + "1,a,Verbal Yes,2026-09-01\n2,a,Close Won,2026-09-01\n")
    report = check(folder, NOW)
    words = {each.words: each.remedy for each in report.findings if each.kind == "unknown_word"}
    assert words == dict.fromkeys(
        [(("Verbal Yes", None),), (("Close Won", "closed_won"),)], "add the lines below the notes to mapping.yml"
    )
    values = {"Verbal Yes": None, "Close Won": "closed_won"}
    columns = {"stage": {"values": values}}
    assert yaml.safe_load(report.lines) == {"sources": {"salesforce": {"tables": {"opportunity": {"columns": columns}}}}}
    assert "          Verbal Yes: null" in as_text(report) and "Verbal Yes: null" in as_html(report)
    (folder / "mapping.yml").write_text(ORGANIZATION + report.lines.replace("null", "negotiation"))
    rows = read_exported(find(folder)).folder.tables["deals"].data.to_pylist()
    assert [row["stage"] for row in rows] == ["negotiation", "closed_won"]
    assert of_kind(folder, "unknown_word") == []


def test_words_are_added_to_alternatives_and_to_a_plain_column(folder: Path) -> None:
    shutil.copy(EXPORTS / "salesforce" / "Task.csv", folder)
    own = {
        "salesforce": {"tables": {"task": {"columns": {"activity_type": {"values": {"Cadence": "email"}}}}}},
        "zendesk": {"tables": {"ticket": {"columns": {"priority": {"values": {"p1": "critical"}}}}}},
    }
    (folder / "mapping.yml").write_text(ORGANIZATION + yaml.safe_dump({"sources": own}))
    (folder / "tickets.csv").write_text("id,subject,requester_id,priority\n1,x,2,p1\n2,x,2,low\n")
    found = find(folder)
    task = found.deliveries["salesforce"]["task"].forms["activity_type"]
    assert task["values"] == {"Call": "call", "Email": "email", "List Email": "email", "Task": "task", "Cadence": "email"}
    tickets = read_exported(found).folder.tables["tickets"].data.to_pylist()
    assert [row["priority"] for row in tickets] == ["critical", "low"]


def test_a_run_says_which_files_it_does_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_HOME", str(folder / "home"))
    data = folder / "data"
    data.mkdir()
    (data / "other.csv").write_text("a,b\n1,2\n")
    output = io.StringIO()
    read_exports(Company("2026-10-01", data=str(data)), Console(file=output, width=200))
    assert output.getvalue() == "  other.csv is ignored: it is not a known export. mapping.yml can map it\n"


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        ("Opportunity Name,From Stage,To Stage,Last Modified", "it is a report, whose columns have labels"),
        ("Account ID,Account Name,Billing Country", "it is a report, whose columns have labels"),
        ("id,Created date (UTC),Amount,Amount Refunded,Currency,Customer ID", "payments are not read. Export the invoices"),
        (
            "Summation column,Id,Requester,First reply time in minutes",
            "the CSV export of tickets has names in place of ids. Export JSON",
        ),
        ("a,b", "it is not a known export. mapping.yml can map it"),
    ],
)
def test_a_file_that_is_not_read_is_named_with_the_remedy(folder: Path, header: str, remedy: str) -> None:
    (folder / "export (1).csv").write_text(f"{header}\n")
    (note,) = find(folder).notes
    assert note.startswith(f"export (1).csv is ignored: {remedy}")
