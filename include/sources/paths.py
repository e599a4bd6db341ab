"""Paths of values in JSON: keys joined by dots, and positions from 0 in brackets, such as `lines[0].price.amount`.

Paths in records of an API may also pick an item of a list by one of its values: `custom_fields[id=123].value`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_PART = re.compile(r'\.?(?:([^.\[\]"]+)|"([^"\\]+)")|\[(\d{1,6})\]|\[([A-Za-z_]\w*)=([^\[\]"\\{}]+)\]')
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Pick:
    """Picks the first item of a list whose `key` has a value, which is a text or a number."""

    key: str
    value: str

    def of(self, items: Any) -> Any:
        """The item; None if there is none."""
        found = (item for item in items if isinstance(item, dict) and str(item.get(self.key)) == self.value)
        return next(found, None) if isinstance(items, list) else None


def picking_parts_of(path: str) -> list[str | int | Pick]:
    """The parts of a path that may pick items. A key with a dot or a bracket is in double quotes; no key has a quote or a backslash.

    Raises:
        ValueError: the text is no path.
    """
    parts: list[str | int | Pick] = []
    place = 0
    while place < len(path):
        found = _PART.match(path, place)
        in_brackets = found is not None and found[0].startswith("[")
        if found is None or (not in_brackets and (place == 0) == found[0].startswith(".")):
            raise ValueError(f'{path!r} is no path: write keys joined by dots, such as address.country or lines[0]."unit.price"')
        plain, quoted, position, key, value = found.groups()
        parts.append(Pick(key, value) if key else int(position) if position is not None else plain or quoted)
        place = found.end()
    if not parts:
        raise ValueError("the path is empty")
    return parts


def parts_of(path: str) -> list[str | int]:
    """The keys and positions of a path that picks no items.

    Raises:
        ValueError: the text is no such path.
    """
    parts = picking_parts_of(path)
    if found := next((part for part in parts if isinstance(part, Pick)), None):
        raise ValueError(
            f"{path!r} picks an item by its {found.key}: `set` of a REST table can do so. Map the column that it sets"
        )
    return [part for part in parts if not isinstance(part, Pick)]


def json_path(path: str) -> str:
    """The path in the form that BigQuery's JSON functions take: `$.lines[0]."unit.price"`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in parts_of(path))


def _key(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else f'"{part}"'
