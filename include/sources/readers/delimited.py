"""Splits CSV texts into records. A broken record is listed with its line and the reason, and stops no other record."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from include.sources.readers.texts import UNDECODED, Text, Unreadable, printable

DELIMITERS = ",;\t|"
_LARGEST_FIELD = 2**31 - 1
_EXCEL_HINT = re.compile(r'"?sep=(.)"?\s*')


@dataclass(frozen=True)
class BadRecord:
    """A record that cannot be read: its first line in the file, from 1, the reason, and its text as it was received."""

    line: int
    reason: str
    text: str


@dataclass
class Delimited:
    """The records of a CSV text.

    Attributes:
        header: the names of the columns, without surrounding spaces.
        rows: the fields of each record, as many as the header has.
        lines: the first line of each record in the file, from 1.
        bad: the records that cannot be read, by line.
        delimiter: what separates the fields.
    """

    header: list[str]
    delimiter: str
    header_line: int = 1
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)

    @property
    def repeated(self) -> dict[str, int]:
        """The names that occur more than once in the header, and how often."""
        return {name: count for name, count in Counter(self.header).items() if name and count > 1}

    def columns(self) -> list[tuple[str, ...]]:
        """The fields by column, in the order of the header."""
        return list(zip(*self.rows, strict=True)) if self.rows else [()] * len(self.header)

    def line_of(self, row: int, column: int) -> int:
        """The line on which a field begins. It can be below the first line of its record."""
        return self.lines[row] + sum(_line_ends(text) for text in self.rows[row][:column])


def split(text: Text) -> Delimited:
    """All records of a CSV text with a header (RFC 4180; LF, CR LF or CR; comma, semicolon, tab or `|`). Empty lines do not count.

    Raises:
        Unreadable: the text is empty, or its header cannot be read.
    """
    return next(batches(text, sys.maxsize))


def batches(text: Text, size: int) -> Iterator[Delimited]:
    """The records as `split` reads them, in parts of at most `size` rows. There is at least one part.

    Raises:
        Unreadable: the text is empty, or its header cannot be read.
    """
    lines = list(io.StringIO(text.text, newline=""))
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    hint = _EXCEL_HINT.fullmatch(lines[start]) if start < len(lines) else None
    start += hint is not None
    if start == len(lines):
        raise Unreadable("the file is empty: its first line must name the columns", 1)
    yield from _Splitter(lines, start, hint[1] if hint else _delimiter(lines[start]), text.encoding).run(size)


def _delimiter(header: str) -> str:
    """The delimiter that gives most columns; the comma if none gives two."""
    try:
        return max(DELIMITERS, key=lambda each: len(next(csv.reader([header], delimiter=each))))
    except csv.Error:
        return ","


class _Splitter:
    def __init__(self, lines: list[str], start: int, delimiter: str, encoding: str) -> None:
        csv.field_size_limit(_LARGEST_FIELD)
        self._lines = lines
        self._start = start
        self._encoding = encoding
        self._reader = csv.reader(iter(lines[start:]), delimiter=delimiter, strict=True)
        self._delimiter = delimiter

    def run(self, size: int) -> Iterator[Delimited]:
        found = Delimited(self._header(), self._delimiter, self._start + 1)
        width = len(found.header)
        while True:
            line = self._start + self._reader.line_num + 1
            try:
                row = next(self._reader)
            except StopIteration:
                yield found
                return
            except csv.Error as error:
                found.bad += self._broken(line, error)
                continue
            if not row:
                continue
            reason = self._fault(row, width, found.header)
            if reason:
                found.bad.append(BadRecord(line, reason, self._received(line)))
            else:
                found.rows.append(row)
                found.lines.append(line)
            if len(found.rows) == size:
                yield found
                found = Delimited(found.header, self._delimiter, self._start + 1)

    def _header(self) -> list[str]:
        line = self._start + 1
        try:
            header = [name.strip() for name in next(self._reader)]
        except csv.Error as error:
            raise Unreadable(f"the header has a quote that is not closed or not doubled ({error})", line) from None
        if reason := self._fault(header, len(header), []):
            raise Unreadable(f"the header has {reason}", line)
        return header

    def _fault(self, row: list[str], width: int, names: list[str]) -> str | None:
        for number, text in enumerate(row):
            if "\0" in text:
                return f"a NUL character in {_name(number, names)}: is this a text file?"
            if not text.isascii() and UNDECODED.search(text):
                return f"bytes in {_name(number, names)} that are not {self._encoding}: save the file as CSV in UTF-8"
        return f"{len(row)} fields instead of {width}" if len(row) != width else None

    def _broken(self, line: int, error: csv.Error) -> list[BadRecord]:
        """The lines of a record with broken quotes. A quote that is never closed takes all lines to the end of the file."""
        if "unexpected end" not in str(error):
            return [BadRecord(line, "a quote inside a quoted field that is not doubled", self._received(line))]
        first = BadRecord(line, "a quote that is never closed: the rest of the file cannot be read", self._line(line))
        rest = range(line + 1, len(self._lines) + 1)
        return [
            first,
            *(BadRecord(each, f"inside the quote of line {line} that is never closed", self._line(each)) for each in rest),
        ]

    def _line(self, number: int) -> str:
        return printable(self._lines[number - 1]).rstrip("\r\n")

    def _received(self, line: int) -> str:
        return printable("".join(self._lines[line - 1 : self._start + self._reader.line_num])).rstrip("\r\n")


def _name(number: int, names: list[str]) -> str:
    return f"column {names[number]}" if number < len(names) and names[number] else f"column {number + 1}"


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
