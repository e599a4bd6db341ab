"""Converts columns of CSV text to typed Arrow columns, and lists invalid values with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from include.demo.arrow import arrow_type
from include.demo.schema import Type

if TYPE_CHECKING:
    import pyarrow as pa

Bad = tuple[int, str]
"""The position of an invalid value, and the reason."""

_DECIMAL_PLACES = 9
_LARGEST = Decimal(10) ** 29
_TIME = re.compile(r"(([01]\d|2[0-3]):[0-5]\d|24:00)(:00)?")
_TRUE, _FALSE = frozenset({"true", "t", "yes", "1"}), frozenset({"false", "f", "no", "0"})
# Arrow parses columns in which all values match these patterns. Other columns are parsed value by value.
_PLAIN: dict[Type, str] = {
    "integer": r"^-?[0-9]{1,18}$",
    "decimal": r"^-?[0-9]{1,28}(\.[0-9]{1,9})?$",
    "timestamp": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$",
    "date": r"^\d{4}-\d\d-\d\d$",
}


def typed(values: list[str | None], kind: Type) -> tuple[pa.Array, list[Bad]]:
    """The values as an Arrow array of the type, and the invalid values, which are NULL in the array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "string":
        return pa.array(values, pa.string()), []
    if kind in _PLAIN:
        texts = pa.array(values, pa.string())
        if pc.all(pc.match_substring_regex(texts, _PLAIN[kind])).as_py() is not False:
            try:
                return texts.cast(arrow_type(kind)), []
            except pa.ArrowInvalid:
                pass
    parse = _PARSERS[kind]
    result: list[Any] = []
    bad: list[Bad] = []
    for position, text in enumerate(values):
        value = None
        if text is not None:
            try:
                value = parse(text)
            except ValueError as error:
                bad.append((position, str(error)))
        result.append(value)
    return pa.array(result, arrow_type(kind)), bad


def quoted(text: str) -> str:
    """A value for messages: quoted, and shortened to 60 characters."""
    return json.dumps(text if len(text) <= 60 else text[:60] + "…", ensure_ascii=False)


def _integer(text: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]+", text.strip()) and -(2**63) <= (number := int(text)) < 2**63:
        return number
    raise ValueError(f"{quoted(text)} is not a whole number")


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{quoted(text)} is not a number (write 1234.50)") from None
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise ValueError(f"{quoted(text)} is not a number of at most 29 digits")
    if number != (rounded := number.quantize(Decimal(1).scaleb(-_DECIMAL_PLACES))):
        raise ValueError(f"{quoted(text)} has more than {_DECIMAL_PLACES} decimal places")
    return rounded


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{quoted(text)} is neither true nor false")


def _timestamp(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{quoted(text)} is not an ISO 8601 instant (write 2026-10-01T09:30:00Z)") from None


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise ValueError(f"{quoted(text)} is not a date (write 2026-10-01)")


def _time(text: str) -> str:
    found = _TIME.fullmatch(text.strip())
    if found:
        return found.group(1)
    raise ValueError(f"{quoted(text)} is not a time of day (write 09:30)")


def _json(text: str) -> str:
    try:
        if isinstance(json.loads(text), dict):
            return text
    except ValueError:
        pass
    raise ValueError(f"{quoted(text)} is not a JSON object")


_PARSERS: dict[Type, Callable[[str], Any]] = {
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
    "time": _time,
    "json": _json,
}
