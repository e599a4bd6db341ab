"""A folder of CSV files: what is read, and how every fault is named by file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.contract import contract
from include.csv_data import Folder, listed, read_folder, tables_without_rows

FACILITIES = "facility_id,organization_id,name,city,region,created_at,updated_at"
RATES = "rate_date,currency,rate_to_usd"
LINE = "f1,o1,Office,York,North,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z"
#: A value of each type.
GOOD = {
    "string": "x",
    "integer": "1",
    "decimal": "1.00",
    "boolean": "true",
    "timestamp": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "json": "",
}


def put(folder: Path, table: str, *lines: str, end: str = "\n", encoding: str = "utf-8") -> None:
    (folder / f"{table}.csv").write_bytes((end.join(lines) + end).encode(encoding))


def put_value(folder: Path, table: str, column: str, value: str) -> None:
    """One row in which one column has this value."""
    columns = contract()[table].columns
    row = (f'"{value}"' if name == column else GOOD[each.type] for name, each in columns.items())
    put(folder, table, ",".join(columns), ",".join(row))


def problems(folder: Path) -> list[str]:
    return listed(read_folder(folder).problems)


def column(found: Folder, table: str, name: str) -> list[str]:
    return [str(value) for value in found.tables[table].data[name].to_pylist()]


def notes(found: Folder, table: str) -> list[str]:
    """The notes on one file."""
    return [note for note in found.notes if note.startswith(f"{table}.csv: ")]


def test_a_missing_file_is_an_empty_table_and_a_note(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES, LINE)
    (tmp_path / "facilites.csv").write_text("x\n1\n")
    (tmp_path / "ORDERS.txt").write_text("")
    found = read_folder(tmp_path)
    assert found.problems == []
    assert found.tables["facilities"].data.num_rows == 1
    assert found.tables["orders"].data.num_rows == 0
    assert found.tables["orders"].data.column_names == list(contract()["orders"].columns)
    assert "orders" in found.missing
    assert "facilites.csv is not a table of the source contract and is ignored; is facilities.csv meant?" in found.notes
    assert any(note.startswith("ORDERS.txt is not a table") for note in found.notes)


def test_a_column_that_is_not_required_may_be_missing(tmp_path: Path) -> None:
    columns = contract()["tickets"].columns
    required = [name for name, each in columns.items() if each.required]
    put(tmp_path, "tickets", ",".join(required), ",".join(GOOD[columns[name].type] for name in required))
    found = read_folder(tmp_path)
    assert found.problems == []
    assert column(found, "tickets", "csat_score") == ["None"]
    assert found.tables["tickets"].present == frozenset(required)
    (note,) = notes(found, "tickets")
    assert note.startswith("tickets.csv: no column ") and note.endswith(": unknown") and "csat_score" in note


def test_a_required_column_that_is_missing_is_named_beside_the_other_faults(tmp_path: Path) -> None:
    put(tmp_path, "fx_rates", "rate_date,rate_to_usd", "2026-01-01,x")
    assert problems(tmp_path) == [
        "fx_rates.csv, line 1, column currency: the column is missing",
        'fx_rates.csv, line 2, column rate_to_usd: "x" is not a number of at most 29 digits before the point (write 1234.50)',
    ]


def test_an_unknown_column_is_kept_as_text(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES.replace("city", "cityy") + ",floor", LINE + ",03")
    found = read_folder(tmp_path)
    assert column(found, "facilities", "floor") == ["03"]
    assert "facilities.csv: column floor is not in the contract; kept as text" in found.notes
    assert "facilities.csv: column cityy is not in the contract; kept as text; is city meant?" in found.notes


@pytest.mark.parametrize(
    "header", ["RATE_DATE,Currency,RATE TO USD", "Rate Date,CURRENCY,rateToUsd", "rate-date, currency ,Rate_To_Usd"]
)
def test_the_case_of_a_header_does_not_count(tmp_path: Path, header: str) -> None:
    put(tmp_path, "FX_Rates", header, "2026-01-02,EUR,1.1")
    found = read_folder(tmp_path)
    assert found.problems == [] and notes(found, "FX_Rates") == []
    assert column(found, "fx_rates", "rate_to_usd") == ["1.100000000"]


@pytest.mark.parametrize(
    ("header", "where", "message"),
    [
        (RATES + ",", "", "column 4 has no name, but values: name it, or remove the column"),
        (RATES + ",Currency", ", column Currency", "the column occurs twice: currency is the same column"),
        (RATES + ",currency", ", column currency", "the column occurs twice"),
        (RATES + ",ctid", ", column ctid", "the name is reserved by databases: rename or remove the column"),
        (RATES + "," + "a" * 64, f", column {'a' * 40}…", "the name is longer than 63 bytes, which a database cuts: shorten it"),
        (RATES + ",x\0y", "", "the header has a NUL character in column 4: is this a text file?"),
        (RATES + ',"x', "", "the header has a quote that is not closed or not doubled (unexpected end of data)"),
    ],
)
def test_a_faulty_header_is_named(tmp_path: Path, header: str, where: str, message: str) -> None:
    put(tmp_path, "fx_rates", header, "2026-01-02,EUR,1.1,y")
    assert problems(tmp_path) == [f"fx_rates.csv, line 1{where}: {message}"]


def test_a_last_column_without_name_and_values_is_ignored(tmp_path: Path) -> None:
    put(tmp_path, "fx_rates", RATES + ",", "2026-01-02,EUR,1.1,")
    found = read_folder(tmp_path)
    assert found.problems == []
    assert notes(found, "fx_rates") == ["fx_rates.csv: column 4 has no name and no values; ignored"]


@pytest.mark.parametrize(
    ("delimiter", "end", "encoding"),
    [(",", "\r\n", "utf-8-sig"), (";", "\n", "utf-8"), ("\t", "\r", "utf-16"), ("|", "\r\n", "utf-16-le"), (",", "\n", "utf-32")],
)
def test_files_of_spreadsheets_are_read(tmp_path: Path, delimiter: str, end: str, encoding: str) -> None:
    lines = [
        line.replace(",", delimiter) for line in ("currency,rate_to_usd,rate_date", "EUR,1.10,2026-01-02", "CHF,1.2,2026-01-02")
    ]
    put(tmp_path, "fx_rates", *lines, end=end, encoding=encoding)
    found = read_folder(tmp_path)
    assert found.problems == []
    assert column(found, "fx_rates", "rate_to_usd") == ["1.100000000", "1.200000000"]
    assert found.tables["fx_rates"].lines == [2, 3]


def test_the_line_that_names_the_delimiter_for_excel_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, "fx_rates", "sep=;", RATES.replace(",", ";"), "2026-01-02;EUR;x")
    assert problems(tmp_path)[0].startswith('fx_rates.csv, line 3, column rate_to_usd: "x" is not a number')


def test_a_guessed_encoding_is_read_and_noted_with_a_line_that_shows_it(tmp_path: Path) -> None:
    put(
        tmp_path, "facilities", FACILITIES, LINE, LINE.replace("f1", "f2").replace("Office", "Büro Köln"), encoding="windows-1252"
    )
    found = read_folder(tmp_path)
    assert found.problems == []
    assert column(found, "facilities", "name") == ["Office", "Büro Köln"]
    (note,) = notes(found, "facilities")
    assert note.startswith('facilities.csv: not UTF-8; read as cp1252. Line 3: "f2,o1,Büro Köln,')


def test_one_damaged_line_does_not_change_the_encoding_of_the_others(tmp_path: Path) -> None:
    good = LINE.replace("Office", "Büro Köln").encode()
    (tmp_path / "facilities.csv").write_bytes(
        b"\n".join([FACILITIES.encode(), good, LINE.replace("f1", "f2").encode() + b"\xff"])
    )
    found = read_folder(tmp_path)
    assert column(found, "facilities", "name") == ["Büro Köln"]
    assert listed(found.problems) == [
        "facilities.csv, line 3: bytes in column updated_at that are not utf-8: save the file as CSV in UTF-8"
    ]


@pytest.mark.parametrize(
    ("table", "name", "value", "expected"),
    [
        ("products", "stock_quantity", "5.0", "5"),
        ("products", "stock_quantity", " +7 ", "7"),
        ("products", "unit_price", "0.1000000000000000055", "0.100000000"),
        ("products", "unit_price", "0.1234567895", "0.123456790"),
        ("products", "unit_price", "-0.1234567895", "-0.123456790"),
        ("products", "unit_price", "0.1234567894" + "9" * 40, "0.123456789"),
        ("products", "unit_price", "1e3", "1000.000000000"),
        ("users", "is_active", "Y", "True"),
        ("users", "is_active", "n", "False"),
        ("users", "is_active", "FALSE", "False"),
        ("orders", "ordered_at", "2026-10-01 12:00:00 UTC", "2026-10-01 12:00:00+00:00"),
        ("orders", "ordered_at", "2026-10-01 12:00:00.25", "2026-10-01 12:00:00.250000+00:00"),
        ("orders", "ordered_at", "2026-10-01T12:00Z", "2026-10-01 12:00:00+00:00"),
        ("orders", "ordered_at", "2026-10-01T12:00:00+02:00", "2026-10-01 10:00:00+00:00"),
        ("orders", "ordered_at", "2026-10-01 12:00:00+02", "2026-10-01 10:00:00+00:00"),
        ("orders", "ordered_at", "2026-10-01", "2026-10-01 00:00:00+00:00"),
        ("accounts", "signup_date", "2026-10-01 00:00:00", "2026-10-01"),
        ("accounts", "signup_date", "2026-10-01 00:00:00 UTC", "2026-10-01"),
        ("usage_events", "properties", "[1]", "[1]"),
    ],
)
def test_forms_of_values_that_systems_export_are_read(tmp_path: Path, table: str, name: str, value: str, expected: str) -> None:
    put_value(tmp_path, table, name, value)
    found = read_folder(tmp_path)
    assert listed(found.problems) == []
    assert column(found, table, name) == [expected]


NUMBER = "is not a number of at most 29 digits before the point (write 1234.50)"
WHOLE = "is not a whole number (write 1234)"
INSTANT = "is not an ISO 8601 instant (write 2026-10-01T09:30:00Z)"


@pytest.mark.parametrize(
    ("table", "name", "value", "message"),
    [
        ("users", "is_active", "maybe", "is neither true nor false"),
        ("products", "stock_quantity", "1.5", WHOLE),
        ("products", "stock_quantity", "0x1F", WHOLE),
        ("products", "stock_quantity", "9223372036854775808", WHOLE),
        ("products", "stock_quantity", "1,234", "has thousands separators (write 1234.50)"),
        ("products", "unit_price", "1.234.567,89", "has thousands separators (write 1234.50)"),
        ("products", "unit_price", "1 234.50", "has thousands separators (write 1234.50)"),
        ("products", "unit_price", "1,1", "has a decimal comma (write 1234.50)"),
        ("products", "unit_price", "NaN", NUMBER),
        ("products", "unit_price", "$5", NUMBER),
        ("products", "unit_price", "1" + "0" * 29, NUMBER),
        ("orders", "ordered_at", "01/02/2026", INSTANT),
        ("orders", "ordered_at", "2026-02-30T00:00:00Z", INSTANT),
        ("orders", "ordered_at", "2026-10-01 12:00:00 CET", INSTANT),
        ("accounts", "signup_date", "2026-02-30", "is not a date (write 2026-10-01)"),
        ("usage_events", "properties", "{", "is not JSON"),
    ],
)
def test_each_type_refuses_other_values(tmp_path: Path, table: str, name: str, value: str, message: str) -> None:
    put_value(tmp_path, table, name, value)
    shown = value if len(value) <= 60 else value[:60] + "…"
    assert problems(tmp_path) == [f'{table}.csv, line 2, column {name}: "{shown}" {message}']


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-01-02,,1.1", ", column currency: empty, but a value is required"),
        ("2026-01-02,EUR", ": 2 fields instead of 3"),
        ("2026-01-02,EUR,1.1,", ": 4 fields instead of 3"),
        ('2026-01-02,"E"UR,1.1', ": a quote inside a quoted field that is not doubled"),
        ("2026-01-02,E\0R,1.1", ": a NUL character in column currency: is this a text file?"),
    ],
)
def test_a_broken_record_stops_no_other(tmp_path: Path, line: str, message: str) -> None:
    put(tmp_path, "fx_rates", RATES, "2026-01-01,EUR,1.1", "", line, "2026-01-03,EUR,1.1", "2026-01-04,EUR,x")
    first, second = problems(tmp_path)
    assert first == "fx_rates.csv, line 4" + message
    assert second.startswith('fx_rates.csv, line 6, column rate_to_usd: "x"')


def test_a_quote_that_is_never_closed_hides_the_rest_of_the_file(tmp_path: Path) -> None:
    put(tmp_path, "fx_rates", RATES, "2026-01-01,EUR,1.1", '2026-01-02,"EUR,1.1', "2026-01-03,EUR,1.1", "2026-01-04,EUR,1.1")
    assert problems(tmp_path) == [
        "fx_rates.csv, line 3: a quote that is never closed: the rest of the file cannot be read",
        "fx_rates.csv, line 4: inside the quote of line 3 that is never closed; 1 more like this",
    ]


def test_line_numbers_are_correct_after_newlines_in_fields(tmp_path: Path) -> None:
    lines = ['f1,o1,"two', 'lines",York,North,2026-01-01,2026-01-01', 'f2,o1,"a', "b", 'c",York,"N', 'W",yesterday,2026-01-01']
    put(tmp_path, "facilities", FACILITIES, *lines)
    assert problems(tmp_path) == [f'facilities.csv, line 7, column created_at: "yesterday" {INSTANT}']


def test_faults_are_grouped_by_column_and_kind(tmp_path: Path) -> None:
    lines = [f"2026-01-{number:02},EUR,bad{number}" for number in range(2, 27)]
    put(tmp_path, "fx_rates", RATES, *lines, '2026-02-01,EUR,"1,5"', "soon,EUR,1", ",EUR,1", "later,EUR,1")
    put(tmp_path, "facilities", FACILITIES, ",o1,Office,York,North,2026-01-01,2026-01-01")
    assert problems(tmp_path) == [
        "facilities.csv, line 2, column facility_id: empty, but a value is required",
        f'fx_rates.csv, line 2, column rate_to_usd: "bad2" {NUMBER}; 24 more like this',
        'fx_rates.csv, line 27, column rate_to_usd: "1,5" has a decimal comma (write 1234.50)',
        'fx_rates.csv, line 28, column rate_date: "soon" is not a date (write 2026-10-01); 1 more like this',
        "fx_rates.csv, line 29, column rate_date: empty, but a value is required",
    ]


def test_twenty_groups_of_a_file_are_listed_and_the_rest_is_counted(tmp_path: Path) -> None:
    extra = [f"{'x' * 64}{number:02}" for number in range(22)]
    header = ",".join([RATES, *(f"{number:02}{name}" for number, name in enumerate(extra))])
    put(tmp_path, "fx_rates", header, "2026-01-01,EUR,x" + "," * 22, "2026-01-02,EUR,x" + "," * 22)
    found = problems(tmp_path)
    assert len(found) == 21
    assert found[-1] == "fx_rates.csv: and 4 more errors in other columns or of other kinds"


def test_a_file_holds_one_row_per_key(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES, LINE, LINE.replace("f1", "f2"), LINE.replace("o1", "o2"), LINE, LINE)
    put(
        tmp_path,
        "usage_events",
        "event_id,organization_id,account_id,user_id,event_name,event_category,occurred_at",
        *["e,o,a,u,n,c,2026-01-01"] * 2,
    )
    assert problems(tmp_path) == [
        'facilities.csv, line 5, column facility_id: "o1|f1" is already the key of line 2; 1 more like this'
    ]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "facilities.csv").write_bytes(b"")
    (tmp_path / "holidays.csv").write_bytes(b"PK\x03\x04\x14\x00")
    (tmp_path / "users.csv").write_bytes(b"\n\r\n  \n")
    assert problems(tmp_path) == [
        "facilities.csv, line 1: the file is empty: its first line must name the columns",
        "holidays.csv, line 1: a ZIP archive, such as an Excel workbook: save it as CSV in UTF-8",
        "users.csv, line 1: the file is empty: its first line must name the columns",
    ]
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        read_folder(tmp_path / "nowhere")


def test_a_megabyte_of_text_fits_in_a_field(tmp_path: Path) -> None:
    text = 'x"' * 500_000 + "\n🙃"
    put(tmp_path, "facilities", FACILITIES, LINE.replace("Office", '"' + text.replace('"', '""') + '"'))
    assert column(read_folder(tmp_path), "facilities", "name") == [text]


def test_tables_without_rows(tmp_path: Path) -> None:
    """A file may have only a header, in any encoding, and lines of spaces. Case does not count in its name."""
    put(tmp_path, "facilities", FACILITIES, "", " ", encoding="utf-16")
    put(tmp_path, "FX_Rates", RATES, "", "2026-01-01,EUR,1.1")
    (tmp_path / "orders.csv").write_bytes(b"")
    assert set(tables_without_rows(tmp_path)) == set(contract()) - {"fx_rates", "orders"}
    assert set(tables_without_rows(tmp_path / "nowhere")) == set(contract())
