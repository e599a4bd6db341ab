"""The form of HubSpot's object types, and how HubSpot writes values and ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from include.demo.vendors.common import Row, number_of


@dataclass(frozen=True)
class Property:
    """A property: its name, its source in a row of the demo company, and HubSpot's type.

    `source` is a column, or a function of the row. `words` turns the value into the internal name of an option.
    """

    name: str
    source: str | Callable[[Row], Any]
    type: str = "string"
    words: Mapping[str, str] | None = None
    custom: bool = False

    def value(self, row: Row) -> str | None:
        """The value as HubSpot sends it: always a text, or None."""
        value = row.get(self.source) if isinstance(self.source, str) else self.source(row)
        if value is not None and self.words is not None:
            return self.words[value]
        return text(value, self.type)


Type = tuple[int, str | None]
"""An association type: its id and its label."""


@dataclass(frozen=True)
class Link:
    """An association: a column with the id of an object of another type, and HubSpot's association types, in both directions."""

    to: str
    column: str
    there: tuple[Type, ...]
    back: tuple[Type, ...]


@dataclass(frozen=True)
class Kind:
    """An object type, and where the demo company has its objects."""

    name: str
    type_id: str
    table: str
    properties: tuple[Property, ...]
    links: tuple[Link, ...] = ()
    defaults: tuple[str, ...] = ()
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    where: Callable[[Row], bool] = lambda row: True


def text(value: Any, kind: str) -> str | None:
    """A value of a property type, as HubSpot writes it."""
    if value is None:
        return None
    if kind == "bool":
        return "true" if value else "false"
    if kind == "datetime":
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if kind == "number" and isinstance(value, Decimal):
        return f"{value:.2f}" if value == round(value, 2) else f"{value.normalize():f}"
    return str(value)


def object_id(key: str | None) -> str | None:
    """HubSpot's id for a key of the demo company."""
    return None if key is None else str(number_of(key, 40))
