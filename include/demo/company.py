"""What a company is to the rest of the package: its tables at one as-of, however they came to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa


Where = Literal["table", "gone", "landing", "answer"]


@dataclass(frozen=True)
class Case:
    """A labelled edge case: which row of which table to look at, and what to see there.

    `where` says where the row is found: "table" (in the table and its CSV), "gone" (nowhere: it was deleted),
    "landing" (in the landing folder's files) or "answer" (in the HTTP server's answers).
    """

    title: str
    table: str
    key: str
    see: str
    where: Where = "table"


@dataclass(frozen=True)
class Company:
    """The tables of one company as its systems hold them at `as_of`.

    `tables` maps every table of the schema to an Arrow table. `delivered_on` gives the delivery day of each row of
    usage_events (same order). `delivered_again` lists (row of usage_events, delivery day) of events that a second
    file repeats. `sent_twice` lists, by table, the keys of rows that an HTTP answer repeats.
    """

    tables: dict[str, pa.Table]
    as_of: datetime | None
    delivered_on: list[date]
    delivered_again: list[tuple[int, date]] = field(default_factory=list)
    sent_twice: dict[str, list[str]] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
