"""CSV output and input: no data is lost, and errors name the file, the line and the column."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.demo import Company, CsvError, read_csv, write_csv
from include.demo.csv_in import tables_without_rows
from include.demo.schema import TABLES

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
    "time": "09:00",
    "json": "",
}


def put(folder: Path, table: str, *lines: str, end: str = "\n") -> None:
    (folder / f"{table}.csv").write_text(end.join(lines) + end, encoding="utf-8", newline="")


def errors(folder: Path) -> list[str]:
    with pytest.raises(CsvError) as caught:
        read_csv(folder)
    return str(caught.value).splitlines()


def test_a_company_is_unchanged_after_writing_and_reading(company: Company, tmp_path: Path) -> None:
    write_csv(company, tmp_path)
    again = read_csv(tmp_path)
    assert again.warnings == []
    for name in TABLES:
        assert again.tables[name].equals(company.tables[name].combine_chunks()), name


def test_written_csv_is_stable_and_has_plain_numbers(company: Company, tmp_path: Path) -> None:
    write_csv(company, tmp_path / "one")
    write_csv(read_csv(tmp_path / "one"), tmp_path / "two")
    for name in TABLES:
        assert (tmp_path / "one" / f"{name}.csv").read_bytes() == (tmp_path / "two" / f"{name}.csv").read_bytes()
    text = (tmp_path / "one" / "orders.csv").read_text()
    assert "E-9" not in text
    assert text.splitlines()[1].count("T") >= 2


def test_a_missing_file_is_an_empty_table_and_a_warning(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES, LINE)
    (tmp_path / "facilites.csv").write_text("x\n1\n")
    company = read_csv(tmp_path)
    assert company.tables["facilities"].num_rows == 1
    assert company.tables["orders"].num_rows == 0
    assert company.tables["orders"].column_names == [column.name for column in TABLES["orders"].columns]
    assert "orders.csv is missing: orders is empty" in company.warnings
    assert "facilites.csv is not a table of the source contract and is ignored" in company.warnings


def test_an_unknown_column_is_kept_as_text(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES + ",floor", LINE + ",03")
    company = read_csv(tmp_path)
    assert company.tables["facilities"]["floor"].to_pylist() == ["03"]
    assert "facilities.csv: column floor is not in the contract; kept as text" in company.warnings


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES.replace("city,", ""), LINE)
    assert errors(tmp_path) == ["facilities.csv, line 1, column city: the column is missing"]


@pytest.mark.parametrize(("table", "optional"), [("tickets", "merged_into_ticket_id"), ("subscriptions", "paused_at")])
def test_a_file_need_not_have_a_column_that_few_systems_record(tmp_path: Path, table: str, optional: str) -> None:
    header = ",".join(column.name for column in TABLES[table].columns if column.name != optional)
    values = {column.name: "" if column.nullable else GOOD[column.type] for column in TABLES[table].columns}
    put(tmp_path, table, header, ",".join(values[name] for name in header.split(",")))
    assert read_csv(tmp_path).tables[table][optional].to_pylist() == [None]


def test_columns_in_another_order_and_windows_files_are_read(tmp_path: Path) -> None:
    put(tmp_path, "fx_rates", "\ufeffcurrency,rate_to_usd,rate_date", "EUR,1.10,2026-01-02", end="\r\n")
    (row,) = read_csv(tmp_path).tables["fx_rates"].to_pylist()
    assert (row["currency"], row["rate_date"].isoformat(), str(row["rate_to_usd"])) == ("EUR", "2026-01-02", "1.100000000")


def test_several_formats_of_an_instant_are_accepted(tmp_path: Path) -> None:
    lines = [
        "f1,o1,Office,York,North,2026-01-01T02:00:00+02:00,2026-01-01",
        "f2,o1,Office,York,North,2026-01-01 00:00:00,2026-01-01T00:00:00.25Z",
    ]
    put(tmp_path, "facilities", FACILITIES, *lines)
    company = read_csv(tmp_path)
    written = tmp_path / "written"
    write_csv(company, written)
    assert (written / "facilities.csv").read_text().splitlines()[1:] == [
        "f1,o1,Office,York,North,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z",
        "f2,o1,Office,York,North,2026-01-01T00:00:00Z,2026-01-01T00:00:00.25Z",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-02-30,EUR,1.1", 'column rate_date: "2026-02-30" is not a date (write 2026-10-01)'),
        ("2026-01-02,,1.1", "column currency: empty, but a value is required"),
        ("2026-01-02,EUR,", "column rate_to_usd: empty, but a value is required"),
        ('2026-01-02,EUR,"1,1"', 'column rate_to_usd: "1,1" is not a number (write 1234.50)'),
        ("2026-01-02,EUR,1.12345678901", 'column rate_to_usd: "1.12345678901" has more than 9 decimal places'),
        ("2026-01-02,EUR,NaN", 'column rate_to_usd: "NaN" is not a number of at most 29 digits'),
        ("2026-01-02,EUR", "2 fields, not 3"),
        ("2026-01-02,EUR,1.1,", "4 fields, not 3"),
    ],
)
def test_a_bad_value_is_named_by_file_line_and_column(tmp_path: Path, line: str, message: str) -> None:
    put(tmp_path, "fx_rates", RATES, "2026-01-01,EUR,1.1", "", line, "2026-01-03,EUR,1.1")
    separator = " " if message.startswith("column") else ""
    where = "fx_rates.csv, line 4, " if separator else "fx_rates.csv, line 4: "
    assert errors(tmp_path) == [where + message]


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("users", "is_active", "maybe", "is neither true nor false"),
        ("products", "stock_quantity", "1.0", "is not a whole number"),
        ("products", "stock_quantity", "0x1F", "is not a whole number"),
        ("products", "stock_quantity", "9223372036854775808", "is not a whole number"),
        ("orders", "ordered_at", "01/02/2026", "is not an ISO 8601 instant (write 2026-10-01T09:30:00Z)"),
        ("business_hours", "opens_at", "9:30", "is not a time of day (write 09:30)"),
        ("usage_events", "properties", "[1]", "is not a JSON object"),
    ],
)
def test_each_type_rejects_invalid_values(tmp_path: Path, table: str, column: str, value: str, message: str) -> None:
    columns = TABLES[table].columns
    put(
        tmp_path,
        table,
        ",".join(each.name for each in columns),
        ",".join(value if each.name == column else GOOD[each.type] for each in columns),
    )
    assert errors(tmp_path) == [f'{table}.csv, line 2, column {column}: "{value}" {message}']


def test_line_numbers_are_correct_after_newlines_in_fields(tmp_path: Path) -> None:
    lines = ['f1,o1,"two', 'lines",York,North,2026-01-01,2026-01-01', 'f2,o1,"a', "b", 'c",York,"N', 'W",yesterday,2026-01-01']
    put(tmp_path, "facilities", FACILITIES, *lines)
    assert errors(tmp_path) == [
        'facilities.csv, line 7, column created_at: "yesterday" is not an ISO 8601 instant (write 2026-10-01T09:30:00Z)'
    ]


def test_twenty_errors_of_a_file_are_listed_and_the_rest_is_counted(tmp_path: Path) -> None:
    put(tmp_path, "fx_rates", RATES, *(f"2026-01-02,EUR,bad{number}" for number in range(25)))
    put(tmp_path, "facilities", FACILITIES, ",o1,Office,York,North,2026-01-01,2026-01-01")
    found = errors(tmp_path)
    assert found[0] == "facilities.csv, line 2, column facility_id: empty, but a value is required"
    assert len(found) == 1 + 20 + 1
    assert found[20].startswith("fx_rates.csv, line 21, column rate_to_usd")
    assert found[21] == "fx_rates.csv: 5 more errors like these"


def test_a_duplicate_key_of_a_crm_table_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES, LINE, LINE.replace("f1", "f2"), LINE.replace("o1", "o2"), LINE)
    assert errors(tmp_path) == ['facilities.csv, line 5, column facility_id: "o1|f1" is already the key of line 2']


def test_a_file_that_is_not_csv_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "facilities.csv").write_bytes(b"")
    (tmp_path / "fx_rates.csv").write_bytes((RATES + "\n2026-01-02,EUR,1.1\n").encode() + b"2026-01-02,\xff,1.1\n")
    put(tmp_path, "holidays", "organization_id;holiday_date;name", "o1;2026-01-01;x")
    put(tmp_path, "users", ",".join(column.name for column in TABLES["users"].columns), 'u1,"never closed')
    found = errors(tmp_path)
    assert "facilities.csv, line 1: the file is empty: its first line must name the columns" in found
    assert "fx_rates.csv, line 3: not UTF-8: save the file as CSV in UTF-8" in found
    assert "holidays.csv, line 1: the columns must be separated by commas" in found
    assert any(line.startswith("users.csv, line 2: broken quoting") for line in found)
    with pytest.raises(CsvError, match="is not a folder"):
        read_csv(tmp_path / "nowhere")


def test_a_megabyte_of_text_fits_in_a_field(tmp_path: Path) -> None:
    text = 'x"' * 500_000 + "\n🙃"
    put(tmp_path, "facilities", FACILITIES, LINE.replace("Office", '"' + text.replace('"', '""') + '"'))
    assert read_csv(tmp_path).tables["facilities"]["name"].to_pylist() == [text]


def test_tables_without_rows(tmp_path: Path) -> None:
    put(tmp_path, "facilities", FACILITIES)
    put(tmp_path, "fx_rates", RATES, "2026-01-01,EUR,1.1")
    assert set(tables_without_rows(tmp_path)) == set(TABLES) - {"fx_rates"}
