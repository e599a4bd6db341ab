"""Chooses the form of each column by the columns that a file has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from include.contract import TENANT, contract
from include.exports.mappings import ExportTable, Organization

_PLACES = {"$organization": "id", "$currency": "currency", "$timezone": "timezone"}


def resolved(given: Any, header: Collection[str], organization: Organization | None) -> Any:
    """The form of a column in the language of source files. None: the file does not say it.

    Args:
        given: a form, or a list of alternatives.
        header: the columns of the file.
        organization: replaces `$organization`, `$currency` and `$timezone`. Without it, they stay.
    """
    match given:
        case list() as alternatives:
            found = (resolved(each, header, organization) for each in alternatives)
            return next((each for each in found if each is not None), None)
        case str():
            return given if given in header else None
        case {"first": list() as names, **rest}:
            present = [name for name in names if name in header]
            return {"first": present, **rest} if present else None
        case {"key": list() as names}:
            return given if all(name in header for name in names) else None
        case {"from": str() as name, **rest}:
            currency = rest.get("currency")
            if name not in header or (isinstance(currency, str) and currency not in header):
                return None
            return {"from": name, **{key: _filled(value, organization) for key, value in rest.items()}}
        case {"value": value}:
            return {"value": _filled(value, organization)}
        case _:
            return given


def missing_for_key(table: ExportTable, header: Collection[str]) -> list[str]:
    """The parts of an entity's key that a file of this header lacks."""
    key = contract()[table.entity].key
    return [part for part in key if part != TENANT and resolved(table.columns.get(part), header, None) is None]


def _filled(value: Any, organization: Organization | None) -> Any:
    if isinstance(value, str) and value in _PLACES and organization is not None:
        return getattr(organization, _PLACES[value])
    return {key: _filled(each, organization) for key, each in value.items()} if isinstance(value, dict) else value
