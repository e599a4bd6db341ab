"""Reads a company from a folder of CSV files, one per table. Errors name the file, the line and the column."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from include.demo.arrow import arrow_type
from include.demo.company import Company
from include.demo.csv_values import Bad, quoted, typed
from include.demo.schema import TABLES, Table

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ERRORS = 20
"""The greatest number of reported errors for one file."""

_LARGEST_FIELD = 2**31 - 1
#: Columns that a file need not have.
_OPTIONAL = frozenset({"merged_into_ticket_id", "paused_at"})


class CsvError(ValueError):
    """One or more files break the source contract. The message has one line per error."""


def tables_without_rows(folder: Path) -> list[str]:
    """The tables whose `<table>.csv` is missing in a folder or has at most a header."""

    def has_rows(file: Path) -> bool:
        if not file.exists():
            return False
        with file.open("rb") as lines:
            next(lines, None)
            return any(line.strip() for line in lines)

    return [name for name in TABLES if not has_rows(folder / f"{name}.csv")]


def read_csv(folder: Path) -> Company:
    """The company in the `<table>.csv` files of a folder, with warnings about missing files and unknown columns.

    An empty field is NULL. Instants without a time zone are UTC. A table without a file is empty. Columns that are not in
    the schema are kept as text. The delivery day of a usage event is the day on which it occurred.

    Raises:
        CsvError: the folder or a column is missing, or values are invalid. Up to 20 errors per file are listed.
    """
    if not folder.is_dir():
        raise CsvError(f"{folder} is not a folder.")
    tables: dict[str, pa.Table] = {}
    warnings, errors = _unknown_files(folder), []
    for table in TABLES.values():
        file = folder / f"{table.name}.csv"
        if not file.exists():
            warnings.append(f"{file.name} is missing: {table.name} is empty")
            tables[table.name] = _empty(table)
            continue
        reading = _Reading(table, file)
        tables[table.name] = reading.run()
        warnings += reading.warnings
        errors += reading.errors
    if errors:
        raise CsvError("\n".join(errors))
    events = tables["usage_events"]["occurred_at"].cast("date32").to_pylist()
    delivered: list[date] = [day for day in events if day is not None]
    return Company(tables=tables, as_of=None, delivered_on=delivered, warnings=warnings)


def _unknown_files(folder: Path) -> list[str]:
    known = {f"{name}.csv" for name in TABLES} | {"demo_cases.md"}
    unknown = sorted(file.name for file in folder.iterdir() if file.name not in known and not file.name.startswith("."))
    return [f"{name} is not a table of the source contract and is ignored" for name in unknown]


def _empty(table: Table) -> pa.Table:
    import pyarrow as pa

    return pa.table({column.name: pa.array([], arrow_type(column.type)) for column in table.columns})


class _Reading:
    """The state of reading one file: its rows, their line numbers, warnings and errors."""

    def __init__(self, table: Table, file: Path) -> None:
        self.table = table
        self.file = file
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self._found = 0
        self._header: list[str] = []
        self._rows: list[list[str]] = []
        self._lines: list[int] = []

    def run(self) -> pa.Table:
        """The table. Errors are collected in `errors`, in line order."""
        self._split()
        if not self.errors:
            self._check_header()
        if self.errors:
            return _empty(self.table)
        result = self._convert()
        if self._found > MOST_ERRORS:
            self.errors.append(f"{self.file.name}: {self._found - MOST_ERRORS} more errors like these")
        return result

    def _error(self, line: int, column: str | None, message: str) -> None:
        where = f"{self.file.name}, line {line}" + (f", column {column}" if column else "")
        self.errors.append(f"{where}: {message}")

    def _split(self) -> None:
        data = self.file.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            # Lines are counted as the CSV reader counts them: a single carriage return also ends a line.
            before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            self._error(before.count(b"\n") + 1, None, "not UTF-8: save the file as CSV in UTF-8")
            return
        csv.field_size_limit(_LARGEST_FIELD)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        line = 1
        try:
            for row in reader:
                if not self._header:
                    self._header = [name.strip() for name in row]
                elif row:
                    self._rows.append(row)
                    self._lines.append(line)
                line = reader.line_num + 1
        except csv.Error as error:
            self._error(line, None, f"broken quoting or a character that CSV cannot hold ({error})")

    def _check_header(self) -> None:
        names = Counter(self._header)
        if not self._header:
            self._error(1, None, "the file is empty: its first line must name the columns")
            return
        if len(self._header) == 1 and (";" in self._header[0] or "\t" in self._header[0]):
            self._error(1, None, "the columns must be separated by commas")
            return
        for name, count in names.items():
            if count > 1:
                self._error(1, name, f"the column occurs {count} times")
        for column in self.table.columns:
            if column.name not in names and column.name not in _OPTIONAL:
                self._error(1, column.name, "the column is missing")
        for name in names:
            if name not in self.table.by_name:
                self.warnings.append(
                    f"{self.file.name}: column {name or '(without a name)'} is not in the contract; kept as text"
                )

    def _convert(self) -> pa.Table:
        import pyarrow as pa

        width = len(self._header)
        ragged = [number for number, row in enumerate(self._rows) if len(row) != width]
        if ragged:
            self._report([(number, None, f"{len(self._rows[number])} fields, not {width}") for number in ragged])
            return _empty(self.table)
        texts = list(zip(*self._rows, strict=True)) if self._rows else [()] * width
        by_name = dict(zip(self._header, texts, strict=True))
        columns: dict[str, pa.Array] = {}
        bad: list[tuple[int, str | None, str]] = []
        for column in self.table.columns:
            values = [text or None for text in by_name.get(column.name, [""] * len(self._rows))]
            columns[column.name], wrong = typed(values, column.type)
            if not column.nullable:
                wrong += [(number, "empty, but a value is required") for number, text in enumerate(values) if text is None]
            bad += [(number, column.name, message) for number, message in wrong]
        bad += [(number, self.table.id, message) for number, message in self._repeated_keys(by_name)]
        self._report(bad)
        for name in self._header:
            if name not in columns:
                columns[name] = pa.array([text or None for text in by_name[name]], pa.string())
        return pa.table(columns)

    def _repeated_keys(self, by_name: dict[str, tuple[str, ...]]) -> list[Bad]:
        """Rows of a CRM table with the key of an earlier row. Keys are unique in the CRM database."""
        if self.table.system != "crm":
            return []
        first: dict[tuple[str, ...], int] = {}
        repeated = []
        for number, key in enumerate(zip(*(by_name[name] for name in self.table.key), strict=True)):
            if first.setdefault(key, number) != number and all(key):
                repeated.append((number, f"{quoted('|'.join(key))} is already the key of line {self._lines[first[key]]}"))
        return repeated

    def _report(self, bad: list[tuple[int, str | None, str]]) -> None:
        """Report invalid values with the line of the field. It can be below the first line of the record."""
        positions = {name: position for position, name in enumerate(self._header)}
        self._found += len(bad)
        for number, column, message in sorted(bad, key=lambda wrong: (wrong[0], positions.get(wrong[1] or "", 0)))[:MOST_ERRORS]:
            before = self._rows[number][: positions[column]] if column else []
            line = self._lines[number] + sum(_line_ends(text) for text in before)
            self._error(line, column, message)


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
