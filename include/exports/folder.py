"""Finds out which files of a folder are exports, by their columns and names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.contract import TENANT, contract
from include.exports.files import CSV_ENDINGS, JSON_ENDINGS, columns_of
from include.exports.forms import missing_for_key, resolved
from include.exports.mappings import MAPPING_FILE, Export, ExportTable, Organization, read_mappings
from include.sources.names import warehouse_name
from include.sources.readers.texts import Unreadable

_OTHER_FILES = frozenset({MAPPING_FILE, "demo_cases.md"})
#: What people and browsers put after a file's name: `subscriptions (3)`, `Account_2026-10-01`.
_SUFFIX = re.compile(r"[\s_.-]*(\(\d+\)|[\d_.-]+)$")


@dataclass(frozen=True)
class Delivery:
    """The files of one table of an export.

    Attributes:
        table: the table's mapping.
        files: its files, in order.
        columns: the names of columns that every file has.
        forms: contract column → its form in the language of source files, for the columns that the files allow.
    """

    table: ExportTable
    files: tuple[Path, ...]
    columns: tuple[str, ...]
    forms: Mapping[str, Any]

    @property
    def unknown(self) -> list[str]:
        """The contract's columns that the files do not fill."""
        return [name for name in contract()[self.table.entity].columns if name not in self.forms and name != TENANT]


@dataclass
class Found:
    """What a folder holds.

    Attributes:
        organization: as `mapping.yml` says; None without it.
        exports: the system's mapping by the name of its source, for the systems of which there is a file.
        deliveries: source → table → its files.
        contract_files: entity → the file that has the contract's own columns.
        notes: files that are not read, and why.
    """

    organization: Organization | None
    exports: dict[str, Export] = field(default_factory=dict)
    deliveries: dict[str, dict[str, Delivery]] = field(default_factory=dict)
    contract_files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def find(folder: Path) -> Found:
    """Sort the files of a folder and of its subfolders.

    Raises:
        ExportError: `mapping.yml` is invalid.
        OSError: the folder cannot be read.
    """
    organization, known = read_mappings(folder)
    found = Found(organization)
    files: dict[tuple[str, str], list[Path]] = {}
    headers: dict[Path, list[str]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        shown = path.relative_to(folder).as_posix()
        if path.name in _OTHER_FILES or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if path.suffix.lower() not in CSV_ENDINGS | JSON_ENDINGS:
            found.notes.append(f"{shown} is neither CSV nor JSON and is ignored")
            continue
        try:
            header, guess = columns_of(path)
        except Unreadable as error:
            header, guess = [], None
            if _entity(path) is None:
                found.notes.append(f"{shown} is ignored: {error}")
        entity = _entity(path)
        if entity is not None and (not header or _has_contract_key(header, entity)):
            found.contract_files.setdefault(entity, path)
            continue
        places = recognized(path.stem, header, known)
        if not places:
            if entity is not None:
                found.contract_files.setdefault(entity, path)
            elif header:
                found.notes.append(f"{shown} is not a known export and is ignored: {MAPPING_FILE} can map it")
            continue
        headers[path] = header
        if guess is not None:
            found.notes.append(f"{shown}: {guess}. If that is misspelled, set `encoding` of its system in {MAPPING_FILE}")
        for place in places:
            files.setdefault(place, []).append(path)
    for (source, name), paths in files.items():
        _deliver(found, source, name, known[source], paths, headers)
    return found


def recognized(stem: str, header: Collection[str], known: Mapping[str, Export]) -> list[tuple[str, str]]:
    """The tables that read a file: source and table. One file may feed several tables of one system."""
    exact: list[tuple[int, str, str]] = []
    named: list[tuple[int, str, str]] = []
    plain = _SUFFIX.sub("", stem).casefold()
    for source, export in known.items():
        for name, table in export.tables.items():
            if missing_for_key(table, header):
                continue
            if table.recognized_by and set(table.recognized_by) <= set(header):
                exact.append((len(table.recognized_by), source, name))
            elif table.file.casefold() in (stem.casefold(), plain):
                named.append((0, source, name))
    chosen = exact or named
    if not chosen:
        return []
    _, best, first = max(chosen)
    kind = known[best].tables[first].file
    return [
        (source, name)
        for _, source, name in sorted(chosen, key=lambda each: each[1:])
        if source == best and known[source].tables[name].file == kind
    ]


def _deliver(found: Found, source: str, name: str, export: Export, paths: list[Path], headers: Mapping[Path, list[str]]) -> None:
    common = tuple(column for column in headers[paths[0]] if all(column in headers[path] for path in paths))
    table = export.tables[name]
    forms = {
        column: form
        for column, given in table.columns.items()
        if (form := resolved(given, common, found.organization)) is not None
    }
    found.exports[source] = export
    found.deliveries.setdefault(source, {})[name] = Delivery(table, tuple(paths), common, forms)


def _entity(path: Path) -> str | None:
    name = path.stem.lower()
    return name if path.suffix.lower() == ".csv" and name in contract() else None


def _has_contract_key(header: Collection[str], entity: str) -> bool:
    names = {warehouse_name(name) for name in header} | set(header)
    return all(column in names for column in contract()[entity].key)
