"""What BigQuery bills of a statement, by the rules of on-demand pricing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from include.cost.sizes import NO_VALUE, Size

MIB, GIB, TIB = 1024**2, 1024**3, 1024**4
#: The least that is billed of each table that a query refers to.
MINIMUM_BYTES = 10 * MIB
DOLLARS_PER_TIB = 6.25
#: A month of active logical storage. Tables and partitions that have not changed for 90 days cost half.
DOLLARS_PER_STORED_GIB = 0.02

#: Stands for a constant whose value the statement does not show, such as `current_date()`.
UNKNOWN = "?"

Ranges = Iterable[Mapping[str, str]]


@dataclass(frozen=True)
class Bill:
    """What BigQuery bills.

    Attributes:
        bytes: billed, the minimum of each table included.
        processed: without the minimum.
        tables: references to tables that are billed, each once per statement.
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
        statement: as recorded: its `billed` gives per stored table the columns, and the ranges of partitions.
        sizes: `dataset.table` → size. A table that is not there counts the minimum: it is empty, or metadata.
    """
    read = [_processed(found, sizes.get(stored_as(name))) for name, found in statement["billed"].items()]
    return Bill(sum(max(MINIMUM_BYTES, size) for size in read), sum(read), len(read))


def _processed(read: Mapping[str, Any], size: Size | None) -> int:
    if size is None:
        return 0
    columns = sum(size.columns.get(name, 0) for name in read["columns"])
    return round(columns * share(read["ranges"], size))


def share(ranges: Ranges, size: Size) -> float:
    """The share of a table's rows that lie in partitions which one of the ranges touches; 1.0 if that cannot be known.

    Args:
        ranges: with the ends `from` and `to`, ISO dates, both included; an end that is absent or unknown is open. Or both NO_VALUE.
        size: of the table.
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
    """The table whose size stands for a table's: a temporary table of dbt is taken to be as large as the one that it is for."""
    return re.sub(r"__dbt_tmp(_?\d+)*$", "", table)


def _end(limits: Mapping[str, str], name: str) -> date | None:
    value = limits.get(name, UNKNOWN)
    return None if value == UNKNOWN else date.fromisoformat(value)


def _last_day(first: date, partition_type: str | None) -> date:
    if partition_type == "MONTH":
        return (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(month=12, day=31) if partition_type == "YEAR" else first
