"""Casts of a landed column to the type that its mapping reads. No value is changed: one that cannot be read becomes unknown, and is counted."""

from __future__ import annotations

from dataclasses import dataclass

from include.contract import ColumnType
from include.sources.expressions import WAREHOUSE_TYPES

#: The client's names of types → GoogleSQL's.
_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
_TEXTS = {"STRUCT", "ARRAY"}
_NUMBERS = {"INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64"}


class TypeRefused(ValueError):
    """The landed column has a type that cannot become the type that the mapping reads. The message says what to write."""


@dataclass(frozen=True)
class Cast:
    """SQL of a value, and whether a value may be unreadable: it is then NULL although `given` is not.

    Attributes:
        given: SQL of the landed value. A blank text is no value.
    """

    sql: str
    given: str
    may_fail: bool = False


def type_of(kind: str, mode: str) -> str:
    """GoogleSQL's name of a column's type, from the names that BigQuery's client gives."""
    return "ARRAY" if mode == "REPEATED" else _NAMES.get(kind, kind)


def cast_of(value: str, has: str, wanted: ColumnType) -> Cast:
    """The cast of a column with the GoogleSQL type `has` to the type that a mapping reads.

    Raises:
        TypeRefused: there is no such cast.
    """
    target = WAREHOUSE_TYPES[wanted]
    if has == target:
        return Cast(value, value)
    if target == "STRING":
        if has == "JSON" and wanted != "json":
            # A scalar in JSON is its text; an object stays JSON.
            return Cast(f"coalesce(json_value({value}), if(json_type({value}) = 'null', null, to_json_string({value})))", value)
        as_json = has in _TEXTS or has == "JSON"
        return Cast(f"if({value} is null, null, to_json_string({value}))" if as_json else f"cast({value} as string)", value)
    if has == "STRING":
        text = f"nullif(trim({value}), '')"
        return Cast(f"safe_cast({text} as {target.lower()})", text, may_fail=True)
    if target == "TIMESTAMP" and has in ("DATETIME", "DATE"):
        return Cast(f"timestamp({value})", value)
    if target in _NUMBERS and has in _NUMBERS:
        return _number(value, has, target)
    if target == "BOOL" and has == "INT64":
        return Cast(f"case {value} when 1 then true when 0 then false end", value, may_fail=True)
    raise TypeRefused(
        f"is a {has} in the warehouse, and the mapping reads it as {wanted}. {_REMEDIES.get((has, target), _OTHER)}"
    )


_OTHER = "Map another column"
_DAY = "Add the `timezone` in which the day counts"
_REMEDIES = {
    ("INT64", "TIMESTAMP"): "Add its `unit`, such as epoch_seconds",
    ("TIMESTAMP", "DATE"): _DAY,
    ("DATETIME", "DATE"): _DAY,
}


def _number(value: str, has: str, target: str) -> Cast:
    if target == "INT64":
        # A cast would round.
        return Cast(f"if({value} = trunc({value}), safe_cast({value} as int64), null)", value, may_fail=True)
    if target == "NUMERIC" and has != "INT64":
        return Cast(f"safe_cast({value} as numeric)", value, may_fail=True)
    return Cast(f"cast({value} as {target.lower()})", value)
