"""A folder is checked by the contract. The expected findings are counted by hand in the files that each test writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.check_data import Finding, Report, check
from include.check_data.__main__ import main
from include.check_data.render import as_html, as_text
from include.contract import contract
from include.demo import generate, write_csv

NOW = datetime(2026, 10, 1, tzinfo=UTC)
DAY = "2026-01-02T00:00:00Z"
#: A value of each type.
GOOD = {"string": "x", "integer": "1", "decimal": "1", "boolean": "true", "timestamp": DAY, "date": "2026-01-02", "json": "{}"}


def put(folder: Path, table: str, *rows: dict[str, str]) -> None:
    """A file whose rows have good values in the required columns, and these values."""
    entity = contract()[table]
    names = [name for name, each in entity.columns.items() if each.required or any(name in row for row in rows)]
    defaults = {
        name: (
            sorted(each.accepted_values)[0] if each.accepted_values else "o1" if name == "organization_id" else GOOD[each.type]
        )
        if each.required
        else ""
        for name, each in entity.columns.items()
    }
    defaults |= dict.fromkeys(defaults.keys() & {"currency", "reporting_currency"}, "USD")
    lines = [",".join({**defaults, **row}[name] for name in names) for row in rows]
    (folder / f"{table}.csv").write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")


def put_company(folder: Path) -> None:
    """One organization with two accounts."""
    put(folder, "organizations", {"organization_id": "o1"})
    put(folder, "accounts", {"account_id": "a1"}, {"account_id": "a2"})


def findings(report: Report, kind: str) -> list[tuple[str, str | None, str, int, int | None]]:
    """Table, column, severity, count and line of each finding of a kind."""
    return [(each.table, each.column, each.severity, each.count, each.line) for each in report.findings if each.kind == kind]


def only(report: Report, kind: str) -> Finding:
    (found,) = [each for each in report.findings if each.kind == kind]
    return found


def test_the_demo_company_is_clean_but_for_its_labelled_cases(tmp_path: Path) -> None:
    company = generate(0.02, 7, NOW)
    write_csv(company, tmp_path)
    report = check(tmp_path, NOW)
    assert not report.blocked and report.notes == []
    optional = dict.fromkeys((name for name, entity in contract().items() if entity.optional), 0)
    assert {table.table: table.rows for table in report.tables} == optional | {
        name: table.num_rows for name, table in company.tables.items()
    }
    assert all(table.keys == table.rows for table in report.tables if table.table != "usage_events")
    assert {each.kind for each in report.findings} <= {"orphan", "no_rate", "gap", "empty"}
    assert all(each.count == 1 for each in report.findings if each.kind in ("orphan", "no_rate"))


def test_rows_keys_and_shares_without_a_value(tmp_path: Path) -> None:
    put(tmp_path, "organizations", {"organization_id": "o1"})
    put(
        tmp_path,
        "accounts",
        {"account_id": "a1", "city": "York"},
        {"account_id": "a2"},
        {"account_id": "a3"},
        {"account_id": "a4"},
    )
    report = check(tmp_path, NOW)
    assert report.findings == []
    accounts = next(each for each in report.tables if each.table == "accounts")
    assert (accounts.file, accounts.rows, accounts.keys) == ("accounts.csv", 4, 4)
    assert (accounts.nulls["city"], accounts.nulls["domain"]) == (0.75, 1.0)
    assert "account_id" not in accounts.nulls
    orders = next(each for each in report.tables if each.table == "orders")
    assert (orders.file, orders.rows, orders.keys, orders.first) == (None, 0, 0, None)
    (missing,) = [note for note in report.notes if "orders" in note]
    assert missing.startswith("no file has contacts, activities, ") and missing.endswith(": these tables are empty")
    assert "no file" not in as_text(report).partition("note:")[0]


def test_what_the_reader_refuses_blocks(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(
        tmp_path,
        "contacts",
        {"contact_id": "c1", "account_id": "a1"},
        {"contact_id": "c1", "account_id": "a1"},
        {"updated_at": "soon"},
    )
    (tmp_path / "fx_rates.csv").write_text("rate_date,rate_to_usd\n2026-01-02,1\n")
    report = check(tmp_path, NOW)
    assert report.blocked
    found = {(each.table, each.column): each for each in report.findings if each.severity == "block"}
    assert found["contacts", "contact_id"].message == '"o1|c1" is already the key of line 2'
    assert found["contacts", "contact_id"].remedy == "export one row per key, the latest"
    assert (found["contacts", "updated_at"].line, found["contacts", "updated_at"].count) == (4, 1)
    assert (found["fx_rates", "currency"].line, found["fx_rates", "currency"].remedy) == (1, "add the column to the export")


def test_a_column_without_any_value_is_named(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(tmp_path, "accounts", {"account_id": "a1", "domain": "", "city": ""}, {"account_id": "a2", "city": "York"})
    assert findings(check(tmp_path, NOW), "empty") == [("accounts", "domain", "warn", 2, 2)]


def test_unknown_words_are_counted_with_the_nearest_known_word(tmp_path: Path) -> None:
    put_company(tmp_path)
    stages = ["Closed Won", "closedwon", "won", "negotation", "Negotation", "whatever", "closed-lost"]
    put(tmp_path, "deals", *({"deal_id": f"d{n}", "account_id": "a1", "stage": stage} for n, stage in enumerate(stages)))
    put(tmp_path, "accounts", {"account_id": "a1", "status": "Active"}, {"account_id": "a2", "status": "in active"})
    report = check(tmp_path, NOW)
    assert findings(report, "unknown_word") == [
        ("accounts", "status", "warn", 1, 3),
        ("deals", "stage", "warn", 2, 5),
        ("deals", "stage", "warn", 1, 7),
    ]
    words = [each for each in report.findings if each.kind == "unknown_word"]
    assert words[0].remedy == "write inactive, or add the word to include/contract"
    assert words[1].message == '"negotation" is no known word'
    assert words[1].remedy == "write negotiation, or add the word to the variable deal_stage_synonyms in dbt/dbt_project.yml"
    known = words[2].remedy.partition(", or add")[0].removeprefix("write one of ").split(", ")
    assert (known[0], len(known), known[-1]) == ("closed_lost", 9, "…")


def test_words_of_a_seed_and_of_synonyms_are_known(tmp_path: Path) -> None:
    put_company(tmp_path)
    words = {"billing_interval": "Per six months", "status": "live", "started_at": DAY}
    put(
        tmp_path,
        "subscriptions",
        *({"subscription_id": f"s{n}", "account_id": "a1"} | words for n in range(2)),
        {"status": "zzz"},
    )
    put(tmp_path, "tickets", {"ticket_id": "t1", "priority": "Urgent", "status": "waiting for customer"})
    put(
        tmp_path,
        "ticket_sla_events",
        {"ticket_id": "t1", "metric": "first reply time"},
        {"ticket_id": "t1", "metric": "next_reply"},
    )
    report = check(tmp_path, NOW)
    found = findings(report, "unknown_word")
    assert [each for each in found if each[1] != "billing_interval"] == [
        ("subscriptions", "status", "warn", 1, 4),
        ("ticket_sla_events", "metric", "warn", 1, 3),
    ]
    assert ("subscriptions", "billing_interval", "warn", 1, 4) in found


def test_the_eleventh_unknown_word_is_only_counted(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(tmp_path, "accounts", *({"account_id": f"a{n}", "status": f"word{n}"} for n in range(13)))
    words = [each for each in check(tmp_path, NOW).findings if each.kind == "unknown_word"]
    assert len(words) == 11
    assert (words[-1].message, words[-1].count, words[-1].line) == ("3 more unknown words", 3, 12)


def test_orphans_are_counted_within_their_organization(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(tmp_path, "organizations", {"organization_id": "o1"}, {"organization_id": "o2"})
    put(
        tmp_path,
        "contacts",
        {"contact_id": "c1", "account_id": "a1"},
        {"contact_id": "c2", "account_id": "a9"},
        {"contact_id": "c3", "account_id": "a1", "organization_id": "o2"},
        {"contact_id": "c4", "account_id": "a1", "organization_id": "o9"},
    )
    put(tmp_path, "accounts", {"account_id": "a1", "parent_account_id": "a2"}, {"account_id": "a2", "parent_account_id": "a7"})
    report = check(tmp_path, NOW)
    assert sorted(findings(report, "orphan")) == [
        ("accounts", "parent_account_id", "warn", 1, 3),
        ("contacts", "account_id", "warn", 3, 3),
        ("contacts", "organization_id", "block", 1, 5),
    ]
    assert report.blocked
    assert report.findings[0].message == '"o9" is not in organizations'


def test_ids_of_a_table_that_is_missing_are_one_finding(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(
        tmp_path,
        "accounts",
        {"account_id": "a1"},
        {"account_id": "a2", "owner_user_id": "u1"},
        {"account_id": "a3", "owner_user_id": "u2"},
    )
    found = only(check(tmp_path, NOW), "orphan")
    assert (found.table, found.column, found.count, found.line) == ("accounts", "owner_user_id", 2, 3)
    assert (found.message, found.remedy) == ("users has no rows: what the column names is unknown", "export the rows of users")


def test_a_folder_without_organizations_is_blocked(tmp_path: Path) -> None:
    put(tmp_path, "accounts", {"account_id": "a1"})
    report = check(tmp_path, NOW)
    assert findings(report, "no_organization") == [("organizations", None, "block", 0, None)]
    assert findings(report, "orphan") == [("accounts", "organization_id", "block", 1, 2)]


def day_of(number: int) -> str:
    return f"{datetime(2026, 1, 1) + timedelta(days=number):%Y-%m-%d}T10:00:00Z"


def test_time_range_days_without_rows_and_gaps(tmp_path: Path) -> None:
    put_company(tmp_path)
    # 2 January to 1 March, without 11 to 30 January (20 days) and without 3 February.
    days = [n for n in range(1, 60) if not 10 <= n <= 29 and n != 33]
    put(tmp_path, "usage_events", *({"event_id": f"e{n}", "account_id": "a1", "occurred_at": day_of(n)} for n in days))
    report = check(tmp_path, NOW)
    events = next(each for each in report.tables if each.table == "usage_events")
    assert (str(events.first), str(events.last)) == ("2026-01-02 10:00:00+00:00", "2026-03-01 10:00:00+00:00")
    assert (events.days, events.days_without_rows) == (59, 21)
    found = only(report, "gap")
    assert (found.table, found.column, found.count, found.message) == (
        "usage_events",
        "occurred_at",
        20,
        "no row from 2026-01-11 to 2026-01-30",
    )
    # The first row after the gap is the tenth of the file.
    assert found.line == 11


def test_a_table_with_few_rows_has_no_gaps(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(tmp_path, "deals", *({"deal_id": f"d{n}", "account_id": "a1", "created_at": day_of(n)} for n in (0, 40, 90)))
    assert findings(check(tmp_path, NOW), "gap") == []


def test_events_that_are_delivered_twice_or_lie_in_the_future(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(
        tmp_path,
        "usage_events",
        {"event_id": "e1", "account_id": "a1"},
        {"event_id": "e1", "account_id": "a1"},
        {"event_id": "e2", "account_id": "a1", "occurred_at": "2026-10-01T00:00:00Z"},
    )
    report = check(tmp_path, NOW)
    assert not report.blocked
    assert findings(report, "repeated") == [("usage_events", "event_id", "warn", 1, 3)]
    assert findings(report, "future") == [("usage_events", "occurred_at", "warn", 1, 4)]


def test_currencies_without_a_rate_for_their_day(tmp_path: Path) -> None:
    put_company(tmp_path)
    put(tmp_path, "fx_rates", {"rate_date": "2026-01-02", "currency": "EUR"}, {"rate_date": "2026-02-02", "currency": "EUR"})
    rows = [
        ("EUR", "2026-01-02"),
        ("eur", "2026-01-09"),
        ("EUR", "2026-01-10"),
        ("EUR", "2026-01-01"),
        ("CHF", "2026-01-02"),
        ("USD", "2026-01-20"),
    ]
    put(
        tmp_path,
        "orders",
        *({"order_id": f"r{n}", "account_id": "a1", "currency": c, "ordered_at": d} for n, (c, d) in enumerate(rows)),
    )
    report = check(tmp_path, NOW)
    # A rate counts for seven days: 9 January has one, 10 January and 1 January have none.
    assert findings(report, "no_rate") == [("orders", "currency", "warn", 1, 6), ("orders", "currency", "warn", 2, 4)]
    assert [each.message for each in report.findings if each.kind == "no_rate"] == [
        "CHF has no exchange rate at all",
        "EUR has no exchange rate for 2026-01-10",
    ]


def test_an_amount_in_the_reporting_currency_needs_no_rate(tmp_path: Path) -> None:
    put(tmp_path, "organizations", {"organization_id": "o1", "reporting_currency": "EUR"})
    put(tmp_path, "accounts", {"account_id": "a1"})
    rows = ("EUR", "eur ", "USD", "EUR")
    put(
        tmp_path,
        "orders",
        *({"order_id": f"r{n}", "account_id": "a1", "currency": each, "ordered_at": DAY} for n, each in enumerate(rows)),
    )
    # The third order is in dollars: the rate of the reporting currency is missing.
    assert findings(check(tmp_path, NOW), "no_rate") == [("orders", "currency", "warn", 1, 4)]


def test_an_amount_without_both_rates_is_one_finding(tmp_path: Path) -> None:
    put(tmp_path, "organizations", {"organization_id": "o1", "reporting_currency": "EUR"})
    put(tmp_path, "accounts", {"account_id": "a1"})
    put(tmp_path, "orders", *({"order_id": f"r{n}", "account_id": "a1", "currency": "GBP", "ordered_at": DAY} for n in range(3)))
    found = only(check(tmp_path, NOW), "no_rate")
    assert (found.count, found.message) == (3, "EUR has no exchange rate at all, and GBP has no exchange rate at all")


def test_a_sparse_beginning_is_no_gap(tmp_path: Path) -> None:
    put_company(tmp_path)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    # Four rows three weeks apart, then one row each day but for twenty days.
    days = [0, 21, 42, 63, *range(64, 94), *range(114, 174)]
    put(
        tmp_path,
        "orders",
        *({"order_id": f"r{day}", "account_id": "a1", "ordered_at": (start + timedelta(days=day)).isoformat()} for day in days),
    )
    (found,) = [each for each in check(tmp_path, NOW).findings if each.kind == "gap"]
    assert (found.count, found.message) == (20, "no row from 2026-04-05 to 2026-04-24")


def test_the_command_prints_text_json_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, page = tmp_path / "a<b>", tmp_path / "page.html"
    folder.mkdir()
    put_company(folder)
    put(folder, "accounts", {"account_id": "a1", "status": "<script>"})
    assert main([str(folder), "--html", str(page)]) == 0
    text = capsys.readouterr().out
    assert 'warn  accounts  status      1  accounts.csv     2  "<script>" is no known word' in text
    assert "2 rows in 2 of 29 tables. A run can read the folder. 1 findings make figures unknown or wrong." in text
    html = page.read_text()
    assert "&lt;script&gt;" in html and "<script" not in html and "http" not in html and "a&lt;b&gt;" in html
    assert main([str(folder), "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert (read["blocked"], [each["count"] for each in read["findings"]]) == (False, [1])
    (folder / "organizations.csv").unlink()
    assert main([str(folder)]) == 1
    assert "Blocked: 2 findings stop a run, 1 more make figures unknown or wrong." in capsys.readouterr().out


def test_what_cannot_be_read_or_written_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err == f"Failed {tmp_path / 'nowhere'} is not a folder.\n"
    assert main([str(tmp_path), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert capsys.readouterr().err.startswith("Failed ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"PK\x03\x04",
        b"\xff\xfe",
        b'"',
        b"a,b\n1\n",
        "é".encode("cp1252"),
        b"organization_id\n" + b"x," * 5000,
        b"\r\r\r",
    ],
    ids=range(9),
)
def test_a_hostile_file_is_reported_and_never_a_traceback(tmp_path: Path, data: bytes) -> None:
    for name in contract():
        (tmp_path / f"{name}.csv").write_bytes(data)
    report = check(tmp_path, NOW)
    assert report.blocked
    assert {each.table for each in report.findings} >= contract().keys()
    assert as_text(report) and as_html(report)
