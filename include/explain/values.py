"""Values as people read them: thousands separators, units, currencies."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

#: Ending of a column's name → the unit behind its value.
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
    unit = next((unit for ending, unit in _UNITS.items() if column.endswith(ending)), "")
    text = _number(value)
    return f"{currency} {text}" if currency else f"{text}{unit}"


def cell(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def size(count: int) -> str:
    """A number of bytes."""
    if count < 1000:
        return f"{count} B"
    power = min((len(str(count)) - 1) // 3, 4)
    return f"{count / 1000**power:,.1f} {('KB', 'MB', 'GB', 'TB')[power - 1]}"


def _number(value: float | Decimal) -> str:
    """A whole number without digits, an amount with two, a small number with four."""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or not -1 < value < 1:
        return f"{value:,.2f}"
    return f"{value:.4f}"
