# ruff: noqa: TID253 - this module is imported only when a load runs.
"""The interface of readers: pieces of rows as the system sent them, and rejected records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson
import pyarrow as pa

from include.contract import ColumnType
from include.sources.schema import Table


class ReadError(RuntimeError):
    """A table cannot be read. The message names the table and the cause, and contains no secrets."""


class QuotaUsedUp(ReadError):
    """The system answers no more requests for a while. Another attempt in this run would find the same."""


@dataclass(frozen=True)
class Window:
    """The rows to read: cursor value at or after `since` (None: no lower limit) and before `until`. Both are in UTC.

    Some systems name the place at which a read has ended. `token` is this place of the last load; None: read the whole table.
    """

    since: datetime | None
    until: datetime
    token: str | None = None


@dataclass(frozen=True)
class Rejected:
    """A record that could not be read.

    Attributes:
        reason: the reason in words.
        payload: the record as it was received, if available.
        line: line number in the file, from 1.
        file_id: the file, as path#checksum.
    """

    reason: str
    payload: str | None = None
    line: int | None = None
    file_id: str | None = None


@dataclass(frozen=True)
class FileRead:
    """A file that was read completely. Its path is relative to the connection's folder; its size is in bytes."""

    path: str
    checksum: str
    size: int
    modified_at: datetime

    @property
    def file_id(self) -> str:
        return f"{self.path}#{self.checksum}"


@dataclass(frozen=True)
class Piece:
    """Some rows of a table.

    Attributes:
        rows: the rows with the column names and types of the source.
        file_ids: the file of each row, as path#checksum; None if the source has no files.
        lines: the line number of each row in its file, from 1.
        rejected: records that could not be converted to rows.
        files: files whose last row is in this piece.
        kinds: the source's own type of each column that is read as text.
        token: the place at which the read has ended, as the system names it.
    """

    rows: pa.Table
    file_ids: pa.Array | None = None
    lines: pa.Array | None = None
    rejected: list[Rejected] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)
    kinds: dict[str, ColumnType] = field(default_factory=dict)
    token: str | None = None


class Reader(Protocol):
    """Reads the tables of one source."""

    def check(self) -> None:
        """Raise ReadError if the system cannot be reached. Must be cheap."""

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """Yield the rows of a table in pieces.

        Args:
            table: the table to read.
            window: the range of cursor values, for tables with a cursor.
            seen: path → checksum of the files that earlier loads read, for file readers.
        """

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """Yield the primary keys that the system holds now, with the warehouse's names. They are compared with the keys in raw."""

    def read_keys(self, table: Table, window: Window, keys: Iterable[tuple[str, ...]]) -> Iterator[Piece]:
        """Yield the rows of these keys whose cursor lies before the end of the window. Keys have the order of `primary_key`."""

    def is_transient(self, error: BaseException) -> bool:
        """True if another attempt to read the table may succeed."""

    def close(self) -> None:
        """Close all connections."""


def table_of(records: list[dict[str, Any]], json_columns: frozenset[str] = frozenset()) -> pa.Table:
    """Convert JSON records to an Arrow table with one column per key. Types are inferred.

    Nested values, values of mixed types and numbers beyond 64 bits become text. In `json_columns`, all values that are
    not text become JSON text.
    """
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return pa.table({name: _column([record.get(name) for record in records], name in json_columns) for name in names})


def dump(value: Any) -> str:
    """Convert a value to compact JSON text. Numbers may have any size, and text any characters."""
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:
        return json.dumps(value, default=str)


def _column(values: list[Any], as_json: bool) -> pa.Array:
    if as_json:
        return pa.array([v if v is None or isinstance(v, str) else dump(v) for v in values], pa.string())
    try:
        array = pa.array(values)
        if not pa.types.is_nested(array.type):
            return array
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        pass
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else dump(value)
