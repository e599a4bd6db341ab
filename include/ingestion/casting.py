# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Casts Arrow columns to declared types, vectorised, and marks the values that cannot be cast.

A cast first tries Arrow's own conversion of the whole column. If that is impossible, it uses the text of the values. A
pattern selects the texts that can be cast, and Arrow casts those. If Arrow still refuses, the column is halved repeatedly
until each bad value stands alone. A bad value never raises an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from include.contract import ColumnType
from include.sources.readers.pieces import dump

UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")
NUMERIC = pa.decimal128(38, 9)

#: Declared type → the Arrow type that is loaded.
ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "decimal": NUMERIC,
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": UTC_MICROSECONDS,
    "date": pa.date32(),
    "time": pa.string(),
    "json": pa.string(),
}

_TRUE, _FALSE = pa.array(["true", "t", "yes", "y", "1"]), pa.array(["false", "f", "no", "n", "0"])
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_PATTERNS: dict[ColumnType, str] = {
    "integer": r"^[+-]?\d+(\.0*)?$",
    "decimal": rf"^{_NUMBER}$",
    "float": rf"^({_NUMBER}|[+-]?(nan|NaN|inf|Infinity))$",
    "boolean": r"^(?i:true|t|yes|y|1|false|f|no|n|0)$",
    "timestamp": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)? ?([Zz]|UTC|GMT|[+-]\d{2}(:?\d{2})?)?)?$",
    "date": r"^\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)? ?([Zz]|UTC|GMT|[+-]00(:?00)?)?)?$",
    "time": r"^([01]?\d|2[0-3]):[0-5]\d(:00(\.0+)?)?$",
}


@dataclass(frozen=True)
class Cast:
    """A cast column.

    Attributes:
        values: the column in its Arrow type; NULL where the cast failed.
        failed: TRUE where the cast failed; None if no value failed.
        text: all values as text; None if no value failed.
    """

    values: pa.Array
    failed: pa.Array | None = None
    text: pa.Array | None = None

    @property
    def failures(self) -> int:
        return 0 if self.failed is None else int(pc.sum(self.failed).as_py() or 0)


def cast(column: pa.Array | pa.ChunkedArray, kind: ColumnType) -> Cast:
    """Cast the column to `kind`. Timestamps without a zone are read as UTC. Empty text becomes NULL, except in text columns."""
    values = plain(column)
    if pa.types.is_null(values.type):
        return Cast(pa.nulls(len(values), ARROW_TYPES[kind]))
    native = _native(values, kind)
    return Cast(native) if native is not None else _from_text(as_text(values), kind)


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Convert to one contiguous array without dictionary encoding, extension types or 64-bit offsets."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    if isinstance(values, pa.ExtensionArray):
        values = pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def as_text(values: pa.Array) -> pa.Array:
    """Convert the values to text: JSON for nested values, ISO 8601 for times."""
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_nested(kind):
        return pa.array([None if v is None else dump(v) for v in values.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind):
        suffix = "Z" if kind.tz else ""
        values = values.cast(pa.timestamp("us", tz="UTC" if kind.tz else None), safe=False)
        return pc.strftime(values, format=f"%Y-%m-%dT%H:%M:%S{suffix}")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        try:
            return values.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array([_decoded(v) for v in values.to_pylist()], pa.string())
    try:
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())


def _decoded(value: bytes | None) -> str | None:
    """Decode the bytes as UTF-8; write them in hexadecimal if that fails."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value.hex() if value is not None else None


def _native(values: pa.Array, kind: ColumnType) -> pa.Array | None:
    """Convert with Arrow alone if no information is lost. None: convert through the text instead."""
    have = values.type
    try:
        if kind == "string":
            return as_text(values)
        if kind == "json":
            return as_text(values) if pa.types.is_nested(have) else None
        if kind == "integer" and (pa.types.is_integer(have) or pa.types.is_floating(have) or pa.types.is_decimal(have)):
            return values.cast(pa.int64())
        if kind == "decimal" and (pa.types.is_integer(have) or pa.types.is_decimal(have)):
            return values.cast(NUMERIC)
        if kind == "float" and (pa.types.is_integer(have) or pa.types.is_floating(have) or pa.types.is_decimal(have)):
            return values.cast(pa.float64())
        if kind == "boolean" and pa.types.is_boolean(have):
            return values
        if kind == "date" and pa.types.is_date(have):
            return values.cast(pa.date32())
        if kind == "timestamp" and (pa.types.is_timestamp(have) or pa.types.is_date(have)):
            return _to_utc(values)
    except pa.ArrowInvalid:
        return None
    return None


def _to_utc(values: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(values.type) and values.type.tz:
        return values.cast(UTC_MICROSECONDS, safe=False)
    return values.cast(pa.timestamp("us"), safe=False).cast(UTC_MICROSECONDS)


def _from_text(text: pa.Array, kind: ColumnType) -> Cast:
    if kind == "json":
        values = _valid_json(text)
        present = pc.fill_null(pc.greater(pc.utf8_length(text), 0), False)
    else:
        trimmed = pc.utf8_trim_whitespace(text)
        present = pc.fill_null(pc.greater(pc.utf8_length(trimmed), 0), False)
        fits = pc.fill_null(pc.match_substring_regex(trimmed, pattern=_PATTERNS[kind]), False)
        candidates = pc.if_else(fits, trimmed, pa.scalar(None, pa.string()))
        values = _parse(_PARSERS[kind], candidates, ARROW_TYPES[kind])
    failed = pc.and_(present, pc.is_null(values))
    if not pc.any(failed).as_py():
        return Cast(values)
    return Cast(values, failed, text)


def _valid_json(text: pa.Array) -> pa.Array:
    """Keep valid JSON texts; replace the others by NULL. Empty text becomes NULL."""
    kept: list[str | None] = []
    for value in text.to_pylist():
        try:
            if value is not None:
                orjson.loads(value)
            kept.append(value)
        except orjson.JSONDecodeError:
            kept.append(None)
    return pa.array(kept, pa.string())


def _parse(parse: Callable[[pa.Array], pa.Array], text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Parse the texts, with NULL for those that `parse` refuses. Each distinct text is tried only once."""
    try:
        return parse(text)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        distinct = text.unique()
        return _tolerant(parse, distinct, kind).take(pc.index_in(text, value_set=distinct))


def _tolerant(parse: Callable[[pa.Array], pa.Array], text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Parse the texts, with NULL for those that `parse` refuses: a 31st of February, a number out of range."""
    try:
        return parse(text)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if len(text) == 1:
            return pa.nulls(1, kind)
        half = len(text) // 2
        return pa.concat_arrays([_tolerant(parse, text[:half], kind), _tolerant(parse, text[half:], kind)])


def _integer(text: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(text, pattern=r"(^\+|\.0*$)", replacement="")
    return text.cast(pa.int64())


def _decimal(text: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(text, pattern=r"^\+", replacement="")
    try:
        return text.cast(NUMERIC)
    except pa.ArrowInvalid:
        # More than nine decimals are rounded, as in BigQuery's own cast to NUMERIC. The tenth decides; Arrow reads no more than 38.
        text = pc.replace_substring_regex(text, pattern=r"^(-?\d*\.\d{10})\d+$", replacement=r"\1")
        return pc.round(text.cast(pa.decimal256(76, 38)), ndigits=9, round_mode="half_towards_infinity").cast(NUMERIC)


def _float(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, pattern=r"^\+", replacement="").cast(pa.float64())


def _boolean(text: pa.Array) -> pa.Array:
    lowered = pc.utf8_lower(text)
    null = pa.scalar(None, pa.bool_())
    return pc.if_else(pc.is_in(lowered, value_set=_TRUE), True, pc.if_else(pc.is_in(lowered, value_set=_FALSE), False, null))


def _timestamp(text: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(pc.utf8_upper(text), pattern=r"(UTC|GMT)$", replacement="Z")
    text = pc.replace_substring_regex(text, pattern=r"^(\d{4}-\d{2}-\d{2}) ", replacement=r"\1T")
    text = pc.replace_substring(pc.replace_substring(text, " ", ""), ",", ".")
    text = pc.replace_substring_regex(text, pattern=r"(\.\d{6})\d+", replacement=r"\1")
    zoned = pc.fill_null(pc.match_substring_regex(text, pattern=r":\d{2}(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)$"), False)
    null = pa.scalar(None, pa.string())
    with_zone = pc.if_else(zoned, text, null).cast(UTC_MICROSECONDS)
    without = pc.if_else(zoned, null, text).cast(pa.timestamp("us")).cast(UTC_MICROSECONDS)
    return pc.coalesce(with_zone, without)


def _date(text: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(text, 0, 10).cast(pa.date32())


def _time(text: pa.Array) -> pa.Array:
    """Format as `HH:MM`. The pattern accepts whole minutes only."""
    text = pc.replace_substring_regex(text, pattern=r"^(\d):", replacement=r"0\1:")
    return pc.utf8_slice_codeunits(text, 0, 5)


_PARSERS: dict[ColumnType, Callable[[pa.Array], pa.Array]] = {
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
    "time": _time,
}
