"""Finds out which files of a folder are exports, by their columns and names."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.contract import contract
from include.exports.files import CSV_ENDINGS, JSON_ENDINGS, columns_of
from include.exports.forms import chosen, is_filled, missing_for_key, reads, written
from include.exports.mappings import MAPPING_FILE, Export, ExportTable, Organization, read_mappings
from include.sources.names import warehouse_name
from include.sources.readers.texts import Unreadable

_OTHER_FILES = frozenset({MAPPING_FILE, "demo_cases.md"})
#: The end that people and browsers add to a file's name: `subscriptions (3)`, `Account_2026-10-01`.
_SUFFIX = re.compile(r"[\s_.-]*(\(\d+\)|[\d_.-]+)$")


@dataclass(frozen=True)
class Delivery:
    """The files of one table of an export.

    Attributes:
        table: the table's mapping.
        files: its files, in order.
        columns: the columns of each file.
        forms: contract column → its form in the language of source files, for the columns that some file fills.
    """

    table: ExportTable
    files: tuple[Path, ...]
    columns: Mapping[Path, Collection[str]]
    forms: Mapping[str, Any]

    @property
    def all_columns(self) -> set[str]:
        """The columns of all files."""
        return {name for path in self.files for name in self.columns[path]}

    def lacking(self, path: Path) -> dict[str, list[str]]:
        """Contract columns that the mapping fills and a file does not → the columns of the source that it would read."""
        return {
            column: reads(given) or reads(self.forms[column])
            for column, given in self.table.columns.items()
            if not is_filled(self.forms.get(column), self.columns[path])
        }

    def copies(self) -> dict[str, Path]:
        """The name of each file's copy, without its ending → the file.

        It is the file's own; if two files have the same, with its ending and the folders in which they differ.
        """
        shared = os.path.commonpath([each.parent for each in self.files])
        stems = Counter(each.stem for each in self.files)
        return {path.stem if stems[path.stem] == 1 else "-".join(path.relative_to(shared).parts): path for path in self.files}


@dataclass
class Found:
    """The files of a folder, by the tables that read them.

    Attributes:
        folder: the folder.
        organization: as `mapping.yml` says; None without it.
        exports: the system's mapping by the name of its source, for the systems of which there is a file.
        deliveries: source → table → its files.
        contract_files: entity → the file that has the contract's own columns.
        notes: files that are not read, and why.
    """

    folder: Path
    organization: Organization | None
    exports: dict[str, Export] = field(default_factory=dict)
    deliveries: dict[str, dict[str, Delivery]] = field(default_factory=dict)
    contract_files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def shown(self, path: Path) -> str:
        """A file's path below the folder."""
        return path.relative_to(self.folder).as_posix()


def find(folder: Path) -> Found:
    """Sort the files of a folder and of its subfolders.

    Raises:
        ExportError: `mapping.yml` is invalid.
        OSError: the folder cannot be read.
    """
    organization, known = read_mappings(folder)
    found = Found(folder, organization)
    files: dict[tuple[str, str], list[Path]] = {}
    headers: dict[Path, list[str]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        shown = found.shown(path)
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
                found.notes.append(f"{shown} is ignored: {_remedy(header, known)}")
            continue
        headers[path] = header
        found.notes += _keyless(shown, header, known, places)
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
            if table.recognized_by and all(written(column, header) for column in table.recognized_by):
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


def _remedy(header: Collection[str], known: Mapping[str, Export]) -> str:
    """The cause for which no table reads a file, and the remedy."""
    kinds = (each for export in known.values() for each in export.not_read)
    remedies = (each.remedy for each in kinds if all(written(column, header) for column in each.recognized_by))
    return next(remedies, f"it is not a known export. {MAPPING_FILE} can map it")


def _keyless(shown: str, header: Collection[str], known: Mapping[str, Export], places: Sequence[tuple[str, str]]) -> list[str]:
    """A note for each table that reads such a file, but not this one, because it lacks a part of the key."""
    source, first = places[0]
    notes = []
    for name, table in known[source].tables.items():
        missing = missing_for_key(table, header) if table.file == known[source].tables[first].file else []
        if missing:
            sought = ", ".join(" or ".join(reads(table.columns.get(part))) or part for part in missing)
            notes.append(f"{shown} has no column {sought}: no {table.entity} are read from it as {source}.{name}")
    return notes


def _deliver(
    found: Found, source: str, name: str, export: Export, paths: Sequence[Path], headers: Mapping[Path, Collection[str]]
) -> None:
    """Add the files of a table, except those that cannot feed it. Each of those is named."""
    table = export.tables[name]
    kept = []
    for path in paths:
        if missing := [column for column in table.where or () if written(column, headers[path]) is None]:
            found.notes.append(
                f"{found.shown(path)} has no column {', '.join(missing)}, by which {source}.{name} chooses its rows: "
                f"{table.entity} are not read from it. Export the column, or change `where` in {MAPPING_FILE}"
            )
        else:
            kept.append(path)
    if not kept:
        return
    key = {part: table.columns[part] for part in contract()[table.entity].key if part in table.columns}
    parts = _forms(key, [headers[path] for path in kept], found.organization, is_key=True)
    for path in list(kept):
        if missing := [part for part, form in parts.items() if not is_filled(form, headers[path])]:
            kept.remove(path)
            found.notes.append(
                f"{found.shown(path)}: {', '.join(missing)} of {source}.{name} would come from another column than in its other files: "
                f"{table.entity} are not read from it. Export all files with the same columns"
            )
    columns = {path: headers[path] for path in kept}
    forms = _forms(table.columns, list(columns.values()), found.organization, is_key=False) | parts
    found.exports[source] = export
    found.deliveries.setdefault(source, {})[name] = Delivery(table, tuple(kept), columns, forms)


def _forms(
    given: Mapping[str, Any], headers: Sequence[Collection[str]], organization: Organization | None, is_key: bool
) -> dict[str, Any]:
    found = {column: chosen(each, headers, organization, is_key) for column, each in given.items()}
    return {column: form for column, form in found.items() if form is not None}


def _entity(path: Path) -> str | None:
    name = path.stem.lower()
    return name if path.suffix.lower() == ".csv" and name in contract() else None


def _has_contract_key(header: Collection[str], entity: str) -> bool:
    names = {warehouse_name(name) for name in header} | set(header)
    return all(column in names for column in contract()[entity].key)
