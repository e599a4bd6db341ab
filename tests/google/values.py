"""Converts values between the evaluator's protocol buffers, cells of the REST API, and Python or the texts of loaded files."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from zetasql.wasi._pb2.zetasql.public import value_pb2

from tests.google.types import Column, of_parameter, of_proto

Value = value_pb2.ValueProto

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Digits after the decimal point.
_SCALES = {"NUMERIC": 9, "BIGNUMERIC": 38}
_WIDE = Context(prec=100, rounding=ROUND_HALF_UP)


def to_proto(value: Any, column: Column) -> Value:
    """A value of a column's type.

    Args:
        value: a Python value, or its text in a CSV file, a JSON file or a query parameter; None is NULL.
        column: has the type. A NULL array becomes an empty one, as in every table of BigQuery.

    Raises:
        ValueError: the value is not of this type.
    """
    made = Value()
    if column.mode == "REPEATED":
        element = replace(column, mode="NULLABLE")
        made.array_value.SetInParent()
        made.array_value.element.extend(to_proto(item, element) for item in value or ())
    elif value is None:
        pass
    elif column.fields:
        made.struct_value.SetInParent()
        made.struct_value.field.extend(to_proto(value.get(field.name), field) for field in column.fields)
    else:
        write = _WRITERS[column.type]
        try:
            write(made, value)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise ValueError(f"{column.name or 'value'}: {value!r} is not {column.type}: {error}") from error
    return made


def to_rest(value: Value, column: Column) -> Any:
    """A cell of a REST answer, without the `{"v": …}` around it; timestamps in microseconds since 1970."""
    if column.mode == "REPEATED":
        element = replace(column, mode="NULLABLE")
        return [{"v": to_rest(item, element)} for item in value.array_value.element]
    if value.WhichOneof("value") is None:
        return None
    if column.fields:
        pairs = zip(value.struct_value.field, column.fields, strict=True)
        return {"f": [{"v": to_rest(item, field)} for item, field in pairs]}
    found = _READERS[column.type](value)
    if column.type == "TIMESTAMP":
        return str((found - _EPOCH) // timedelta(microseconds=1))
    return _TEXTS.get(column.type, str)(found)


def of_parameters(parameters: Sequence[Mapping[str, Any]]) -> list[tuple[str, Column, Value]]:
    """Name, type and value of each query parameter in a job's configuration."""
    made = []
    for item in parameters:
        column = of_proto(item.get("name", ""), of_parameter(item["parameterType"]))
        made.append((column.name, column, to_proto(_parameter(item.get("parameterValue") or {}, column), column)))
    return made


def _parameter(value: Mapping[str, Any], column: Column) -> Any:
    """The content of `parameterValue`: a text, or lists and dictionaries of texts."""
    if column.mode == "REPEATED":
        element = replace(column, mode="NULLABLE")
        return [_parameter(item, element) for item in value.get("arrayValues") or ()]
    if column.fields:
        inner = value.get("structValues")
        return None if inner is None else {field.name: _parameter(inner.get(field.name) or {}, field) for field in column.fields}
    return value.get("value")


def _scaled(value: Any, scale: int) -> bytes:
    """A decimal × 10^scale as the shortest little-endian two's complement."""
    number = int(_WIDE.scaleb(Decimal(str(value)), scale).to_integral_value(ROUND_HALF_UP, _WIDE))
    return number.to_bytes(max((number if number >= 0 else ~number).bit_length() // 8 + 1, 1), "little", signed=True)


def _unscaled(data: bytes, scale: int) -> Decimal:
    return _WIDE.scaleb(Decimal(int.from_bytes(data, "little", signed=True)), -scale)


def _plain(value: Decimal) -> str:
    """The shortest text without an exponent: 1.5 for 1.500000000, 100 for 1E+2."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}[value.lower()]
    return bool(value)


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _time(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(value)


def _datetime(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.replace(tzinfo=None)


def _timestamp(value: Any) -> datetime:
    """A text without a zone is UTC; a number counts seconds."""
    if isinstance(value, int | float):
        return _EPOCH + timedelta(microseconds=round(value * 1_000_000))
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value.removesuffix(" UTC"))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _write_datetime(made: Value, value: Any) -> None:
    found = _datetime(value)
    packed = (
        (found.year << 26) | (found.month << 22) | (found.day << 17) | (found.hour << 12) | (found.minute << 6) | found.second
    )
    made.datetime_value.bit_field_datetime_seconds = packed
    made.datetime_value.nanos = found.microsecond * 1000


def _read_datetime(value: Value) -> datetime:
    packed, nanos = value.datetime_value.bit_field_datetime_seconds, value.datetime_value.nanos
    day = (packed >> 26, (packed >> 22) & 15, (packed >> 17) & 31)
    return datetime(*day, (packed >> 12) & 31, (packed >> 6) & 63, packed & 63, nanos // 1000)


def _write_time(made: Value, value: Any) -> None:
    found = _time(value)
    made.time_value = (found.hour << 42) | (found.minute << 36) | (found.second << 30) | found.microsecond * 1000


def _read_time(value: Value) -> time:
    packed = value.time_value
    return time((packed >> 42) & 31, (packed >> 36) & 63, (packed >> 30) & 63, (packed & ((1 << 30) - 1)) // 1000)


def _write_timestamp(made: Value, value: Any) -> None:
    microseconds = (_timestamp(value) - _EPOCH) // timedelta(microseconds=1)
    # Set even where it is zero: 1970-01-01 is no NULL.
    made.timestamp_value.SetInParent()
    made.timestamp_value.seconds, fraction = divmod(microseconds, 1_000_000)
    made.timestamp_value.nanos = fraction * 1000


def _read_timestamp(value: Value) -> datetime:
    found = value.timestamp_value
    return _EPOCH + timedelta(seconds=found.seconds, microseconds=found.nanos // 1000)


def _setter(field: str, make: Callable[[Any], Any]) -> Callable[[Value, Any], None]:
    def write(made: Value, value: Any) -> None:
        setattr(made, field, make(value))

    return write


def _json(value: Any) -> str:
    return json.dumps(value if not isinstance(value, str) else json.loads(value), separators=(",", ":"), ensure_ascii=False)


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value) if isinstance(value, str) else bytes(value)


_WRITERS: Mapping[str, Callable[[Value, Any], None]] = {
    "INT64": _setter("int64_value", int),
    "FLOAT64": _setter("double_value", float),
    "BOOL": _setter("bool_value", _bool),
    "STRING": _setter("string_value", str),
    "BYTES": _setter("bytes_value", _bytes),
    "NUMERIC": _setter("numeric_value", lambda value: _scaled(value, _SCALES["NUMERIC"])),
    "BIGNUMERIC": _setter("bignumeric_value", lambda value: _scaled(value, _SCALES["BIGNUMERIC"])),
    "DATE": _setter("date_value", lambda value: (_date(value) - _EPOCH.date()).days),
    "JSON": _setter("json_value", _json),
    "DATETIME": _write_datetime,
    "TIME": _write_time,
    "TIMESTAMP": _write_timestamp,
}
_READERS: Mapping[str, Callable[[Value], Any]] = {
    "INT64": lambda value: value.int64_value,
    "FLOAT64": lambda value: value.double_value,
    "BOOL": lambda value: value.bool_value,
    "STRING": lambda value: value.string_value,
    "BYTES": lambda value: value.bytes_value,
    "NUMERIC": lambda value: _unscaled(value.numeric_value, _SCALES["NUMERIC"]),
    "BIGNUMERIC": lambda value: _unscaled(value.bignumeric_value, _SCALES["BIGNUMERIC"]),
    "DATE": lambda value: _EPOCH.date() + timedelta(days=value.date_value),
    "JSON": lambda value: value.json_value,
    "DATETIME": _read_datetime,
    "TIME": _read_time,
    "TIMESTAMP": _read_timestamp,
}


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "FLOAT64": _float_text,
    "BOOL": lambda value: "true" if value else "false",
    "BYTES": lambda value: base64.b64encode(value).decode(),
    "NUMERIC": _plain,
    "BIGNUMERIC": _plain,
    "DATE": date.isoformat,
    "DATETIME": datetime.isoformat,
    "TIME": time.isoformat,
}
