"""Chooses the form of each column by the columns that a file has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from include.contract import TENANT, contract
from include.exports.mappings import ExportTable, Organization

_PLACES = {"$organization": "id", "$currency": "currency", "$timezone": "timezone"}


def resolved(given: Any, header: Collection[str], organization: Organization | None) -> Any:
    """The form of a column in the language of source files, with the columns' names as the file writes them. None: the file does not say it.

    Capitals do not count: Data Loader writes `ACCOUNTID` for `AccountId`.

    Args:
        given: a form, or a list of alternatives.
        header: the columns of the file.
        organization: replaces `$organization`, `$currency` and `$timezone`. Without it, they stay.
    """
    match given:
        case list() as alternatives:
            forms = (resolved(each, header, organization) for each in alternatives)
            return next((each for each in forms if each is not None), None)
        case str():
            return written(given, header)
        case {"first": list() as names, **rest}:
            present = [found for name in names if (found := written(name, header)) is not None]
            return {"first": present, **rest} if present else None
        case {"key": list() as names}:
            parts = [written(name, header) for name in names]
            return {"key": parts} if all(parts) else None
        case {"from": str() as name, **rest}:
            columns = {each: written(each, header) for each in reads(given)}
            if not all(columns.values()):
                return None
            used: dict[str, Any] = {"from": columns[name]}
            used |= {str(key): _filled(value, organization) for key, value in rest.items()}
            if isinstance(currency := rest.get("currency"), str):
                used["currency"] = columns[currency]
            where: Any = rest.get("where")
            if where:
                used["where"] = {columns[column]: values for column, values in where.items()}
            return used
        case {"value": value}:
            return {"value": _filled(value, organization)}
        case _:
            return given


def chosen(given: Any, headers: Sequence[Collection[str]], organization: Organization | None, is_key: bool) -> Any:
    """The form of a column for several files of one table. None: no file says it.

    If the files have different columns among the alternatives, the form takes from each file the column that it has. If a
    conversion or a key forbids that, the first alternative that a file has counts: the other files do not fill the column.
    """
    every = {name for header in headers for name in header}
    first = resolved(given, every, organization)
    found = [resolved(given, header, organization) for header in headers]
    names = (
        [name for each in given if (name := resolved(each, every, None)) in found]
        if isinstance(given, list) and not is_key
        else []
    )
    return {"first": names} if len(names) > 1 and all(isinstance(name, str) for name in names) else first


def is_filled(form: Any, header: Collection[str]) -> bool:
    """True if a file of this header fills a column of this form, in which the names are written as in some file."""
    if form is None:
        return False
    found = [name in header for name in reads(form)]
    return any(found) if isinstance(form, dict) and "first" in form else all(found)


def reads(given: Any) -> list[str]:
    """The columns of the source that a form reads, or those of all alternatives. None of them: the value is always there."""
    match given:
        case list() as alternatives:
            found = [reads(each) for each in alternatives]
            return [name for each in found for name in each] if all(found) else []
        case str():
            return [given]
        case {"first": list() as names} | {"key": list() as names}:
            return names
        case {"from": str() as name, **rest}:
            currency, conditions = rest.get("currency"), rest.get("where")
            return [
                name,
                *([currency] if isinstance(currency, str) else []),
                *(conditions if isinstance(conditions, dict) else ()),
            ]
        case _:
            return []


def written(name: str, header: Collection[str]) -> str | None:
    """The name of a column as a header writes it. None: the file lacks it."""
    return name if name in header else next((each for each in header if each.casefold() == name.casefold()), None)


def missing_for_key(table: ExportTable, header: Collection[str]) -> list[str]:
    """The parts of an entity's key that a file of this header lacks."""
    key = contract()[table.entity].key
    return [part for part in key if part != TENANT and resolved(table.columns.get(part), header, None) is None]


def _filled(value: Any, organization: Organization | None) -> Any:
    if isinstance(value, str) and value in _PLACES and organization is not None:
        return getattr(organization, _PLACES[value])
    return {key: _filled(each, organization) for key, each in value.items()} if isinstance(value, dict) else value
