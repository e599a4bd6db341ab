# ruff: noqa: TID253 - nothing imports this module before a task lands something.
"""What a reader hands on: pieces of rows, as the system sent them, and what it could not read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson
import pyarrow as pa

from include.sources.schema import ColumnType, Table


class ReadError(RuntimeError):
    """A table cannot be read; the message says what and why, and holds no secret."""


@dataclass(frozen=True)
class Window:
    """What to read: rows whose cursor is at or after `since` (None: all) and before `until`, both UTC."""

    since: datetime | None
    until: datetime


@dataclass(frozen=True)
class Rejected:
    """A record that could not be read.

    Attributes:
        reason: why, in words.
        payload: the record as it came, if it could be kept.
        line: its line in its file, from 1.
        file_id: the file, path#checksum.
    """

    reason: str
    payload: str | None = None
    line: int | None = None
    file_id: str | None = None


@dataclass(frozen=True)
class FileRead:
    """A file that was read to its end: its path below the connection's folder, and what identifies its content."""

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
        rows: the rows under the system's own column names, in whatever types they came.
        file_ids: for each row, the file that it came from; None if it came from no file.
        lines: for each row, its line in that file, from 1.
        rejected: records that could not become rows.
        files: files that end in this piece.
        kinds: for columns that come as text, the type that the system itself gives them.
    """

    rows: pa.Table
    file_ids: pa.Array | None = None
    lines: pa.Array | None = None
    rejected: list[Rejected] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)
    kinds: dict[str, ColumnType] = field(default_factory=dict)


class Reader(Protocol):
    """Reads the tables of one source."""

    def check(self) -> None:
        """Raise ReadError if the system as a whole cannot be reached; cheap."""

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """The rows of a table.

        Args:
            table: which table.
            window: which rows, for tables with a cursor.
            seen: path → checksum of the files last read, for files.
        """

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """The primary keys that the system holds now, under the warehouse's names; for sweeps."""

    def is_transient(self, error: BaseException) -> bool:
        """Whether reading the table again may help."""

    def close(self) -> None:
        """Let go of connections."""


def table_of(records: list[dict[str, Any]], json_columns: frozenset[str] = frozenset()) -> pa.Table:
    """JSON records as an Arrow table: one column per key met, types as inferred.

    Nested values, values of mixed types and numbers beyond 64 bits become text. In `json_columns` everything that is not
    text already becomes JSON text.
    """
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return pa.table({name: _column([record.get(name) for record in records], name in json_columns) for name in names})


def dump(value: Any) -> str:
    """A value as compact JSON text; numbers of any size, text of any kind."""
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
