"""The data of a company at one as-of time, either generated or read from CSV files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa


Where = Literal["table", "gone", "landing", "answer"]


@dataclass(frozen=True)
class Case:
    """A labelled edge case: the table, the key of the row, and an explanation (`see`).

    `where` is the place of the row: "table" (the table and its CSV), "gone" (nowhere, because it is deleted),
    "landing" (files of the landing folder) or "answer" (responses of the HTTP server).
    """

    title: str
    table: str
    key: str
    see: str
    where: Where = "table"


@dataclass(frozen=True)
class Company:
    """The tables of one company in its source systems at `as_of`.

    Attributes:
        tables: every table of the schema, as an Arrow table.
        as_of: the as-of time; None for a company read from CSV files.
        delivered_on: the delivery day of each row of usage_events, in the same order.
        delivered_again: (row number in usage_events, delivery day) of events that a second file repeats.
        sent_twice: the keys of rows that an HTTP response repeats, by table.
        cases: the labelled edge cases.
        warnings: problems of the CSV files that do not stop reading.
    """

    tables: dict[str, pa.Table]
    as_of: datetime | None
    delivered_on: list[date]
    delivered_again: list[tuple[int, date]] = field(default_factory=list)
    sent_twice: dict[str, list[str]] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
