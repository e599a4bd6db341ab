"""Reads JSON lines files. Several small files become one piece."""
# ruff: noqa: TID253 - this module is imported only when a load runs.

from __future__ import annotations

import json
import logging
import re
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

from include.sources.readers.content import Content
from include.sources.readers.pieces import FileRead, Piece, Rejected, table_of
from include.sources.readers.texts import UNDECODED, Unreadable, printable

log = logging.getLogger(__name__)

#: What the fast parser refuses or would round: NaN and Infinity, and numbers of more digits than a float holds.
_SLOW = re.compile(r"NaN|Infinity|\d[\d.]{15}")
_LINE_END = re.compile(r"\r\n|\n|\r")


class JsonLines:
    """Collects the records of JSON lines files.

    Args:
        json_columns: columns whose values stay JSON.
        encoding: the declared encoding of the files.
    """

    def __init__(self, json_columns: frozenset[str], encoding: str | None) -> None:
        self._json_columns = json_columns
        self._encoding = encoding
        self._clear()

    def _clear(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.lines: list[int] = []
        self.file_ids: list[str] = []
        self.rejected: list[Rejected] = []
        self.files: list[FileRead] = []

    def add(self, content: Content) -> None:
        """Add the records of a file. A line that is no record is rejected; so is a file that is no text."""
        file_id = content.file_id
        try:
            text = content.text(self._encoding).text
        except Unreadable as error:
            log.warning("%s: %s", content.path, error)
            self.rejected.append(Rejected(str(error), line=error.line, file_id=file_id))
            text = ""
        before = len(self.records)
        for number, line in enumerate(_LINE_END.split(text), start=1):
            if not line.strip():
                continue
            try:
                record = parsed(line)
            except (ValueError, RecursionError) as error:
                self.rejected.append(Rejected(f"not JSON: {error}", printable(line), number, file_id))
                continue
            if isinstance(record, dict):
                self.records.append(record)
                self.lines.append(number)
            else:
                self.rejected.append(Rejected("not a JSON object", printable(line), number, file_id))
        self.file_ids += [file_id] * (len(self.records) - before)
        self.files.append(content.read())

    def take(self) -> Piece:
        """The records so far as a piece. The collection is empty afterwards."""
        piece = Piece(
            rows=table_of(self.records, self._json_columns),
            file_ids=pa.array(self.file_ids, pa.string()),
            lines=pa.array(self.lines, pa.int64()),
            rejected=self.rejected,
            files=self.files,
        )
        self._clear()
        return piece


def parsed(line: str) -> Any:
    """The value of a JSON text. NaN and Infinity, which many writers emit, and numbers that a float would round become text.

    Raises:
        ValueError: it is not JSON.
    """
    if UNDECODED.search(line):
        raise ValueError("bytes that are not UTF-8")
    if _SLOW.search(line):
        return json.loads(line, parse_constant=str, parse_float=_exact)
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(error.msg) from None


def _exact(text: str) -> float | str:
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) else text
