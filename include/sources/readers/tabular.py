"""Reads CSV and Parquet files: each file becomes one piece."""
# ruff: noqa: TID253 - this module is imported only when a load runs.

from __future__ import annotations

import io
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from include.sources.readers.content import Content, unreadable, whole_file
from include.sources.readers.delimited import split
from include.sources.readers.pieces import Piece, Rejected
from include.sources.readers.texts import Unreadable


def read_csv(content: Content, encoding: str | None) -> Piece:
    """Read a CSV file with a header row. All columns are text; empty values are NULL. Broken records are rejected.

    A column without a name and without values is left out: spreadsheets write such columns.
    """
    try:
        found = split(content.text(encoding))
    except Unreadable as error:
        return unreadable(content, str(error), error.line)
    if found.repeated:
        name, count = next(iter(found.repeated.items()))
        return unreadable(content, f"{count} columns are named {name}", found.header_line)
    columns = {}
    for number, (name, texts) in enumerate(zip(found.header, found.columns(), strict=True), start=1):
        if name or any(texts):
            columns[name or f"column_{number}"] = pa.array([text or None for text in texts], pa.string())
    rejected = [Rejected(bad.reason, bad.text, bad.line, content.file_id) for bad in found.bad]
    return whole_file(content, pa.table(columns), pa.array(found.lines, pa.int64()), rejected)


def read_parquet(content: Content) -> Piece:
    """Read a Parquet file. Rows with text that is not UTF-8 are rejected; their line is the number of the row, from 1."""
    try:
        rows = pq.ParquetFile(io.BytesIO(content.data())).read().replace_schema_metadata(None)
    except (Unreadable, pa.ArrowException, OSError, ValueError) as error:
        return unreadable(content, f"not a Parquet file: {error}")
    if twice := [name for name, count in Counter(rows.column_names).items() if count > 1]:
        return unreadable(content, f"not a readable Parquet file: several columns are named {twice[0]}")
    wrong: dict[int, str] = {}
    for name in rows.column_names:
        if pa.types.is_string(rows[name].type) or pa.types.is_large_string(rows[name].type):
            wrong = _not_utf8(rows[name], name) | wrong
    numbers = pa.array(range(1, len(rows) + 1), pa.int64())
    if wrong:
        keep = pa.array([number not in wrong for number in range(len(rows))], pa.bool_())
        rows, numbers = rows.filter(keep), numbers.filter(keep)
    rejected = [Rejected(reason, line=number + 1, file_id=content.file_id) for number, reason in sorted(wrong.items())]
    return whole_file(content, rows, numbers, rejected)


def _not_utf8(values: pa.ChunkedArray, name: str) -> dict[int, str]:
    """The numbers of the rows whose text is not UTF-8, from 0, and the reason."""
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        kind = pa.large_binary() if pa.types.is_large_string(values.type) else pa.binary()
        return {
            number: f"column {name}: text that is not UTF-8"
            for number, value in enumerate(values.cast(kind).to_pylist())
            if value is not None and not _is_utf8(value)
        }
    return {}


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
