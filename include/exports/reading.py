"""Reads the exports of a folder under the contract's columns, without a warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from include.contract import contract
from include.csv_data import Folder, Problem, Rows, read_folder
from include.exports.folder import Found
from include.exports.project import write_sources
from include.exports.rows import mapped, united
from include.sources import load_sources

#: The system of files with the contract's columns: the first that accounts are matched to.
_CONTRACT_SYSTEM = "crm"


@dataclass(frozen=True)
class Exported:
    """The rows of a folder of exports.

    Attributes:
        folder: the tables, notes, and the problems of files with the contract's columns.
        unread: values and records of exports that cannot be read. A run loads the other values and records.
        systems: entity → the name of each system that has rows of it, with these rows.
    """

    folder: Folder
    unread: list[Problem]
    systems: dict[str, list[tuple[str, Rows]]]


def read_exported(found: Found) -> Exported:
    """The rows of all exports of a folder, together with its files that have the contract's columns.

    Raises:
        ExportError: `mapping.yml` lacks the organization, or a mapping does not fit the contract.
    """
    with TemporaryDirectory(prefix="exports-") as home:
        project = write_sources(found, Path(home))
        folder = read_folder(project.contract_folder)
        sources = load_sources(project.sources_dir)
        tables: dict[str, list[Rows]] = {}
        systems = {entity: [(_CONTRACT_SYSTEM, rows)] for entity, rows in folder.tables.items() if rows.file is not None}
        unread: list[Problem] = []
        notes = list(found.notes)
        for name in project.sources:
            shown = {
                table: {copied: found.shown(path) for copied, path in delivery.copies().items()}
                for table, delivery in found.deliveries[name].items()
            }
            for each in mapped(sources[name], project.landing / name, shown):
                tables.setdefault(each.rows.entity, []).append(each.rows)
                systems.setdefault(each.rows.entity, []).append((name, each.rows))
                unread += each.problems
    notes += folder.notes
    for export in found.exports.values():
        notes += [f"{export.title}, assumed: {text}" for text in export.assumes]
        notes += [f"{export.title} does not say: {text}" for text in export.cannot_know]
    folder.notes = notes
    folder.missing = [name for name in folder.missing if name not in tables]
    folder.tables = {entity: united(entity, folder.tables[entity], tables) for entity in contract()}
    return Exported(folder, unread, systems)
