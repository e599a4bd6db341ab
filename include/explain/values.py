"""Values as people read them: thousands separators, units, currencies."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

#: Ending of a column's name → the unit behind its value. Hours may also be in its middle.
_UNITS = {
    "_pct": " %",
    "_hours": " h",
    "_minutes": " min",
    "_days": " days",
    "_score": " points",
}
#: Longest text in a cell of a table.
_LONGEST = 38


def figure(value: Any, column: str, currency: str | None) -> str:
    """A figure with its unit; `unknown` if it is NULL."""
    if value is None:
        return "unknown (NULL)"
    return f"{currency} {value:,.2f}" if currency else f"{_number(value, column)}{unit_of(column)}"


def unit_of(column: str) -> str:
    """The unit that the name of a column says, with a space before it; empty if it says none."""
    middle = " h" if "_hours_" in column else ""
    return next((unit for ending, unit in _UNITS.items() if column.endswith(ending)), middle)


def cell(value: Any, column: str = "") -> str:
    """A value in a table. A year has no thousands separator."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return _number(value, column)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _number(value: float | Decimal, column: str) -> str:
    """A whole number without digits, a fraction with two, a small one with four."""
    if isinstance(value, int):
        return str(value) if column.endswith("year") else f"{value:,}"
    if value == 0 or not -1 < value < 1:
        return f"{value:,.2f}"
    return f"{value:.4f}"
