"""The source data of one run, read from CSV files into plain Python values.

`SourceData.read(folder, as_of)` holds every table of the source contract as a list of dicts. Timestamps are aware
UTC datetimes, money and rates are Decimals, counts are ints. Texts are stripped, and an empty field is None.
A row is left out if its `updated_at` (or `occurred_at`, for events) is not before `as_of`. Only the latest
version of a key is kept.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

Row = dict[str, Any]

KEYS: dict[str, tuple[str, ...]] = {
    "organizations": ("organization_id",),
    "facilities": ("facility_id",),
    "users": ("user_id",),
    "accounts": ("account_id",),
    "contacts": ("contact_id",),
    "products": ("product_id",),
    "leads": ("lead_id",),
    "deals": ("deal_id",),
    "deal_stage_history": ("history_id",),
    "activities": ("activity_id",),
    "outreach": ("outreach_id",),
    "orders": ("order_id",),
    "order_items": ("order_item_id",),
    "compliance_checks": ("check_id",),
    "subscriptions": ("subscription_id",),
    "invoices": ("invoice_id",),
    "tickets": ("ticket_id",),
    "ticket_priority_changes": ("change_id",),
    "ticket_categories": ("category_id",),
    "root_causes": ("root_cause_id",),
    "survey_responses": ("response_id",),
    "usage_events": ("event_id",),
    "fx_rates": ("rate_date", "currency"),
    "business_hours": ("organization_id", "weekday", "opens_at", "valid_from"),
    "holidays": ("organization_id", "holiday_date"),
    "sla_policies": ("organization_id", "priority", "valid_from"),
}

_DECIMALS = {
    "annual_revenue",
    "unit_price",
    "unit_cost",
    "unit_amount",
    "discount_pct",
    "probability_pct",
    "rate_to_usd",
    "amount",
}
_INTEGERS = {
    "employee_count",
    "stock_quantity",
    "reorder_level",
    "interval_count",
    "quantity",
    "duration_minutes",
    "reopened_count",
    "csat_score",
    "score",
    "weekday",
    "first_response_minutes",
    "resolution_minutes",
}
_DATES = {"signup_date", "expected_close_date", "rate_date", "holiday_date", "valid_from"}
_TIMES = {"opens_at", "closes_at"}


def natural(*parts: str) -> str:
    """A readable surrogate key: the parts of the natural key, joined by `|`."""
    return "|".join(parts)


def instant(text: str) -> datetime:
    """An ISO 8601 timestamp as an aware UTC datetime. A timestamp without an offset is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in {"true", "false", "t", "f", "1", "0"}:
        raise ValueError(f"not a boolean: {text!r}")
    return lowered in {"true", "t", "1"}


def _parser(column: str) -> Callable[[str], Any]:
    """The parser for a column, chosen by the column name."""
    if column in _TIMES:
        return time.fromisoformat
    if column in _DATES:
        return date.fromisoformat
    if column.endswith("_at") or column in {"period_start", "period_end", "current_period_end"}:
        return instant
    if column in _DECIMALS or column.endswith("_amount") or column == "amount_paid":
        return Decimal
    if column in _INTEGERS:
        return int
    if column.startswith("is_"):
        return _boolean
    return str.strip


def _read(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        parsers = {name: _parser(name) for name in reader.fieldnames or ()}
        return [{name: None if text.strip() == "" else parsers[name](text) for name, text in record.items()} for record in reader]


def _visible(row: Row, as_of: datetime) -> bool:
    moment: datetime | None = row.get("updated_at") or row.get("occurred_at")
    return moment is None or moment < as_of


def _latest(rows: Iterable[Row], key: tuple[str, ...]) -> list[Row]:
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        identity = tuple(row[name] for name in key)
        other = kept.get(identity)
        if other is None or "updated_at" not in row or row["updated_at"] >= other["updated_at"]:
            kept[identity] = row
    return list(kept.values())


@dataclass(frozen=True)
class SourceData:
    """Every source table as of one run, by table name."""

    as_of: datetime
    tables: dict[str, list[Row]]

    @classmethod
    def read(cls, folder: Path, as_of: datetime) -> SourceData:
        """The source data in `folder` (one CSV file per table) as of `as_of`. A missing file is an empty table."""
        return _read_sources(folder, as_of)

    @classmethod
    def of(cls, as_of: datetime, **tables: list[Row]) -> SourceData:
        """Source data of the given rows, for tests. All other tables are empty."""
        unknown = tables.keys() - KEYS.keys()
        if unknown:
            raise ValueError(f"no such table: {sorted(unknown)}")
        return cls(as_of, {name: _visible_rows(name, tables.get(name, []), as_of) for name in KEYS})

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]

    def by_key(self, table: str) -> dict[str, Row]:
        """The rows of a table with a one-column key, by that key."""
        (key,) = KEYS[table]
        return {row[key]: row for row in self.tables[table]}


def _visible_rows(table: str, rows: list[Row], as_of: datetime) -> list[Row]:
    return _latest((row for row in rows if _visible(row, as_of)), KEYS[table])


@cache
def _read_sources(folder: Path, as_of: datetime) -> SourceData:
    return SourceData(as_of, {name: _visible_rows(name, _read(folder / f"{name}.csv"), as_of) for name in KEYS})
