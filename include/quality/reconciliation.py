"""Reconciliations: the same number computed in two ways, and the parts in which the two sides differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: Both sides of one part: `part`, `left_value`, `right_value`, `difference`, `row_count`, as `ops.reconciliation` has them.
Sides = Mapping[str, Any]
_NUMBERS = ("left_value", "right_value", "difference")


def sides_query(sql: str) -> str:
    """SQL that returns all sides as one JSON text for `read`, or NULL if there are none.

    Args:
        sql: returns `part`, `left_value`, `right_value` and `row_count`.
    """
    return (
        "select to_json_string(array_agg(struct(\n"
        "    cast(sides.part as string) as part,\n"
        "    cast(sides.left_value as float64) as left_value,\n"
        "    cast(sides.right_value as float64) as right_value,\n"
        "    cast(sides.left_value as float64) - cast(sides.right_value as float64) as difference,\n"
        "    cast(sides.row_count as int64) as row_count\n"
        f")))\nfrom (\n{sql}\n) as sides"
    )


def read(text: str | None) -> list[Sides]:
    """The sides in the warehouse's answer, ordered by part. JSON has no NaN, so the warehouse writes it as text."""
    found = [side | {name: _number(side[name]) for name in _NUMBERS} for side in json.loads(text or "[]")]
    return sorted(found, key=lambda side: str(side["part"]))


def differing(sides: Sequence[Sides], tolerance: float) -> list[Sides]:
    """The parts whose two sides differ by more than the tolerance, or of which one side is unknown."""
    return [side for side in sides if side["difference"] is None or not abs(side["difference"]) <= tolerance]


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)
