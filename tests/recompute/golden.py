"""The golden cases of the dbt project, read from the unit tests in the models' YAML: a case stands once, and tests both implementations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import yaml

from include.settings import ROOT
from tests.recompute.sources import Row


@dataclass(frozen=True)
class Golden:
    """A unit test of a dbt model: `given` has the rows by the name of the input, such as `conformed_subscriptions`."""

    given: dict[str, list[Row]]
    expected: list[Row]


def golden(model: str, name: str) -> Golden:
    """A golden case, with fractions as Decimals and timestamps in UTC."""
    (path,) = (ROOT / "dbt" / "models").rglob(f"{model}.yml")
    (case,) = (case for case in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"] if case["name"] == name)
    given = {item["input"].split("'")[1]: _rows(item.get("rows")) for item in case["given"]}
    return Golden(given, _rows(case["expect"]["rows"]))


def _rows(rows: Any) -> list[Row]:
    return [{name: _value(value) for name, value in row.items()} for row in rows or ()]


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return Decimal(str(value)) if isinstance(value, float) else value
