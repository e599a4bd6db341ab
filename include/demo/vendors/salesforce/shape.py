"""The form of Salesforce's objects, and how Salesforce writes values as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from include.demo.vendors.common import Account, Row
from include.demo.vendors.salesforce.ids import record_id

Source = str | Callable[[Row, Account], Any]


@dataclass(frozen=True)
class Field:
    """A field: its name, its source in a row of the demo company, and Salesforce's type.

    Attributes:
        source: a column, or a function of the row and the account.
        words: Salesforce's value for each value of the column.
        to: the object that a reference leads to; its source gives a key of the demo company.
        compound: the fields of which a compound field consists. Bulk queries refuse it.
        calculated: a formula, whose changes move no timestamp.
    """

    name: str
    source: Source
    type: str = "string"
    words: Mapping[str, str] | None = None
    to: str | None = None
    compound: tuple[str, ...] = ()
    calculated: bool = False


@dataclass(frozen=True)
class SObject:
    """An object: the first three characters of its ids, the table of the demo company, and its fields."""

    name: str
    prefix: str
    table: str
    fields: tuple[Field, ...]
    where: Callable[[Row], bool] = lambda row: True
    tracked: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names in lower case: SOQL ignores case."""
        return {field.name.lower(): field for field in self.fields}


def reference(name: str, column: str, to: str, prefix: str) -> Field:
    """A lookup field: the id of a record of another object."""
    return Field(name, lambda row, account: row.get(column) and record_id(prefix, row[column]), "reference", to=to)


def json_value(value: Any) -> Any:
    """A value in an answer of REST: 2026-09-01T10:00:00.000+0000, numbers as doubles."""
    if isinstance(value, datetime):
        return _instant(value) + "+0000"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def csv_value(value: Any) -> str:
    """A value in a result of Bulk API 2.0: null is empty, times end in Z."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _instant(value) + "Z"
    return str(float(value)) if isinstance(value, Decimal) else str(value)


def _instant(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}"
