"""Ranges of days: the constants that columns are compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

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
#: Stands for a constant whose value the statement does not show, such as `current_date()`.
UNKNOWN = "?"

#: The ends `from` and `to` of a range of dates, each an ISO date or UNKNOWN.
Range = dict[str, str]
Ranges = Mapping[int, Range]


def day(value: Message) -> str:
    """A literal's value as an ISO date; UNKNOWN if it is neither a date nor a timestamp."""
    kind = value.WhichOneof("value")
    if kind == "date_value":
        return (dt.date(1970, 1, 1) + dt.timedelta(days=value.date_value)).isoformat()
    if kind == "timestamp_value":
        return dt.datetime.fromtimestamp(value.timestamp_value.seconds, dt.UTC).date().isoformat()
    return UNKNOWN


def call_of(wrapper: Message) -> Any:
    """The function call that an expression is; None if it is something else."""
    node = tree.inner(wrapper)
    if not node.DESCRIPTOR.name.startswith("ResolvedFunctionCall"):
        return None
    return node if node.DESCRIPTOR.name == "ResolvedFunctionCallBaseProto" else node.parent


def column_of(wrapper: Message) -> int | None:
    """The id of the column that an expression is, be it as a date; None if it is something else."""
    node = tree.inner(wrapper)
    if node.DESCRIPTOR.name == "ResolvedColumnRefProto":
        return int(node.column.column_id)
    call = call_of(wrapper)
    if call is not None and call.function.name.rpartition(":")[2] == "date" and len(call.argument_list) == 1:
        return column_of(call.argument_list[0])
    return None


def limit(found: dict[int, Range], expression: Message, limits: Range) -> None:
    """Note the limits of an expression that is a column."""
    column = column_of(expression)
    if column is not None and limits:
        found[column] = found.get(column, {}) | limits


def both(one: Ranges, other: Ranges) -> dict[int, Range]:
    """Both hold; of two values for one end the known one, and of two known ones the narrower."""
    made = {column: dict(limits) for column, limits in one.items()}
    for column, limits in other.items():
        mine = made.setdefault(column, {})
        for end, value in limits.items():
            known = [each for each in (mine.get(end), value) if each not in {None, UNKNOWN}]
            narrower = max if end == "from" else min
            mine[end] = narrower(str(each) for each in known) if known else UNKNOWN
    return made
