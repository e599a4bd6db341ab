"""SQL of a mapping: the value of a contract column from the columns of a raw table, for BigQuery.

Texts of the source files reach SQL only as escaped literals, and names of columns only as names in the warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from include.contract import ColumnType
from include.sources.mapping import EPOCHS, Condition, Constant, Expression, First, From, Key, value_type
from include.sources.paths import json_path

#: Declared type → GoogleSQL type of the raw column. Local times and JSON are loaded as text and parsed later.
WAREHOUSE_TYPES: dict[ColumnType, str] = {
    "string": "STRING",
    "integer": "INT64",
    "decimal": "NUMERIC",
    "float": "FLOAT64",
    "boolean": "BOOL",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "time": "STRING",
    "json": "STRING",
}
#: A column of the source, and whether it is read as a text → its name in SQL.
Raw = Mapping[tuple[str, bool], str]

_WORDS = """
    all and any array as asc assert_rows_modified at between by case cast collate contains create cross cube current default define desc
    distinct else end enum escape except exclude exists extract false fetch following for from full group grouping groups hash having if ignore
    in inner intersect interval into is join lateral left like limit lookup merge natural new no not null nulls of on or order outer over
    partition preceding proto qualify range recursive respect right rollup rows select set some struct tablesample then to treat true unbounded
    union unnest using when where window with within
"""
#: The reserved words of GoogleSQL.
_RESERVED = frozenset(_WORDS.split())
_EPOCH_FUNCTIONS = dict(zip(EPOCHS, ("timestamp_seconds", "timestamp_millis", "timestamp_micros"), strict=True))
_LINE = 90


def identifier(name: str) -> str:
    """A column's name in SQL: in backquotes if it is a reserved word."""
    return f"`{name}`" if name in _RESERVED else name


def unknown(kind: ColumnType) -> str:
    """SQL of an unknown value."""
    return f"cast(null as {WAREHOUSE_TYPES[kind].lower()})"


def sql_of(expression: Expression, kind: ColumnType, raw: Raw, prefix: str | None = None) -> str:
    """SQL of a contract column. It may have several lines, and calls of dbt's macro `from_minor_units`.

    Args:
        kind: the type of the contract column.
        raw: the columns of the raw table.
        prefix: is put before the value, which is an id.
    """
    if isinstance(expression, Constant):
        return literal(expression.value, kind)
    if isinstance(expression, Key):
        parts = [raw[column, True] for column in expression.key]
        joined = [part for name in parts for part in ("'|'", name)][1:]
        return call("concat", [*([string(prefix)] if prefix else []), *joined]) if prefix or len(parts) > 1 else parts[0]
    value = _first(expression, kind, raw) if isinstance(expression, First) else _from(expression, kind, raw)
    if isinstance(expression, From) and expression.where:
        value = call("if", [" and ".join(condition(each, raw) for each in expression.conditions), value, "null"])
    return call("concat", [string(prefix), f"nullif({value}, '')"]) if prefix else value


def _first(expression: First, kind: ColumnType, raw: Raw) -> str:
    names = [raw[column, kind == "string"] for column in expression.first]
    if expression.unit:
        return f"safe.{_EPOCH_FUNCTIONS[expression.unit]}({call('coalesce', names)})"
    return call("coalesce", [f"if(trim({name}) != '', {name}, null)" for name in names] if kind == "string" else names)


def _from(expression: From, kind: ColumnType, raw: Raw) -> str:
    value = _source_value(expression, value_type(expression, kind), raw)
    if expression.values is not None:
        return _words(expression, kind, value)
    if expression.unit == "minor":
        currency = expression.currency
        code = string(str(currency.value)) if isinstance(currency, Constant) else raw[str(currency), True]
        return f"{{{{ from_minor_units({value!r}, {code!r}) }}}}"
    if expression.unit is not None:
        instant = f"safe.{_EPOCH_FUNCTIONS[expression.unit]}({value})"
        return instant if kind == "timestamp" else f"date({instant}, {string(expression.timezone or 'UTC')})"
    if expression.timezone is not None:
        zone = string(expression.timezone)
        return f"timestamp(datetime({value}), {zone})" if kind == "timestamp" else f"date({value}, {zone})"
    return value


def _source_value(expression: From, kind: ColumnType, raw: Raw) -> str:
    """The value that the source has, in the type that its conversion takes."""
    if expression.path is None:
        return raw[expression.column, kind == "string"]
    name = raw[expression.column, False]
    path = string(json_path(expression.path))
    if kind == "json":
        return f"json_query({name}, {path})"
    found = f"json_value({name}, {path})"
    return found if WAREHOUSE_TYPES[kind] == "STRING" else f"safe_cast({found} as {WAREHOUSE_TYPES[kind].lower()})"


def _words(expression: From, kind: ColumnType, value: str) -> str:
    """A `case` over the words of the source. No value stays no value, unless the mapping has a word for it."""
    words = expression.values or {}
    source = expression.key_type()
    subject = f"trim({value})" if source == "string" else value
    given = f"{subject} != ''" if source == "string" else f"{value} is not null"
    cases = [f"    when {literal(word, source)} then {literal(meant, kind)}" for word, meant in words.items() if word is not None]
    if expression.keeps_unknown_words:
        other = value if kind == source else f"cast({value} as string)" if kind == "string" else None
    else:
        other = None if expression.default is None else f"if({given}, {literal(expression.default, kind)}, null)"
    lines = [f"case {subject}", *cases, *([f"    else {other}"] if other else []), "end"]
    if None in words:
        lines = [
            "case",
            f"    when {given} then",
            *(f"        {line}" for line in lines),
            f"    else {literal(words[None], kind)}",
            "end",
        ]
    return "\n".join(lines)


def condition(given: Condition, raw: Raw) -> str:
    """The condition that a column has one of the values; never NULL."""
    value = raw[given.column, given.type == "string"]
    found = [literal(each, given.type) for each in given.values if each is not None]
    parts = [f"{value} is null"] if None in given.values else []
    if found:
        parts.append(
            f"coalesce({value} = {found[0]}, false)" if len(found) == 1 else f"coalesce({value} in ({', '.join(found)}), false)"
        )
    if given.values == (True,):
        return f"coalesce({value}, false)"
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def literal(value: Any, kind: ColumnType) -> str:
    """A value of a source file as a SQL literal of a type.

    Raises:
        ValueError: the value is none of the type.
    """
    written = _LITERALS[kind](value)
    if written is None:
        raise ValueError(f"{value!r} is no {kind}")
    return written


def string(value: str) -> str:
    """A text as a SQL literal.

    Raises:
        ValueError: the text has a control character.
    """
    if found := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", value):
        raise ValueError(f"{value!r} has the control character {found[0]!r}")
    # dbt would read two opening braces as its own: they are in two literals.
    parts = re.split(r"(?<=\{)(?=[{%#])", value)
    quoted = [_quoted(part) for part in parts]
    return quoted[0] if len(quoted) == 1 else f"concat({', '.join(quoted)})"


_ESCAPES = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(value: str) -> str:
    escapes = {key: escape for key, escape in _ESCAPES.items() if key != "'" or '"' in value}
    mark = '"' if "'" in value and '"' not in value else "'"
    return mark + "".join(escapes.get(letter, letter) for letter in value) + mark


def call(function: str, arguments: Sequence[str]) -> str:
    """A call of a function, on several lines if it is long."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _LINE and "\n" not in line:
        return line
    indented = ",\n".join("    " + argument.replace("\n", "\n    ") for argument in arguments)
    return f"{function}(\n{indented}\n)"


def _integer(value: Any) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> str | None:
    try:
        number = None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None
    return f"numeric '{number:f}'" if number is not None and number.is_finite() else None


def _timestamp(value: Any) -> str | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, date):
        return None
    instant = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return f"timestamp '{instant:%Y-%m-%d %H:%M:%S.%f}+00:00'"


def _date(value: Any) -> str | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return f"date '{day:%Y-%m-%d}'" if isinstance(day, date) and not isinstance(day, datetime) else None


def _string(value: Any) -> str | None:
    return string(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None


_LITERALS: dict[ColumnType, Callable[[Any], str | None]] = {
    "string": _string,
    "json": _string,
    "time": _string,
    "integer": _integer,
    "decimal": _decimal,
    "float": lambda value: f"cast({_decimal(value)} as float64)" if _decimal(value) else None,
    "boolean": lambda value: str(value).lower() if isinstance(value, bool) else None,
    "timestamp": _timestamp,
    "date": _date,
}
