"""Compares the rows of one table in two warehouses."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

#: For FLOAT64, relative to the value.
TOLERANCE = 1e-9
#: Absolute, near zero, where a relative tolerance is too strict. A NUMERIC may be the difference of two large values.
NEAR_ZERO, NEAR_ZERO_OF_NUMERIC = 1e-12, 1e-8

Rows = list[dict[str, Any]]


def differences(name: str, google: Rows, local: Rows, inexact: Iterable[str] = (), ignored: Iterable[str] = ()) -> list[str]:
    """The differences of two tables with rows in any order; empty if there are none.

    Args:
        name: the table's name.
        google: its rows from Google's evaluator.
        local: its rows from the local warehouse.
        inexact: NUMERIC columns that are compared like FLOAT64.
        ignored: columns that are not compared.
    """
    columns = sorted({column for row in (*google, *local) for column in row if column not in set(ignored)})
    inexact = sorted({*inexact, *(column for row in (*google, *local) for column in row if isinstance(row[column], float))})
    exact = [column for column in columns if column not in inexact]
    left, right = _grouped(google, exact), _grouped(local, exact)
    only_left, only_right = [], []
    for key in [*left, *(key for key in right if key not in left)]:
        mine, theirs = (sorted(side.get(key, []), key=lambda row: _floats(row, inexact)) for side in (left, right))
        same = len(mine) == len(theirs) and all(
            _close(row.get(column), match.get(column)) for row, match in zip(mine, theirs, strict=True) for column in inexact
        )
        if not same:
            only_left += mine
            only_right += theirs
    return _lines(name, only_left, only_right)


def _grouped(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    made = defaultdict(list)
    for row in rows:
        made[repr([_plain(row.get(column)) for column in columns])].append(row)
    return made


def _plain(value: Any) -> Any:
    """A form in which equal values are equal: 1.50 and 1.5, or JSON objects with another order of keys."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return value.normalize() + 0 if hasattr(value, "normalize") else value


def _floats(row: Mapping[str, Any], columns: Sequence[str]) -> list[tuple[bool, Any]]:
    return [(row.get(column) is not None, row.get(column) or 0.0) for column in columns]


def _close(one: float | Decimal | None, other: float | Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    near_zero = NEAR_ZERO_OF_NUMERIC if isinstance(one, Decimal) else NEAR_ZERO
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=near_zero) or (math.isnan(one) and math.isnan(other))


def _lines(name: str, left: list[Mapping[str, Any]], right: list[Mapping[str, Any]]) -> list[str]:
    """One line per row without an equal row on the other side, with the columns that differ from the row of the same key there."""
    by_key = {repr(next(iter(row.values()))): row for row in right}
    made = []
    for row in left:
        match = by_key.pop(repr(next(iter(row.values()))), None)
        if match is None:
            made.append(f"{name}: only the evaluator has {dict(row)}")
            continue
        cells = {column: (value, match[column]) for column, value in row.items() if _plain(value) != _plain(match.get(column))}
        made.append(f"{name} {next(iter(row.values()))}: evaluator and local warehouse have {cells}")
    return made + [f"{name}: only the local warehouse has {dict(row)}" for row in by_key.values()]
