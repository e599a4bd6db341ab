"""Loads a vendor's account by its ready source file, and reads the rows that staging makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.contract import contract
from include.demo.vendors.common import Row
from include.ingestion import load
from include.ingestion.report import LoadReport
from include.run_context import RunContext
from include.settings import ROOT
from include.sources import Source, SourceConnection, load_sources
from tests.include.sources.mapped import staged
from tests.vendors.running import started
from tests.vendors.served import AS_OF, ORGANIZATION, SCALE, SEED
from tests.warehouse import connected


@dataclass(frozen=True)
class Day:
    """What a load has made: the staged rows by entity, and its report."""

    rows: dict[str, list[Row]]
    report: LoadReport


@dataclass(frozen=True)
class Platform:
    """The source file of a vendor, and the warehouse into which it is loaded."""

    source: Source
    warehouse: Client
    login: str
    secret: str

    def load(self, as_of: datetime, second: bool = False) -> Day:
        """Load what a server of the vendor has on a day."""
        company = [f"--organization={ORGANIZATION}", f"--scale={SCALE}", f"--seed={SEED}", f"--as-of={AS_OF:%Y-%m-%d}"]
        with started(self.source.name, *company, *(["--second"] if second else [])) as address:
            connection = {"conn_type": "http", "host": address, "login": self.login, "password": self.secret}
            report = load(self.source, SourceConnection.of(self.source.connection, connection), RunContext("test", as_of))
        for name, table in report.tables.items():
            assert not table.rejected, name
            assert {change.change for change in table.changes} <= {"new_column"}, name
        found: dict[str, list[Row]] = {}
        for name, declared in self.source.tables.items():
            entity = str(declared.entity)
            rows = self.warehouse.query(f"select * from ({staged(self.source, name, as_of)})").result()
            kept = contract()[entity].columns
            found.setdefault(entity, []).extend({column: _plain(row[column]) for column in kept} for row in rows)
        return Day(found, report)


@contextmanager
def platform(vendor: str, login: str, secret: str, settings: dict[str, str], folder: Path) -> Iterator[Platform]:
    """The ready source file of a vendor, with these texts in place of those that a user has to set."""
    text = (ROOT / "include" / "sources" / "examples" / f"{vendor}.yml").read_text(encoding="utf-8")
    for placeholder, value in settings.items():
        assert placeholder in text, placeholder
        text = text.replace(placeholder, value)
    (folder / f"{vendor}.yml").write_text(text, encoding="utf-8")
    source = load_sources(folder)[vendor]
    with pytest.MonkeyPatch.context() as patch, connected(patch) as bq:
        patch.setenv("PLATFORM_STATE_DIR", str(folder / "state"))
        try:
            yield Platform(source, bq, login, secret)
        finally:
            bq.delete_dataset(source.dataset, delete_contents=True, not_found_ok=True)


def as_staged(entity: str, rows: list[Row], prefix: str) -> list[Row]:
    """Rows of a vendor's account as staging has them: with the tenant, and the source's prefix before every id."""
    declared = contract()[entity].columns
    ids = [name for name, column in declared.items() if column.id_of not in (None, "organizations")]
    return [
        row | {name: f"{prefix}{row[name]}" for name in ids if row.get(name) is not None} | {"organization_id": ORGANIZATION}
        for row in rows
    ]


def differences(entity: str, found: list[Row], wanted: list[Row]) -> dict[str, dict[Any, tuple[Any, Any]]]:
    """Where two tables differ: column → key of the row → both values. A row that one of them lacks differs in the column `row`."""
    key = contract()[entity].key
    left, right = ({tuple(row[column] for column in key): row for row in rows} for rows in (found, wanted))
    assert (len(left), len(right)) == (len(found), len(wanted)), f"{entity}: a key is there twice"
    result: dict[str, dict[Any, tuple[Any, Any]]] = {}
    for each in left.keys() | right.keys():
        if each not in left or each not in right:
            result.setdefault("row", {})[each] = (left.get(each), right.get(each))
            continue
        for column, value in right[each].items():
            if left[each][column] != _plain(value):
                result.setdefault(column, {})[each] = (left[each][column], value)
    return result


def _plain(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value
