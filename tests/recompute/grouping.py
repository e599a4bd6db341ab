"""Rows by what they have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from tests.recompute.world import Row


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    """The rows by the values of some columns, in order of appearance."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    return groups


def known(rows: Iterable[Row], column: str) -> list[Fraction]:
    """The values of a column that are known, exact."""
    return [Fraction(row[column]) for row in rows if row[column] is not None]


def total(rows: Iterable[Row], column: str) -> Fraction:
    """The sum of the known values of a column; 0 without any."""
    return sum(known(rows, column), Fraction(0))


def counted(rows: Iterable[Row], column: str) -> int:
    """How many rows say yes in a column."""
    return sum(bool(row[column]) for row in rows)
