"""Groups rows by column values, and sums or counts them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from tests.recompute.sources import Row


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    """The rows grouped by the values of `columns`, in order of appearance."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    return groups


def known(rows: Iterable[Row], column: str) -> list[Fraction]:
    """The known values of a column, exact."""
    return [Fraction(row[column]) for row in rows if row[column] is not None]


def total(rows: Iterable[Row], column: str) -> Fraction:
    """The sum of the known values of a column; 0 if no value is known."""
    return sum(known(rows, column), Fraction(0))


def counted(rows: Iterable[Row], column: str) -> int:
    """The number of rows in which a boolean column is true."""
    return sum(bool(row[column]) for row in rows)


def counted_known(rows: Sequence[Row], column: str) -> int | None:
    """The number of rows in which a boolean column is true. None if there are rows, and it is unknown in all of them."""
    values = [bool(row[column]) for row in rows if row[column] is not None]
    return sum(values) if values or not rows else None


def without_status(tickets: Iterable[Row]) -> int:
    """The number of tickets that are neither open nor resolved, because their status is unknown."""
    return sum(not ticket["is_open"] and not ticket["is_resolved"] for ticket in tickets)
