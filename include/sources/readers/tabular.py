"""Reads CSV and Parquet files: each file becomes one piece."""
# ruff: noqa: TID253 - this module is imported only when a load runs.

from __future__ import annotations

import io
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from include.sources.readers.content import Content, unreadable, whole_file
from include.sources.readers.delimited import batches
from include.sources.readers.pieces import Piece, Rejected
from include.sources.readers.texts import Unreadable

#: Rows of a CSV file that are converted at once: as Python objects they need many times the memory.
_BATCH_ROWS = 50_000


def read_csv(content: Content, encoding: str | None) -> Piece:
    """Read a CSV file with a header row. All columns are text; empty values are NULL. Broken records are rejected.

    A column without a name and without values is left out: spreadsheets write such columns.
    """
    parts: list[pa.Table] = []
    lines: list[int] = []
    rejected: list[Rejected] = []
    try:
        for found in batches(content.text(encoding), _BATCH_ROWS):
            if found.repeated:
                name, count = next(iter(found.repeated.items()))
                return unreadable(content, f"{count} columns are named {name}", found.header_line)
            names = _names(found.header)
            texts = (pa.array([text or None for text in column], pa.string()) for column in found.columns())
            parts.append(pa.table(list(texts), names=names))
            lines += found.lines
            rejected += [Rejected(bad.reason, bad.text, bad.line, content.file_id) for bad in found.bad]
    except Unreadable as error:
        return unreadable(content, str(error), error.line)
    rows = pa.concat_tables(parts)
    unnamed = [name for name, written in zip(names, found.header, strict=True) if not written]
    rows = rows.drop_columns([name for name in unnamed if rows[name].null_count == len(rows)])
    return whole_file(content, rows, pa.array(lines, pa.int64()), rejected)


def _names(header: list[str]) -> list[str]:
    """The names of a header. A column without a name is named after its position, from 1."""
    names = []
    for number, written in enumerate(header, start=1):
        name = written or f"column_{number}"
        while not written and name in header:
            name += "_"
        names.append(name)
    return names


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
