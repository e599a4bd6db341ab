"""Reads the rows of a load job: Parquet, CSV or JSON lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tests.google.engine import Refused
from tests.google.types import Column
from tests.google.values import Value, to_proto


def read(config: Mapping[str, Any], body: bytes, columns: Sequence[Column]) -> list[list[Value]]:
    """The rows of a file, one value per column of the table that they are loaded into.

    Args:
        config: the job's `configuration.load`.
        body: the file.
        columns: the table's columns; a column that the file lacks is NULL.

    Raises:
        Refused: a value does not have its column's type.
    """
    kind = config.get("sourceFormat") or "CSV"
    records = {"PARQUET": _parquet, "CSV": _csv, "NEWLINE_DELIMITED_JSON": _json}[kind](config, body, columns)
    try:
        return [[to_proto(record.get(column.name.lower()), column) for column in columns] for record in records]
    except ValueError as error:
        raise Refused(f"Error while reading data, error message: {error}") from error


def _parquet(config: Mapping[str, Any], body: bytes, columns: Sequence[Column]) -> Iterable[dict[str, Any]]:
    if not body:
        return
    table = pa.parquet.read_table(io.BytesIO(body))
    # pyarrow converts nanoseconds to types of pandas, microseconds to those of Python.
    table = table.cast(pa.schema([(field.name, _in_microseconds(field.type)) for field in table.schema]), safe=False)
    for record in table.to_pylist():
        yield {name.lower(): value for name, value in record.items()}


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.time64("us") if pa.types.is_time(kind) else kind


def _csv(config: Mapping[str, Any], body: bytes, columns: Sequence[Column]) -> Iterable[dict[str, Any]]:
    """The fields of a CSV file by position. An empty field is NULL; a quoted one is an empty text, or NULL in a column of numbers."""
    names = [column.name for column in columns]
    table = pa.csv.read_csv(
        io.BytesIO(body),
        read_options=pa.csv.ReadOptions(column_names=names, skip_rows=int(config.get("skipLeadingRows") or 0)),
        parse_options=pa.csv.ParseOptions(
            delimiter=config.get("fieldDelimiter") or ",", newlines_in_values=bool(config.get("allowQuotedNewlines"))
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[config.get("nullMarker") or ""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    texts = {column.name for column in columns if column.type in {"STRING", "BYTES"}}
    for record in table.to_pylist():
        yield {name.lower(): value if value or name in texts else None for name, value in record.items()}


def _json(config: Mapping[str, Any], body: bytes, columns: Sequence[Column]) -> Iterable[dict[str, Any]]:
    for line in body.decode().splitlines():
        if line.strip():
            yield {name.lower(): value for name, value in json.loads(line).items()}
