"""Ranges of days: the constants that columns are compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from google.protobuf.message import Message

from include.cost.prices import UNKNOWN
from include.cost.sizes import NO_VALUE
from tests.google import tree

#: Comparison → which ends of a range it sets when the column is on its left side.
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
#: Column → ranges in one of which it lies.
Ranges = Mapping[int, list[Range]]


def day(value: Message, before: bool = False) -> str:
    """A literal's value as an ISO date; UNKNOWN if it is neither a date nor a timestamp.

    Args:
        before: the last day that has an instant before the value, instead of the day of the value.
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
    """The id of the column that an expression is, be it as a date; None if it is something else."""
    node = tree.inner(wrapper)
    if node.DESCRIPTOR.name == "ResolvedColumnRefProto":
        return int(node.column.column_id)
    call = tree.call_of(wrapper)
    if call is not None and tree.function_of(call) == "date" and len(call.argument_list) == 1:
        return column_of(call.argument_list[0])
    return None


def limit(found: dict[int, list[Range]], expression: Message, limits: Range) -> None:
    """Note the limits of an expression that is a column."""
    column = column_of(expression)
    if column is not None and limits:
        found[column] = [limits]


def both(one: Ranges, other: Ranges) -> dict[int, list[Range]]:
    """Both hold."""
    made = {column: list(ranges) for column, ranges in one.items()}
    for column, ranges in other.items():
        mine = made.get(column, [{}])
        made[column] = [_narrower(left, right) for left in mine for right in ranges if _meet(left, right)]
    return made


def either(one: Ranges, other: Ranges) -> dict[int, list[Range]]:
    """One of the two holds: a column is limited where both limit it."""
    return {column: [*ranges, *other[column]] for column, ranges in one.items() if column in other}


def _meet(one: Range, other: Range) -> bool:
    """Whether a value may lie in both: what has no value lies in no range of dates."""
    return not one or not other or (one.get("from") == NO_VALUE) == (other.get("from") == NO_VALUE)


def _narrower(one: Range, other: Range) -> Range:
    """Of two values for one end the known one, and of two known ones the narrower."""
    made = dict(one)
    for end, value in other.items():
        known = [each for each in (made.get(end), value) if each not in {None, UNKNOWN}]
        narrower = max if end == "from" else min
        made[end] = narrower(str(each) for each in known) if known else UNKNOWN
    return made
