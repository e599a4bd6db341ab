"""The golden cases of the dbt project, read from the unit tests in the models' YAML: a case stands once, and tests both implementations.

A case gives the rows of the models that its model reads. `world(case)` turns them into source data: rows of the conformed layer become rows of
the source, rows of a dimension become rows of the source's table, and the rows of any recomputed model are given instead of computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import yaml

from include.settings import ROOT
from tests.recompute.seeds import seed
from tests.recompute.sources import KEYS, VERSIONED, Row, SourceData, instant

#: As-of time of the cases whose model does not depend on it.
LATER = datetime(2026, 12, 31, tzinfo=UTC)
#: Organization of the rows in which a case names none.
TENANT = "t"
#: Models past the conformed layer that have the rows of a source's table.
TABLES = {
    "dim_accounts": "accounts",
    "dim_contacts": "contacts",
    "dim_facilities": "facilities",
    "dim_organizations": "organizations",
    "dim_products": "products",
    "dim_users": "users",
    "fct_deals": "deals",
    "fct_leads": "leads",
    "fct_orders": "orders",
    "fct_tickets": "tickets",
    "int_reference__fx_rates_daily": "fx_rates",
}
#: Ends of the names of columns that are not compared: dbt hashes them, or the conformed layer computes them.
NOT_COMPARED = ("_key", "_fingerprint", "is_overdue")
#: Columns that the conformed layer names after their table → the source's name.
SOURCE_NAMES = {
    **{f"{table}_name": "name" for table in ("account", "category", "deal", "facility", "holiday", "organization", "product")},
    **{f"root_cause_{name}": name for name in ("code", "name", "category")},
    "parent_category_name": "parent_name",
    "product_category": "category",
    "rate_day": "rate_date",
}
#: Columns that the recomputation reads and a case may lack → the column that the case has instead, and their value.
DERIVED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "closes_at": ("closes_time", lambda text: text and time.fromisoformat(text)),
    "event_name": ("is_login", {True: "login", False: "other"}.get),
    "is_merged": ("resolution_state", lambda state: state == "excluded"),
    "is_resolution_met": ("resolution_state", lambda state: {"met": True, "breached": False}.get(state)),
    "is_response_met": ("response_state", lambda state: {"met": True, "breached": False}.get(state)),
    "opens_at": ("opens_time", lambda text: text and time.fromisoformat(text)),
    "resolution_hours": ("resolution_calendar_minutes", lambda minutes: None if minutes is None else Fraction(minutes) / 60),
}


@dataclass(frozen=True)
class Golden:
    """A unit test of a dbt model: `given` has the rows by the name of the input, such as `conformed_subscriptions`.

    Fractions are Decimals, and timestamps are in UTC. Columns that a row leaves out are missing.
    """

    model: str
    name: str
    as_of: datetime
    given: dict[str, list[Row]]
    expected: list[Row]
    #: Whether it gives SQL, the rows of an earlier run, or vars and seeds of its own. The recomputation has its own constants.
    is_special: bool

    def __str__(self) -> str:
        return f"{self.model}: {self.name}"


@cache
def _yaml(model: str) -> Any:
    """The YAML file of a model or seed."""
    (path,) = (path for folder in ("models", "seeds") for path in (ROOT / "dbt" / folder).rglob(f"{model}.yml"))
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def golden_cases(model: str) -> tuple[Golden, ...]:
    """The golden cases of a model, in the order of its YAML."""
    return tuple(_case(model, case) for case in _yaml(model).get("unit_tests", ()))


def golden(model: str, name: str) -> Golden:
    """A golden case by its name."""
    (case,) = (case for case in golden_cases(model) if case.name == name)
    return case


def _case(model: str, case: Any) -> Golden:
    variables = case.get("overrides", {}).get("vars", {})
    inputs = {item["input"].split("'")[1] if "'" in item["input"] else "this": item for item in case["given"]}
    given = {name: [_row(row) for row in item.get("rows") or ()] for name, item in inputs.items() if "format" not in item}
    is_special = given.keys() != inputs.keys() or "this" in inputs or variables.keys() - {"as_of"}
    return Golden(
        model,
        case["name"],
        instant(variables["as_of"]) if "as_of" in variables else LATER,
        given,
        [_row(row) for row in case["expect"]["rows"]],
        bool(is_special) or any(not _is_of_seed(name, row) for name, rows in given.items() for row in rows),
    )


def _is_of_seed(name: str, row: Row) -> bool:
    """Whether a row is one of the seed with this name. Rows of models, and scenarios, which the recomputation takes, always are."""
    if name == "pipeline_scenarios" or not (ROOT / "dbt" / "seeds" / f"{name}.csv").exists():
        return True
    return any(all(_text(value) == _text(known.get(column)) for column, value in row.items()) for known in seed(name))


def _text(value: Any) -> str:
    text = "" if value is None else str(value).lower()
    return str(float(text)) if text.replace(".", "", 1).isdigit() else text


def _row(row: Row) -> Row:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return Decimal(str(value)) if isinstance(value, float) else value


def world(case: Golden) -> SourceData:
    """The source data of a case."""
    tables: dict[str, list[Row]] = {name: [] for name in KEYS}
    models: dict[str, list[Row]] = {}
    everything = [row for rows in case.given.values() for row in rows]
    tenant = min((row["organization_id"] for row in everything if row.get("organization_id")), default=TENANT)
    places = _places(everything)
    for name, given in case.given.items():
        rows = [_filled(name, {"organization_id": tenant, **_placed(row, places), **row}) for row in given]
        if not name.startswith(("conformed_", "clean_")):
            models[name] = rows
        table = TABLES.get(name) or name.removeprefix("conformed_").removeprefix("clean_")
        if table in tables:
            tables[table] += [
                row | {SOURCE_NAMES[column]: row[column] for column in row if column in SOURCE_NAMES} for row in rows
            ]
    completed = [row for found in (*tables.values(), *models.values()) for row in found]
    tables["organizations"] += _organizations(tables["organizations"], completed)
    tables["facilities"] = tables["facilities"] or _facilities(completed)
    return SourceData(case.as_of, tables, {name: tables[name] for name in VERSIONED}, models)


def _filled(model: str, given: Row) -> Row:
    """A row with all columns of its model: NULL where the case leaves one out, as in dbt."""
    name = model.replace("clean_", "conformed_")
    (described,) = (entry for kind in ("models", "seeds") for entry in _yaml(name).get(kind, ()) if entry["name"] == name)
    row = {column["name"]: _typed(given.get(column["name"]), column) for column in described["columns"]}
    derived = {name: value(row[known]) for name, (known, value) in DERIVED.items() if known in row and row.get(name) is None}
    return _timed(row | derived)


def _places(rows: Iterable[Row]) -> dict[tuple[str, Any], Row]:
    """Name of a surrogate key and its value → the organization and the id that stand beside it in other rows."""
    found: dict[tuple[str, Any], Row] = {}
    for row in rows:
        for name, value in row.items():
            if name.endswith("_key") and value is not None:
                beside = ("organization_id", name.replace("_key", "_id"))
                found.setdefault((name, value), {}).update({column: row[column] for column in beside if column in row})
    return found


def _placed(row: Row, places: dict[tuple[str, Any], Row]) -> Row:
    """The organization and the ids that a row gives only by its surrogate keys. A key that stands nowhere beside an id is the id."""
    found: Row = {}
    for name, value in row.items():
        if name.endswith("_key") and value is not None:
            found |= {name.replace("_key", "_id"): value} | places.get((name, value), {})
    return found


def _timed(row: Row) -> Row:
    """A row whose moments, days and months are complete, if the case gives only one of the three."""
    found = dict(row)
    for name in row:
        stem = name.removesuffix("_at")
        day = row.get(f"{stem}_date") or row.get(f"{stem}_month")
        if name.endswith("_at") and row[name] is None and day is not None:
            found[name] = datetime.combine(day, time.min, UTC)
        if name.endswith("_at") and isinstance(found[name], datetime):
            days = {f"{stem}_date": found[name].date(), f"{stem}_month": found[name].date().replace(day=1)}
            found |= {column: value for column, value in days.items() if column in row and row[column] is None}
    return found


def _typed(value: Any, column: Row) -> Any:
    """A value of a column. YAML reads a timestamp at midnight as a date."""
    is_timestamp = column["name"].endswith("_at") or column.get("data_type") == "timestamp"
    if is_timestamp and isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time.min, UTC)
    return value


def _organizations(listed: list[Row], rows: Iterable[Row]) -> list[Row]:
    """The organizations that rows of the case belong to and that no input lists, with the reporting currency of their rows."""
    known = {row["organization_id"] for row in listed}
    currencies: dict[str, str | None] = {}
    for row in rows:
        tenant = row.get("organization_id")
        if tenant is not None and tenant not in known:
            currencies[tenant] = currencies.get(tenant) or row.get("reporting_currency")
    return [
        {**_filled("dim_organizations", {"organization_id": tenant, "reporting_currency": currency}), "name": tenant}
        for tenant, currency in currencies.items()
    ]


def _facilities(rows: Iterable[Row]) -> list[Row]:
    """The facilities that rows of the case name, for a case that lists none."""
    names = {(row["organization_id"], row["facility_id"]): row["facility_name"] for row in rows if row.get("facility_name")}
    columns = ("organization_id", "facility_id", "facility_name")
    return [
        {**_filled("dim_facilities", dict(zip(columns, (*place, name), strict=True))), "name": name}
        for place, name in names.items()
    ]


def differences(case: Golden, found: Sequence[Row]) -> list[str]:
    """The expected rows that are missing, and the rows that are not expected, by the columns that the case expects."""
    columns = [name for name in case.expected[0] if not name.endswith(NOT_COMPARED)]
    wanted, computed = (Counter(_shown(row, columns) for row in rows) for rows in (case.expected, found))
    return [f"missing: {row}" for row in wanted - computed] + [f"not expected: {row}" for row in computed - wanted]


def _shown(row: Row, columns: Iterable[str]) -> str:
    return ", ".join(f"{name}={_plain(row.get(name))}" for name in columns)


def _plain(value: Any) -> str:
    if isinstance(value, int | Decimal | Fraction) and not isinstance(value, bool):
        return str(round(float(value), 6) + 0.0)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
