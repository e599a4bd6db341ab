"""Changes a folder of demo CSV files into odd but legal companies, as a user's folder may contain them.

python -m tests.pipeline.odd_companies DIR one_organization|no_deals|only_lost_deals|hundred_currencies|nasty|unknown_words|shared_ids|all_at_once
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count, cycle, product
from pathlib import Path

from include.demo.schema import TABLES, Table, Type
from include.sources import load_sources
from tests.pipeline import odd_rows, odd_sla, odd_support

Record = dict[str, str]

#: The values of columns that the demo company always fills, for rows that give none.
_ANY: dict[Type, str] = {
    "string": "other",
    "integer": "1",
    "decimal": "1",
    "boolean": "true",
    "timestamp": "2026-01-01T00:00:00Z",
    "date": "2020-01-01",
    "time": "09:00",
    "json": "{}",
}
UNKNOWN_WORD = "novel"
#: Rates of the odd currencies, repeated for ever: slips of a day, a lasting new level, and rates that are no rates.
_RATES = ("1.75", "1.75", "1.8", "1750", "1.75", "0", "1.75", "0.333333333", "0.333333333", "0.333333333", "0.35", "-1", "0.35")


class Folder:
    """The tables of a folder, in memory until `save`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables = {name: _read(path / f"{name}.csv") for name in TABLES}
        self._number = count(1)

    def save(self) -> None:
        """Write every table to its file."""
        for name, rows in self.tables.items():
            with (self.path / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
                writer = csv.DictWriter(lines, [column.name for column in TABLES[name].columns], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)

    @property
    def organizations(self) -> list[str]:
        return [row["organization_id"] for row in self.tables["organizations"]]

    def add(self, table: str, **values: object) -> str:
        """Add a row, with any value for the other columns that the demo company always fills. Returns its id."""
        schema = TABLES[table]
        given = {name: "" if value is None else str(value) for name, value in values.items()}
        row = {**self._defaults(schema), **given}
        unknown = row.keys() - schema.by_name.keys()
        if unknown:
            raise ValueError(f"{table} has no {sorted(unknown)}")
        self.tables[table].append(row)
        return row[schema.id]

    def of(self, table: str, organization: str) -> list[Record]:
        """The rows of an organization."""
        return [row for row in self.tables[table] if row["organization_id"] == organization]

    def drop(self, table: str, organization: str) -> None:
        """Delete an organization's rows from a table."""
        self.tables[table] = [row for row in self.tables[table] if row["organization_id"] != organization]

    def copy(self, organization: str, suffix: str) -> str:
        """Add an organization with copies of another one's rows under new ids. Returns its id."""
        for name, rows in self.tables.items():
            if "organization_id" in TABLES[name].by_name:
                rows += [
                    {column: text + suffix if text and column.endswith("_id") else text for column, text in row.items()}
                    for row in self.of(name, organization)
                ]
        return organization + suffix

    def _defaults(self, schema: Table) -> Record:
        row = {column.name: _ANY[column.type] if column.required else "" for column in schema.columns}
        if schema.id.endswith("_id"):
            row[schema.id] = f"odd-{next(self._number):04}"
        return row


def _read(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def no_deals(folder: Folder, organization: str) -> None:
    """The organization has no deals. Its activities still refer to the deleted deals."""
    folder.drop("deals", organization)
    folder.drop("deal_stage_history", organization)


def only_lost_deals(folder: Folder, organization: str) -> None:
    """Every deal and every lead was lost."""
    folder.drop("deal_stage_history", organization)
    for deal in folder.of("deals", organization):
        deal |= {"stage": "closed_lost", "probability_pct": "0", "lost_reason": "price"}
        deal["closed_at"] = deal["closed_at"] or deal["updated_at"]
        change = {name: deal[name] for name in ("organization_id", "deal_id", "amount", "probability_pct", "updated_at")}
        moved = {"from_stage": "prospecting", "to_stage": "closed_lost", "changed_at": deal["closed_at"]}
        folder.add("deal_stage_history", **change, **moved)
    for lead in folder.of("leads", organization):
        lead |= {"stage": "lost", "closed_at": lead["closed_at"] or lead["updated_at"]}


def hundred_currencies(folder: Folder, organization: str) -> None:
    """Every amount is in one of 100 currencies. Some have no exchange rate, some only a later one."""
    codes = [f"Q{number:02}" for number in range(100)]
    for number, code in enumerate(codes):
        # In each ten currencies, one has no rate. One has its first rate between the amounts, one on the day of the run, one after it. One
        # has gaps in which its rates are too old.
        first = {0: None, 1: "2026-01-15", 2: "2026-10-01", 3: "2026-12-01"}.get(number % 10, "2025-01-01")
        if first is None:
            continue
        day, rates = date.fromisoformat(first), cycle(_RATES)
        while day <= date(2026, 12, 1):
            folder.add("fx_rates", rate_date=day, currency=code, rate_to_usd=next(rates))
            day += timedelta(days=9 if number % 10 == 4 else 6)
    currency = cycle(codes)
    for table, schema in TABLES.items():
        if "currency" in schema.by_name and table != "fx_rates":
            for row in folder.of(table, organization):
                row["currency"] = next(currency)


def empty(folder: Folder) -> None:
    """An organization without rows in any other table."""
    folder.add("organizations", organization_id="org-empty", name="Nobody", timezone="Pacific/Chatham", reporting_currency="ZZZ")


def nasty(folder: Folder) -> None:
    """Three organizations with edge cases of every metric definition."""
    odd_rows.plant(folder)
    odd_support.plant(folder)
    odd_sla.plant(folder)


def unknown_words(folder: Folder, organization: str) -> None:
    """Each column with accepted values has a word that no list has, in one row of its own."""
    for source in load_sources().values():
        for name, table in source.tables.items():
            listed = [column.name for column in table.columns.values() if column.accepted_values]
            if listed:
                for column, row in zip(listed, folder.of(name, organization)[: len(listed)], strict=True):
                    row[column] = UNKNOWN_WORD


def one_organization(folder: Folder) -> None:
    """Only the first organization is left."""
    for name, other in product(TABLES, folder.organizations[1:]):
        if "organization_id" in TABLES[name].by_name:
            folder.drop(name, other)


def shared_ids(folder: Folder) -> None:
    """All organizations use the same ids: an id becomes its number among those of its organization.

    An id that refers to a missing row becomes a number that only a larger organization may have.
    """
    ids = sorted({table.id for table in TABLES.values() if table.id.endswith("_id")} - {"organization_id"})
    numbers: dict[tuple[str, str], dict[str, str]] = {}

    def number(row: Record, kind: str, name: str) -> str:
        known = numbers.setdefault((row["organization_id"], kind), {})
        return known.setdefault(name, f"{kind.removesuffix('_id')}-{len(known) + 1:06}")

    tenants = {name: rows for name, rows in folder.tables.items() if "organization_id" in TABLES[name].by_name}
    for name, rows in tenants.items():
        if TABLES[name].id in ids:
            for row in rows:
                number(row, TABLES[name].id, row[TABLES[name].id])
    for name, rows in tenants.items():
        kinds = {c: next((i for i in ids if c == i or c.endswith(f"_{i}")), None) for c in TABLES[name].by_name}
        for row, (column, kind) in product(rows, kinds.items()):
            if kind and row[column]:
                row[column] = number(row, kind, row[column])


def all_at_once(folder: Folder) -> None:
    """All of these changes, each in its own organization, beside an ordinary one. All organizations use the same ids."""
    first, second, *_ = folder.organizations
    no_deals(folder, folder.copy(first, "-undealt"))
    hundred_currencies(folder, folder.copy(second, "-motley"))
    unknown_words(folder, folder.copy(first, "-wordy"))
    only_lost_deals(folder, second)
    empty(folder)
    nasty(folder)
    shared_ids(folder)


def _everywhere(change: Callable[[Folder, str], None]) -> Callable[[Folder], None]:
    def changed(folder: Folder) -> None:
        for position, organization in enumerate(folder.organizations):
            if position == 0 or change is not hundred_currencies:
                change(folder, organization)

    return changed


COMPANIES: dict[str, Callable[[Folder], None]] = {
    "one_organization": one_organization,
    "no_deals": _everywhere(no_deals),
    "only_lost_deals": _everywhere(only_lost_deals),
    "hundred_currencies": _everywhere(hundred_currencies),
    "nasty": nasty,
    "unknown_words": _everywhere(unknown_words),
    "shared_ids": shared_ids,
    "all_at_once": all_at_once,
}


def make_odd(path: Path, company: str) -> Path:
    """Change the demo CSV files in a folder into one of the odd companies. Returns the folder."""
    folder = Folder(path)
    COMPANIES[company](folder)
    folder.save()
    return path


if __name__ == "__main__":
    make_odd(Path(sys.argv[1]), sys.argv[2])
