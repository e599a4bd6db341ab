"""Paths of values in JSON: keys joined by dots, and positions from 0 in brackets, such as `lines[0].price.amount`."""

from __future__ import annotations

import re

_PART = re.compile(r'\.?(?:([^.\[\]"]+)|"([^"\\]+)")|\[(\d{1,6})\]')
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parts_of(path: str) -> list[str | int]:
    """The keys and positions of a path. A key with a dot or a bracket is in double quotes; no key has a quote or a backslash.

    Raises:
        ValueError: the text is no path.
    """
    parts: list[str | int] = []
    place = 0
    while place < len(path):
        found = _PART.match(path, place)
        if found is None or (found[3] is None and (place == 0) == found[0].startswith(".")):
            raise ValueError(f'{path!r} is no path: write keys joined by dots, such as address.country or lines[0]."unit.price"')
        plain, quoted, position = found.groups()
        parts.append(int(position) if position is not None else plain or quoted)
        place = found.end()
    if not parts:
        raise ValueError("the path is empty")
    return parts


def json_path(path: str) -> str:
    """The path in the form that BigQuery's JSON functions take: `$.lines[0]."unit.price"`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in parts_of(path))


def _key(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else f'"{part}"'
