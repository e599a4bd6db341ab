"""Faults of CSV files, grouped by column and kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

MOST_GROUPS = 20
"""The greatest number of reported groups for one file."""


@dataclass(frozen=True)
class Problem:
    """A fault of a file, and how often it occurs.

    Attributes:
        table: the entity of the contract.
        file: the file's name.
        line: the line of the first occurrence, from 1.
        column: the column as the file names it; None if the fault is one of the whole line or file.
        kind: the kind of fault. Faults of one kind in one column are one problem.
        message: the first occurrence and the remedy, in words.
        count: the number of occurrences.
    """

    table: str
    file: str
    line: int
    column: str | None
    kind: str
    message: str
    count: int = 1

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" + (f", column {self.column}" if self.column else "")
        more = f"; {self.count - 1:,} more like this" if self.count > 1 else ""
        return f"{where}: {self.message}{more}"


def grouped(found: Iterable[Problem]) -> list[Problem]:
    """One problem per column and kind, in the order of the first lines."""
    groups: dict[tuple[str, str | None, str], Problem] = {}
    for problem in found:
        key = problem.file, problem.column, problem.kind
        known = groups.get(key)
        if known is None:
            groups[key] = problem
        else:
            first = min(known, problem, key=lambda each: each.line)
            groups[key] = replace(first, count=known.count + problem.count)
    return sorted(groups.values(), key=lambda each: (each.file, each.line))


def listed(problems: Iterable[Problem]) -> list[str]:
    """The problems as lines of text: at most 20 groups a file, then the number of the others."""
    lines: dict[str, list[str]] = {}
    faults: Counter[str] = Counter()
    for problem in problems:
        shown = lines.setdefault(problem.file, [])
        if len(shown) < MOST_GROUPS:
            shown.append(str(problem))
        else:
            faults[problem.file] += problem.count
    for file, count in faults.items():
        lines[file].append(f"{file}: and {count:,} more errors in other columns or of other kinds")
    return [line for shown in lines.values() for line in shown]
