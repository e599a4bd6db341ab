"""HubSpot's search: filter groups, one sort, and pages up to the 10,000th result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from include.demo.vendors.hubspot.records import Record, entered
from include.demo.vendors.hubspot.shape import Kind
from include.demo.vendors.hubspot.words import STAGES

GROUPS, FILTERS, PER_GROUP = 5, 25, 10
"""The most filter groups of a search, filters in all, and filters in one group."""

Value = Decimal | str
Predicate = Callable[[Record], bool]


class Invalid(Exception):
    """The request is invalid. The message gives the reason."""


def types_of(kind: Kind) -> dict[str, str]:
    """The type of each property that a search can name."""
    own = {prop.name: prop.type for prop in kind.properties}
    if kind.name == "deals":
        own |= {entered(stage): "datetime" for stage in STAGES.values()}
    return own | {"hs_object_id": "number", kind.created: "datetime", kind.modified: "datetime", "hs_merged_object_ids": "string"}


def matching(kind: Kind, records: list[Record], body: dict[str, Any]) -> list[Record]:
    """The records that satisfy any of the filter groups, sorted as asked; by id otherwise.

    Raises:
        Invalid: a filter or the sort is not one of HubSpot's.
    """
    types = types_of(kind)
    groups = body.get("filterGroups") or []
    filters = [group.get("filters") or [] for group in groups]
    if len(groups) > GROUPS or sum(map(len, filters)) > FILTERS or any(len(group) > PER_GROUP for group in filters):
        raise Invalid(f"A search may have {GROUPS} filter groups, {PER_GROUP} filters in a group and {FILTERS} in all.")
    tests = [[_predicate(types, one) for one in group] for group in filters]
    found = [record for record in records if not tests or any(all(test(record) for test in group) for group in tests)]
    sorts = body.get("sorts") or []
    if len(sorts) > 1:
        raise Invalid("Only one sort is allowed.")
    for sort in sorts:
        if isinstance(sort, str):
            name, down = sort.removeprefix("-"), sort.startswith("-")
        else:
            name, down = sort.get("propertyName"), sort.get("direction") == "DESCENDING"
        _known(types, name)
        present = [record for record in found if name in record.properties]
        present.sort(key=partial(_order, name=name, kind=types[name]), reverse=down)
        found = present + [record for record in found if name not in record.properties]
    return found


def _known(types: dict[str, str], name: Any) -> str:
    if name not in types:
        raise Invalid(f"There was a problem with the request. Property {name!r} does not exist.")
    return str(name)


def _predicate(types: dict[str, str], one: dict[str, Any]) -> Predicate:
    name = _known(types, one.get("propertyName"))
    kind, operator = types[name], one.get("operator")
    if operator == "HAS_PROPERTY":
        return lambda record: record.properties.get(name, "") != ""
    if operator == "NOT_HAS_PROPERTY":
        return lambda record: record.properties.get(name, "") == ""
    if operator in ("IN", "NOT_IN"):
        wanted = {_comparable(str(value), kind) for value in one.get("values") or []}
        return lambda record: (_of(record, name, kind) in wanted) == (operator == "IN") and name in record.properties
    if operator not in _COMPARISONS and operator != "BETWEEN":
        raise Invalid(f"Invalid input JSON: {operator!r} is not an operator.")
    if "value" not in one:
        raise Invalid(f"The operator {operator} needs a value.")
    low: Any = _comparable(str(one["value"]), kind)
    if operator == "BETWEEN":
        high: Any = _comparable(str(one.get("highValue", "")), kind)
        return lambda record: (found := _of(record, name, kind)) is not None and low <= found <= high
    compare = _COMPARISONS[operator]
    return lambda record: (found := _of(record, name, kind)) is not None and compare(found, low)


_COMPARISONS: dict[Any, Callable[[Any, Any], bool]] = {
    "EQ": lambda found, wanted: found == wanted,
    "NEQ": lambda found, wanted: found != wanted,
    "LT": lambda found, wanted: found < wanted,
    "LTE": lambda found, wanted: found <= wanted,
    "GT": lambda found, wanted: found > wanted,
    "GTE": lambda found, wanted: found >= wanted,
}


def _order(record: Record, name: str, kind: str) -> Any:
    return _comparable(record.properties[name], kind)


def _of(record: Record, name: str, kind: str) -> Any:
    value = record.properties.get(name)
    return None if value in (None, "") else _comparable(value or "", kind)


def _comparable(value: str, kind: str) -> Value:
    """A value by which properties of a type are compared: dates and times in milliseconds since 1970 UTC, as a filter gives them."""
    if kind in ("datetime", "date"):
        return milliseconds(value)
    if kind == "number":
        try:
            return Decimal(value)
        except InvalidOperation:
            raise Invalid(f"{value!r} is not a number.") from None
    return value.lower()


def milliseconds(value: str) -> Decimal:
    """Milliseconds since 1970 UTC, for a text of them or an ISO 8601 date or time."""
    if value.lstrip("-").isdigit():
        return Decimal(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(f"{value!r} is neither milliseconds since 1970 nor an ISO 8601 time.") from None
    return Decimal(round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
