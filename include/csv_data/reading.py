"""Reads the files of a folder. One reader serves `make run DATA=…` and `make check-data`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from include.contract import Entity, contract
from include.csv_data.headers import match, nearest
from include.csv_data.problems import Problem, grouped
from include.csv_data.values import quoted, typed
from include.sources.readers.delimited import Delimited, batches, split
from include.sources.readers.texts import Unreadable, decode

if TYPE_CHECKING:
    import pyarrow as pa

#: Files of a folder that hold no table.
_OTHER_FILES = frozenset({"demo_cases.md"})
_ENDING = ".csv"


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    Attributes:
        entity: the entity's name in the contract.
        file: the file's name; None if the folder has no file of the table.
        data: the contract's columns in their Arrow types, then the other columns as text.
        lines: the line of each row in the file, from 1.
        present: the contract's columns that the file has.
        files: the file of each row, if the rows are of several files.
    """

    entity: str
    file: str | None
    data: pa.Table
    lines: list[int]
    present: frozenset[str]
    files: list[str] | None = None

    def file_of(self, row: int) -> str:
        """The file of a row, from 0."""
        return self.files[row] if self.files else self.file or ""


@dataclass
class Folder:
    """The files of a folder.

    Attributes:
        tables: the rows of each entity.
        missing: the entities of which there is no file, except those that only some companies have.
        notes: what the user should know, in words.
        problems: faults, each of which stops a run.
    """

    tables: dict[str, Rows] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def all_notes(self) -> list[str]:
        """The notes, with one on the entities of which there is no file."""
        return [*self.notes, *([f"no file has {', '.join(self.missing)}: these tables are empty"] if self.missing else [])]


def read_folder(folder: Path) -> Folder:
    """Read the `<table>.csv` files of a folder by the input contract.

    An empty field is NULL. Instants without a time zone are UTC. A table without a file is empty, and a column that is not
    required may be missing. Columns that are not in the contract are kept as text. A file holds one row per key, except for
    events, which may be delivered twice.

    Raises:
        OSError: the folder does not exist, or a file cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder.")
    entities = contract()
    found = Folder()
    files = _files(folder, entities, found)
    for name, entity in entities.items():
        if name in files:
            _Reading(name, entity, files[name], found).run()
        else:
            found.tables[name] = _without_rows(name, entity, None)
            found.missing += [] if entity.optional else [name]
    found.problems = grouped(found.problems)
    return found


def tables_without_rows(folder: Path) -> list[str]:
    """The tables of which a folder has no file, or a file without a record. A file that cannot be read does not count: reading it names the fault."""

    def has_rows(path: Path) -> bool:
        try:
            return bool(next(batches(decode(path.read_bytes()), 1)).rows)
        except Unreadable:
            return True

    entities = contract()
    files = _files(folder, entities, Folder()) if folder.is_dir() else {}
    return [name for name in entities if name not in files or not has_rows(files[name])]


def repeated_keys(rows: Rows, key: Iterable[str]) -> list[tuple[int, int]]:
    """The number of each row whose key an earlier row has, and the number of that row, from 0. Incomplete keys do not count."""
    first: dict[tuple[object, ...], int] = {}
    found = []
    for number, values in enumerate(zip(*(rows.data[name].to_pylist() for name in key), strict=True)):
        if None not in values and first.setdefault(values, number) != number:
            found.append((number, first[values]))
    return found


def _files(folder: Path, entities: Mapping[str, Entity], found: Folder) -> dict[str, Path]:
    """The file of each entity. Case does not count in a file's name."""
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.lower().removesuffix(_ENDING)
        if path.name.lower().endswith(_ENDING) and name in entities and name not in files:
            files[name] = path
        elif path.name not in _OTHER_FILES and not path.name.startswith("."):
            meant = nearest(name, entities.keys())
            hint = f"; is {meant}{_ENDING} meant?" if meant else ""
            found.notes.append(f"{path.name} is not a table of the source contract and is ignored{hint}")
    return files


def _without_rows(name: str, entity: Entity, file: str | None) -> Rows:
    import pyarrow as pa

    columns = {column: typed([], declared.type)[0] for column, declared in entity.columns.items()}
    return Rows(name, file, pa.table(columns), [], frozenset())


class _Reading:
    """Reads one file into the folder's tables, notes and problems."""

    def __init__(self, name: str, entity: Entity, path: Path, found: Folder) -> None:
        self._name = name
        self._entity = entity
        self._path = path
        self._found = found

    def run(self) -> None:
        self._found.tables[self._name] = _without_rows(self._name, self._entity, self._path.name)
        try:
            text = decode(self._path.read_bytes())
            records = split(text)
        except Unreadable as error:
            self._problem(error.line or 1, None, "unreadable", str(error))
            return
        if text.guessed:
            self._note(f"{text.guess()}. If that is misspelled, save the file as UTF-8")
        for bad in records.bad:
            self._problem(bad.line, None, re.sub(r"\d+", "#", bad.reason), bad.reason)
        rows = self._convert(records)
        self._found.tables[self._name] = rows
        if not self._entity.by_delivery:
            self._check_keys(rows)

    def _problem(self, line: int, column: str | None, kind: str, message: str) -> None:
        self._found.problems.append(Problem(self._name, self._path.name, line, column, kind, message))

    def _note(self, text: str) -> None:
        self._found.notes.append(f"{self._path.name}: {text}")

    def _convert(self, records: Delimited) -> Rows:
        import pyarrow as pa

        texts = [[text or None for text in column] for column in records.columns()]
        header = match(records.header, self._entity, {number for number, column in enumerate(texts) if any(column)})
        for name, kind, message in header.faults:
            self._problem(records.header_line, name, kind, message)
        for note in header.notes:
            self._note(note)
        columns: dict[str, pa.Array] = {}
        for name, declared in self._entity.columns.items():
            position = header.declared.get(name)
            values: list[str | None] = [None] * len(records.rows) if position is None else texts[position]
            columns[name], refused = typed(values, declared.type)
            if position is None:
                continue
            faults = [(row, reason, f"{quoted(values[row] or '')} {reason}") for row, reason in refused]
            if declared.required:
                empty = "empty, but a value is required"
                faults += [(row, empty, empty) for row, text in enumerate(values) if text is None]
            for row, kind, message in faults:
                self._problem(records.line_of(row, position), records.header[position], kind, message)
        columns |= {name: pa.array(texts[position], pa.string()) for name, position in header.others.items()}
        return Rows(self._name, self._path.name, pa.table(columns), records.lines, frozenset(header.declared))

    def _check_keys(self, rows: Rows) -> None:
        key = self._entity.key
        if not rows.present.issuperset(key):
            return
        for number, first in repeated_keys(rows, key):
            value = quoted("|".join(str(rows.data[name][number].as_py()) for name in key))
            self._problem(rows.lines[number], key[-1], "key", f"{value} is already the key of line {rows.lines[first]}")
