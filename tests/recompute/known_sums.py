"""Sums and counts over the rows that say what they need: None if there are rows and none of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.grouping import counted_known, known
from tests.recompute.sources import Row

Number = Fraction | Decimal | int
#: A column, or what a row says: None if it does not.
Said = str | Callable[[Row], Any]


def both(*conditions: bool | None) -> bool | None:
    """Whether all conditions hold, as in SQL: False if one does not hold, else None if one is unknown."""
    if False in conditions:
        return False
    return None if None in conditions else True


def negated(condition: bool | None) -> bool | None:
    """Whether a condition does not hold; None if it is unknown."""
    return None if condition is None else not condition


def is_counted(row: Row) -> bool | None:
    """Whether an order, line or invoice is in the amounts: it is revenue and has a rate. None if nobody knows whether it is revenue."""
    return row["has_rate"] if row["is_revenue"] else row["is_revenue"]


def total_known(rows: Sequence[Row], column: str) -> Fraction | None:
    """The sum of the known values of a column: 0 without rows, None if there are rows and no value is known."""
    values = known(rows, column)
    return sum(values, Fraction(0)) if values or not rows else None


def sum_of(rows: Sequence[Row], condition: str, column: str) -> Fraction | None:
    """The sum of a column over the rows for which a boolean column is true: 0 if it is true for none, None as in `total_known`."""
    if not counted_known(rows, condition):
        return None if counted_known(rows, condition) is None else Fraction(0)
    return total_known([row for row in rows if row[condition]], column)


def distinct_of(rows: Sequence[Row], condition: str, column: str) -> int | None:
    """The number of different known values of a column in the rows for which a boolean column is true: 0 and None as in `sum_of`."""
    if not counted_known(rows, condition):
        return None if counted_known(rows, condition) is None else 0
    return len({row[column] for row in rows if row[condition]} - {None}) or None


def ratio(part: Number | None, whole: Number | None) -> Fraction | None:
    """`part` ÷ `whole`; None if either is unknown, or `whole` is 0."""
    return None if part is None or not whole else Fraction(part) / Fraction(whole)


def percent(part: Number | None, whole: Number | None) -> Fraction | None:
    """`part` of `whole` in percent; None as in `ratio`."""
    found = ratio(part, whole)
    return None if found is None else 100 * found


def difference(first: Number | None, second: Number | None) -> Fraction | None:
    """`first` − `second`; None if either is unknown."""
    return None if first is None or second is None else Fraction(first) - Fraction(second)


def said(rows: Iterable[Row], what: Said) -> list[Any]:
    """What each row says, None included."""
    return [row[what] if isinstance(what, str) else what(row) for row in rows]


def counted_where(rows: Iterable[Row], condition: Said) -> int | None:
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
    return total_known(chosen, column)
