"""The source data of one run, read from CSV files into plain Python values.

`SourceData.read(folder, as_of)` holds every table of the source contract as a list of dicts. Timestamps are aware
UTC datetimes, money and rates are Decimals, counts are ints. Texts are stripped, and an empty field is None.
A row is left out if its `updated_at` (or `occurred_at`, for events) is not before `as_of`. Of several versions
of one key only the latest is kept, and only if what it reports happened before `as_of`. `SourceData.versions` has
all versions of a subscription or an account.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache, partial, wraps
from pathlib import Path
from typing import Any

Row = dict[str, Any]

KEYS: dict[str, tuple[str, ...]] = {
    "organizations": ("organization_id",),
    "facilities": ("organization_id", "facility_id"),
    "users": ("organization_id", "user_id"),
    "accounts": ("organization_id", "account_id"),
    "contacts": ("organization_id", "contact_id"),
    "products": ("organization_id", "product_id"),
    "leads": ("organization_id", "lead_id"),
    "deals": ("organization_id", "deal_id"),
    "deal_stage_history": ("organization_id", "history_id"),
    "activities": ("organization_id", "activity_id"),
    "outreach": ("organization_id", "outreach_id"),
    "orders": ("organization_id", "order_id"),
    "order_items": ("organization_id", "order_item_id"),
    "compliance_checks": ("organization_id", "check_id"),
    "subscriptions": ("organization_id", "subscription_id"),
    "invoices": ("organization_id", "invoice_id"),
    "tickets": ("organization_id", "ticket_id"),
    "ticket_priority_changes": ("organization_id", "change_id"),
    "ticket_sla_events": ("organization_id", "ticket_id", "metric"),
    "ticket_categories": ("organization_id", "category_id"),
    "root_causes": ("organization_id", "root_cause_id"),
    "survey_responses": ("organization_id", "response_id"),
    "usage_events": ("organization_id", "event_id"),
    "fx_rates": ("rate_date", "currency"),
    "business_hours": ("organization_id", "weekday", "opens_at", "valid_from"),
    "holidays": ("organization_id", "holiday_date"),
    "sla_policies": ("organization_id", "priority", "valid_from"),
}

#: The time at which the event of a row happens, by table. A row that reports something at or after as_of is not seen.
HAPPENS_AT = {
    "leads": "created_at",
    "deals": "created_at",
    "deal_stage_history": "changed_at",
    "activities": "created_at",
    "outreach": "sent_at",
    "orders": "ordered_at",
    "invoices": "issued_at",
    "tickets": "created_at",
    "ticket_priority_changes": "changed_at",
    "survey_responses": "sent_at",
}

#: The tables whose earlier versions count.
VERSIONED = ("subscriptions", "accounts")

_DECIMALS = {
    "annual_revenue",
    "unit_price",
    "unit_cost",
    "unit_amount",
    "discount_pct",
    "probability_pct",
    "rate_to_usd",
    "amount",
    "elapsed_minutes",
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
    "target_minutes",
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


def _local_time(column: str, text: str) -> time | None:
    """A local time, HH:MM or HH:MM:SS; None if it cannot be read. A window closes at 24:00 where the next day begins."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", text.strip())
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    if (hour, minute, second) == (24, 0, 0) and column == "closes_at":
        return time(0)
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _parser(column: str) -> Callable[[str], Any]:
    """The parser for a column, chosen by the column name."""
    if column in _TIMES:
        return partial(_local_time, column)
    if column in _DATES:
        return date.fromisoformat
    if column.endswith("_at") or column in {"period_start", "period_end", "current_period_end"}:
        return instant
    if column in _DECIMALS or column.endswith("_amount") or column == "amount_paid":
        return Decimal
    if column in _INTEGERS:
        return int
    if column.startswith("is_") or column == "breached":
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


@dataclass(frozen=True, eq=False)
class SourceData:
    """Every source table as of one run, by table name. Two of them are never equal, so that results can be kept by them."""

    as_of: datetime
    tables: dict[str, list[Row]]
    #: Every visible row of the tables in VERSIONED, in the order of the runs that loaded it.
    loaded: dict[str, list[Row]]
    #: Rows of models that are given instead of computed, by model: the inputs of a golden case.
    models: Mapping[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, as_of: datetime) -> SourceData:
        """The source data in `folder` (one CSV file per table) as of `as_of`. A missing file is an empty table.

        If the folder is named after its as-of time (2026-10-02 or 2026-10-02T12:00:00), the earlier folders beside it have been loaded before it.
        """
        return _read_sources(folder, as_of)

    @classmethod
    def of(cls, as_of: datetime, **tables: list[Row]) -> SourceData:
        """Source data of the given rows, for tests. All other tables are empty."""
        unknown = tables.keys() - KEYS.keys()
        if unknown:
            raise ValueError(f"no such table: {sorted(unknown)}")
        rows = {name: _visible_rows(name, tables.get(name, []), as_of) for name in KEYS}
        return cls(as_of, rows, {name: [row for row in tables.get(name, []) if _visible(row, as_of)] for name in VERSIONED})

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]

    def by_key(self, table: str) -> dict[str, Row]:
        """The rows of a table with a one-column key, by that key."""
        (key,) = KEYS[table]
        return {row[key]: row for row in self.tables[table]}

    def by_tenant(self, table: str) -> dict[tuple[str, str], Row]:
        """The rows of a tenant's table, by organization and id. Organizations may use the same ids."""
        tenant, key = KEYS[table]
        return {(row[tenant], row[key]): row for row in self.tables[table]}

    def versions(self, table: str, *, with_deleted: bool = False) -> dict[tuple[str, str], list[Row]]:
        """The versions of each row, oldest first, by organization and id. If versions have the same instant, the last loaded one is kept."""
        found: dict[tuple[str, str], dict[datetime, Row]] = {name: {} for name in self.by_tenant(table)}
        tenant, key = KEYS[table]
        for row in self.loaded[table]:
            place = (row[tenant], row[key])
            if with_deleted or place in found:
                found.setdefault(place, {})[row["updated_at"]] = row
        return {name: [rows[moment] for moment in sorted(rows)] for name, rows in found.items()}


def earlier_runs(folder: Path, as_of: datetime) -> list[tuple[datetime, Path]]:
    """The earlier runs whose folders are beside the folder of a run, oldest first. None if the folder is not named after its as-of time."""
    if _as_of_in_name(folder) != as_of:
        return []
    runs = ((_as_of_in_name(other), other) for other in folder.parent.iterdir())
    return sorted((before, other) for before, other in runs if before is not None and before < as_of)


def _as_of_in_name(folder: Path) -> datetime | None:
    try:
        return datetime.fromisoformat(folder.name).replace(tzinfo=UTC)
    except ValueError:
        return None


def _visible_rows(table: str, rows: list[Row], as_of: datetime) -> list[Row]:
    latest = _latest((row for row in rows if _visible(row, as_of)), KEYS[table])
    happens_at = HAPPENS_AT.get(table, "")
    return [row for row in latest if row.get(happens_at) is None or row[happens_at] < as_of]


@cache
def _read_sources(folder: Path, as_of: datetime) -> SourceData:
    runs = [*earlier_runs(folder, as_of), (as_of, folder)]
    loaded = {
        name: [row for before, other in runs for row in _read(other / f"{name}.csv") if _visible(row, before)]
        for name in VERSIONED
    }
    tables = {name: _visible_rows(name, _read(folder / f"{name}.csv"), as_of) for name in KEYS}
    return SourceData(as_of, tables, loaded)


def computed_once(model: Callable[[SourceData], list[Row]]) -> Callable[[SourceData], list[Row]]:
    """The model, computed once for the same source data. Each caller gets copies of the rows."""
    kept = lru_cache(maxsize=2)(model)

    @wraps(model)
    def rows(sources: SourceData) -> list[Row]:
        return [dict(row) for row in kept(sources)]

    return rows


def model(compute: Callable[[SourceData], list[Row]]) -> Callable[[SourceData], list[Row]]:
    """The recomputation of the dbt model with the name of the function. Its rows are computed unless the source data give them."""

    @wraps(compute)
    def rows(sources: SourceData) -> list[Row]:
        given = sources.models.get(compute.__name__)
        return compute(sources) if given is None else [dict(row) for row in given]

    return rows
