"""Matches the header of a CSV file with the columns of the contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from include.contract import Entity

#: Names of PostgreSQL's system columns: no table can have a column of that name.
_RESERVED = frozenset({"ctid", "cmax", "cmin", "tableoid", "xmax", "xmin"})
_LONGEST = 63


@dataclass
class Header:
    """The columns of a file.

    Attributes:
        declared: contract column → its position in the file, from 0.
        others: name of a column that is not in the contract → its position.
        faults: the name as the file writes it, or None, the kind of fault, and the message.
        notes: what the reader of the file should know, in words.
    """

    declared: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[str | None, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match(names: list[str], entity: Entity, filled: Collection[int]) -> Header:
    """Match the names in a file. `Account Id`, `ACCOUNT_ID` and `accountId` are account_id.

    Args:
        names: the header.
        entity: the entity of the contract.
        filled: the positions of columns that have a value in some row.
    """
    found = Header()
    written: dict[str, str] = {}
    for position, name in enumerate(names):
        if not name:
            _unnamed(found, position, position in filled)
            continue
        column = _known_name(name, entity.columns)
        key = column or name
        if key in written:
            also = "" if written[key] == name else f": {written[key]} is the same column"
            found.faults.append((name, "repeated", f"the column occurs twice{also}"))
            continue
        written[key] = name
        if column is not None:
            found.declared[column] = position
        else:
            _undeclared(found, name, position, entity)
    for column, declared in entity.columns.items():
        if declared.required and column not in found.declared:
            found.faults.append((column, "missing", "the column is missing"))
    missing = [name for name, declared in entity.columns.items() if not declared.required and name not in found.declared]
    if missing:
        found.notes.append(f"no column {', '.join(missing)}: unknown")
    return found


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that a misspelled or shortened word probably means."""
    folded = {each.casefold(): each for each in known}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def _known_name(name: str, columns: Mapping[str, object]) -> str | None:
    from include.sources.names import warehouse_name

    return next((each for each in (name, warehouse_name(name)) if each in columns), None)


def _unnamed(found: Header, position: int, is_filled: bool) -> None:
    where = f"column {position + 1} has no name"
    if is_filled:
        found.faults.append((None, f"unnamed {position}", f"{where}, but values: name it, or remove the column"))
    else:
        found.notes.append(f"{where} and no values; ignored")


def _undeclared(found: Header, name: str, position: int, entity: Entity) -> None:
    if name in _RESERVED:
        found.faults.append((name, "reserved", "the name is reserved by databases: rename or remove the column"))
    elif len(name.encode()) > _LONGEST:
        found.faults.append(
            (name[:40] + "…", "long", f"the name is longer than {_LONGEST} bytes, which a database cuts: shorten it")
        )
    else:
        found.others[name] = position
        meant = nearest(name, entity.columns.keys() - found.declared.keys())
        hint = f"; is {meant} meant?" if meant else ""
        found.notes.append(f"column {name} is not in the contract; kept as text{hint}")
