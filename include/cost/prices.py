"""The bytes that BigQuery bills for a statement, by the rules of on-demand pricing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from include.cost.sizes import NO_VALUE, Size

MIB, GIB, TIB = 1024**2, 1024**3, 1024**4
#: The minimum that is billed for each table that a query refers to.
MINIMUM_BYTES = 10 * MIB
DOLLARS_PER_TIB = 6.25
#: For a month of active logical storage. Tables and partitions without a change for 90 days cost half.
DOLLARS_PER_STORED_GIB = 0.02

#: Stands for a constant whose value the statement does not show, such as `current_date()`.
UNKNOWN = "?"

Ranges = Iterable[Mapping[str, str]]


@dataclass(frozen=True)
class Bill:
    """The bill of one or several statements.

    Attributes:
        bytes: bytes billed, with the minimum of each table.
        processed: bytes read, without the minimum.
        tables: tables billed, each once per statement.
    """

    bytes: int = 0
    processed: int = 0
    tables: int = 0

    def __add__(self, other: Bill) -> Bill:
        return Bill(self.bytes + other.bytes, self.processed + other.processed, self.tables + other.tables)

    def times(self, factor: float) -> Bill:
        """The bill of doing the same so many times."""
        return Bill(round(self.bytes * factor), round(self.processed * factor), round(self.tables * factor))

    @property
    def dollars(self) -> float:
        return self.bytes / TIB * DOLLARS_PER_TIB


def bill(statement: Mapping[str, Any], sizes: Mapping[str, Size]) -> Bill:
    """The bill of one statement.

    Args:
        statement: as recorded; `billed` has the columns and the ranges of partitions of each stored table.
        sizes: `dataset.table` → size. A table without a size counts the minimum: it is empty, or metadata.
    """
    read = [_processed(found, sizes.get(stored_as(name))) for name, found in statement["billed"].items()]
    return Bill(sum(max(MINIMUM_BYTES, size) for size in read), sum(read), len(read))


def _processed(read: Mapping[str, Any], size: Size | None) -> int:
    if size is None:
        return 0
    columns = sum(size.columns.get(name, 0) for name in read["columns"])
    return round(columns * share(read["ranges"], size))


def share(ranges: Ranges, size: Size) -> float:
    """The share of a table's rows in the partitions that the ranges touch; 1.0 if the partitions are unknown.

    Args:
        ranges: `from` and `to` are ISO dates, both included. A missing or unknown end is open. Both are NO_VALUE for the NULL partition.
        size: the table's size.
    """
    total = sum(size.partitions.values())
    if not total:
        return 1.0
    ranges = list(ranges)
    wanted = [(_end(limits, "from"), _end(limits, "to")) for limits in ranges if limits.get("from") != NO_VALUE]
    if any(low is None and high is None for low, high in wanted):
        return 1.0
    touched = size.partitions.get(NO_VALUE, 0) if len(wanted) < len(ranges) else 0
    for text, rows in size.partitions.items():
        if text == NO_VALUE:
            continue
        first = date.fromisoformat(text)
        last = _last_day(first, size.partition_type)
        if any((low is None or low <= last) and (high is None or high >= first) for low, high in wanted):
            touched += rows
    return touched / total


def stored_as(table: str) -> str:
    """The table whose size is used: a temporary table of dbt counts as large as the table that it is for."""
    return re.sub(r"__dbt_tmp(_?\d+)*$", "", table)


def _end(limits: Mapping[str, str], name: str) -> date | None:
    value = limits.get(name, UNKNOWN)
    return None if value == UNKNOWN else date.fromisoformat(value)


def _last_day(first: date, partition_type: str | None) -> date:
    if partition_type == "MONTH":
        return (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(month=12, day=31) if partition_type == "YEAR" else first
