"""Ranges of days, from the constants with which a statement compares columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from google.protobuf.message import Message

from include.cost.prices import UNKNOWN
from include.cost.sizes import NO_VALUE
from tests.google import tree

#: Comparison → the ends of a range that it sets if the column is on its left side.
ENDS = {
    "$greater": ("from",),
    "$greater_or_equal": ("from",),
    "$less": ("to",),
    "$less_or_equal": ("to",),
    "$equal": ("from", "to"),
}
MIRRORED = {"from": "to", "to": "from"}

#: The ends `from` and `to` of a range of dates, both included, each an ISO date or UNKNOWN; or both NO_VALUE.
Range = dict[str, str]
#: Id of a column → ranges; its value lies in one of them.
Ranges = Mapping[int, list[Range]]


def day(value: Message, before: bool = False) -> str:
    """A literal's value as an ISO date; UNKNOWN if it is neither a date nor a timestamp.

    Args:
        before: return the last day that begins before the value, instead of the day of the value.
    """
    kind = value.WhichOneof("value")
    if kind == "date_value":
        return (dt.date(1970, 1, 1) + dt.timedelta(days=value.date_value - before)).isoformat()
    if kind == "timestamp_value":
        instant = dt.datetime.fromtimestamp(value.timestamp_value.seconds, dt.UTC)
        instant += dt.timedelta(microseconds=value.timestamp_value.nanos // 1000 - before)
        return instant.date().isoformat()
    return UNKNOWN


def column_of(wrapper: Message) -> int | None:
    """The id of the column if an expression is a column or DATE(column); else None."""
    node = tree.inner(wrapper)
    if node.DESCRIPTOR.name == "ResolvedColumnRefProto":
        return int(node.column.column_id)
    call = tree.call_of(wrapper)
    if call is not None and tree.function_of(call) == "date" and len(call.argument_list) == 1:
        return column_of(call.argument_list[0])
    return None


def limit(found: dict[int, list[Range]], expression: Message, limits: Range) -> None:
    """Record the limits of an expression if it is a column."""
    column = column_of(expression)
    if column is not None and limits:
        found[column] = [limits]


def both(one: Ranges, other: Ranges) -> dict[int, list[Range]]:
    """The ranges if both conditions hold."""
    made = {column: list(ranges) for column, ranges in one.items()}
    for column, ranges in other.items():
        mine = made.get(column, [{}])
        made[column] = [_narrower(left, right) for left in mine for right in ranges if _meet(left, right)]
    return made


def either(one: Ranges, other: Ranges) -> dict[int, list[Range]]:
    """The ranges if one of two conditions holds: a column has limits only if both limit it."""
    return {column: [*ranges, *other[column]] for column, ranges in one.items() if column in other}


def _meet(one: Range, other: Range) -> bool:
    """Whether a value may lie in both ranges: NULL lies in no range of dates."""
    return not one or not other or (one.get("from") == NO_VALUE) == (other.get("from") == NO_VALUE)


def _narrower(one: Range, other: Range) -> Range:
    """The intersection of two ranges; a known end wins over an unknown one."""
    made = dict(one)
    for end, value in other.items():
        known = [each for each in (made.get(end), value) if each not in {None, UNKNOWN}]
        narrower = max if end == "from" else min
        made[end] = narrower(str(each) for each in known) if known else UNKNOWN
    return made
