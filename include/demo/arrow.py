"""The Arrow type of each column type, and the text form of values in CSV, JSON and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.demo.schema import Type

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type for a column type."""
    import pyarrow as pa

    types: dict[Type, pa.DataType] = {
        "string": pa.string(),
        "integer": pa.int64(),
        "decimal": pa.decimal128(38, 9),
        "float": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "time": pa.string(),
        "json": pa.string(),
    }
    return types[kind]


def text_column(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text. Decimals have at least two places, instants look like 2026-10-01T00:00:00Z, NULL stays NULL."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        return values
    if pa.types.is_decimal(values.type):
        # Arrow writes numbers near zero in scientific notation (0E-9). Except for zero itself they are rare.
        text = pc.if_else(pc.equal(values, 0), "0.00", values.cast(pa.string()))
        if pc.any(pc.match_substring(text, "E")).as_py():
            text = pa.chunked_array([pa.array([None if v is None else f"{v:f}" for v in values.to_pylist()], pa.string())])
        return pc.replace_substring_regex(text, r"(\.\d\d\d*?)0*$", r"\1")
    if pa.types.is_timestamp(values.type):
        text = pc.strftime(values.cast(pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%SZ")
        return pc.replace_substring_regex(text, r"\.0+Z$|(\.\d+?)0*Z$", r"\1Z")
    return values.cast(pa.string())


def json_column(values: pa.ChunkedArray) -> list[Any]:
    """A column as JSON values: decimals and instants as text, integers and booleans unchanged."""
    import pyarrow as pa

    if pa.types.is_integer(values.type) or pa.types.is_boolean(values.type):
        return list(values.to_pylist())
    return list(text_column(values).to_pylist())
