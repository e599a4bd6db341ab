"""Compares recomputed rows with rows of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
Tolerance = Decimal | Mapping[str, Decimal]

EXACT = Decimal(0)
CENT = Decimal("0.005")


def compare(
    expected_rows: Sequence[Row],
    actual_rows: Sequence[Row],
    key: Sequence[str],
    columns: Sequence[str],
    tolerance: Tolerance = EXACT,
) -> list[str]:
    """Readable differences between two tables. An empty list means that they are equal.

    Args:
        expected_rows: the recomputed rows.
        actual_rows: the rows of the warehouse. They may have additional columns.
        key: the columns that identify a row. A duplicate key on either side is a difference.
        columns: the columns to compare. A column that is missing from a row is a difference.
        tolerance: the greatest allowed difference between two numbers, for all columns or by column. Columns without
            a tolerance must be exact. Texts, booleans, dates and timestamps must be equal.
    """
    differences: list[str] = []
    expected = _by_key("expected", expected_rows, key, differences)
    actual = _by_key("actual", actual_rows, key, differences)
    for identity in expected.keys() - actual.keys():
        differences.append(f"{_name(key, identity)}: missing in the warehouse")
    for identity in actual.keys() - expected.keys():
        differences.append(f"{_name(key, identity)}: only in the warehouse")
    for identity in expected.keys() & actual.keys():
        for column in columns:
            wanted, found = (side[identity].get(column, _ABSENT) for side in (expected, actual))
            allowed = tolerance if isinstance(tolerance, Decimal) else tolerance.get(column, EXACT)
            if not _same(wanted, found, allowed):
                difference = f"{column} should be {_show(wanted)}, the warehouse has {_show(found)}"
                differences.append(f"{_name(key, identity)}: {difference}")
    return sorted(differences)


class _Absent:
    def __repr__(self) -> str:
        return "no such column"


_ABSENT = _Absent()


def _by_key(side: str, rows: Sequence[Row], key: Sequence[str], differences: list[str]) -> dict[tuple[Any, ...], Row]:
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        identity = tuple(_plain(row[name]) for name in key)
        if identity in found:
            differences.append(f"{_name(key, identity)}: twice among the {side} rows")
        found[identity] = row
    return found


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _number(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        return None
    return Fraction(value)


def _same(wanted: Any, found: Any, allowed: Decimal) -> bool:
    if wanted is None or found is None or wanted is _ABSENT or found is _ABSENT:
        return wanted is None and found is None
    left, right = _number(wanted), _number(found)
    if left is not None and right is not None:
        return abs(left - right) <= Fraction(allowed)
    if type(wanted) is not type(found):
        return False
    return bool(_plain(wanted) == _plain(found))


def _show(value: Any) -> str:
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date | Decimal):
        return str(value)
    return repr(value)


def _name(key: Sequence[str], identity: tuple[Any, ...]) -> str:
    return ", ".join(f"{column}={_show(value)}" for column, value in zip(key, identity, strict=True))
