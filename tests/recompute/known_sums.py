"""Counts and sums that are unknown, None, if no row says what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from tests.recompute.grouping import known
from tests.recompute.sources import Row

#: A column, or what a row says: None if it does not.
Said = str | Callable[[Row], Any]


def said(rows: Iterable[Row], what: Said) -> list[Any]:
    """What each row says, None included."""
    return [row[what] if isinstance(what, str) else what(row) for row in rows]


def counted_known(rows: Iterable[Row], condition: Said) -> int | None:
    """The number of rows for which a condition holds; None if no row says so or not."""
    answers = [answer for answer in said(rows, condition) if answer is not None]
    return sum(map(bool, answers)) if answers else None


def sum_where(rows: list[Row], condition: Said, column: str) -> Fraction | None:
    """The sum of a column over the rows for which a condition holds.

    It is None if no row says whether it holds, or if it holds for some and none of them has a value. It is 0 if it holds for none.
    """
    answers = said(rows, condition)
    if all(answer is None for answer in answers):
        return None
    chosen = [row for row, answer in zip(rows, answers, strict=True) if answer]
    return known_total(chosen, column)


def known_total(rows: list[Row], column: str) -> Fraction | None:
    """The sum of a column; 0 without rows, and None if no row has a value."""
    values = known(rows, column)
    return sum(values, Fraction(0)) if values or not rows else None
