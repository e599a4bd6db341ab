"""The report on a folder: a summary of each table, and the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Literal

from include.check_data import columns, mapped, references, times
from include.check_data.figures import UnknownFigures, unknown_figures
from include.check_data.findings import Finding
from include.check_data.identities import Identities, compared
from include.contract import Entity, contract
from include.csv_data import Folder, Problem, Rows, grouped, read_folder
from include.exports import find, read_exported

__all__ = ["Finding", "Report", "TableSummary", "check"]

#: Kind of a problem → what to do.
_REMEDIES = {
    "missing": "add the column to the export",
    "key": "export one row per key, the latest",
    "repeated": "remove or rename one of the columns",
    "unreadable": "export the file again",
}


@dataclass(frozen=True)
class TableSummary:
    """The content of a table.

    Attributes:
        table: the entity.
        file: the file's name; None if there is none.
        rows: the number of rows that could be read.
        keys: the number of different complete keys.
        nulls: contract column → share of rows without a value, 0 to 1; only columns with such rows.
        first: the first time, for tables of events.
        last: the last time.
        days: the number of days from the first to the last.
        days_without_rows: how many of them have no row.
    """

    table: str
    file: str | None
    rows: int
    keys: int
    nulls: dict[str, float] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    days: int = 0
    days_without_rows: int = 0


@dataclass(frozen=True)
class Report:
    """The summaries in the order of the contract, the findings with the worst first, and notes on the files.

    Attributes:
        folder: the folder, or `raw_<source>`.
        kind: which of the two.
        unknown_figures: the figures that no row gives what they need.
        identities: how accounts of several systems are matched; empty if one system has all accounts.
        lines: YAML for `mapping.yml` that adds the unknown words of exports. Words without a likely meaning have null.
    """

    folder: str
    tables: list[TableSummary]
    findings: list[Finding]
    notes: list[str]
    kind: Literal["folder", "source"] = "folder"
    unknown_figures: list[UnknownFigures] = field(default_factory=list)
    identities: list[Identities] = field(default_factory=list)
    lines: str = ""

    @property
    def blocked(self) -> bool:
        """True if a run would refuse the folder or publish nothing useful."""
        return any(finding.severity == "block" for finding in self.findings)


def check(folder: Path, now: datetime | None = None) -> Report:
    """Check the files of a folder: exports of vendors' systems, and CSV files with the contract's columns.

    Args:
        folder: a folder as `make run DATA=…` reads it.
        now: times at or after this instant count as future. Default: now.

    Raises:
        OSError: the folder does not exist, or a file cannot be read.
        ExportError: the organization of the exports is unknown, or a mapping is invalid.
    """
    exports = find(folder) if folder.is_dir() else None
    if exports is not None and exports.deliveries:
        exported = read_exported(exports)
        read, unread, systems = exported.folder, exported.unread, exported.systems
    else:
        read, unread, systems = read_folder(folder), [], {}
    entities = contract()
    found = [*_findings(read, entities, now or datetime.now(UTC)), *map(_from_unread, grouped(unread))]
    lines = ""
    if exports is not None and exports.deliveries:
        found, lines = mapped.with_lines(found, exports)
        found += mapped.missing_columns(exports)
        for name, entity in entities.items():
            found += columns.unknown_columns(read.tables[name], entity, named=mapped.mapped_columns(exports, name))
    found.sort(key=lambda each: ("block", "warn").index(each.severity))
    summaries = [summary_of(read.tables[name], entity) for name, entity in entities.items()]
    figures = figures_of(read.tables)
    return Report(
        str(folder), summaries, found, read.all_notes, unknown_figures=figures, identities=compared(systems), lines=lines
    )


def _findings(read: Folder, entities: Mapping[str, Entity], now: datetime) -> Iterator[Finding]:
    yield from map(_from_problem, read.problems)
    for name, entity in entities.items():
        yield from findings_of(read.tables[name], entity, read.tables, now)
    if not read.tables["organizations"].data.num_rows:
        yield Finding(
            "organizations",
            None,
            "block",
            "no_organization",
            0,
            None,
            "no organization: every row belongs to one",
            "write organizations.csv with one row per company or tenant",
        )


def findings_of(rows: Rows, entity: Entity, tables: Mapping[str, Rows], now: datetime) -> Iterator[Finding]:
    """The findings on the rows of one table.

    Args:
        tables: the rows of all entities, to which ids and currencies refer.
    """
    yield from chain(
        columns.empty_columns(rows, entity),
        columns.repeated_events(rows, entity),
        columns.unknown_words(rows, entity),
        references.orphans(rows, entity, tables),
        times.gaps(rows, entity),
        times.future(rows, entity, now),
        times.without_rates(rows, entity, tables),
    )


def figures_of(tables: Mapping[str, Rows]) -> list[UnknownFigures]:
    """The figures that will be unknown. Entities that are not among the tables are left out."""

    def values(name: str, column: str) -> int:
        return int(tables[name].data.num_rows - tables[name].data[column].null_count)

    found = unknown_figures(lambda name: tables[name].data.num_rows if name in tables else 0, values)
    return [each for each in found if each.table in tables]


def _from_problem(problem: Problem) -> Finding:
    remedy = _REMEDIES.get(problem.kind, "correct the value in the export")
    return Finding(
        problem.table, problem.column, "block", "unreadable", problem.count, problem.line, problem.message, remedy, problem.file
    )


def _from_unread(problem: Problem) -> Finding:
    """A value or record of an export. A load keeps what it cannot read beside the table, and stops nothing."""
    remedy = "correct it in the export; until then it counts as no value" if problem.column else "export the record again"
    return Finding(
        problem.table, problem.column, "warn", "unreadable", problem.count, problem.line, problem.message, remedy, problem.file
    )


def summary_of(rows: Rows, entity: Entity) -> TableSummary:
    """The summary of a table."""
    count = rows.data.num_rows
    complete = set(zip(*(rows.data[name].to_pylist() for name in entity.key), strict=True))
    nulls = {name: rows.data[name].null_count / count for name in entity.columns if count and rows.data[name].null_count}
    span = times.span(rows, entity)
    keys = sum(None not in key for key in complete)
    if span is None:
        return TableSummary(rows.entity, rows.file, count, keys, nulls)
    return TableSummary(
        rows.entity, rows.file, count, keys, nulls, span.first, span.last, span.days, span.days - len(span.counts)
    )
