"""The SQL of mapped columns on the local warehouse: cases that are worked out by hand, and random values against plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.bigquery import Client

from tests.include.sources.mapped import select, table
from tests.warehouse import connected

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "mapping_cases.yml").read_text())


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch, connected(patch) as bq:
        yield bq


def as_text(value: Any) -> str | None:
    """A value as the cases write it."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
        case date():
            return value.isoformat()
        case None:
            return None
    return str(value)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_form_on_the_local_warehouse(warehouse: Client, case: dict[str, Any]) -> None:
    mapped = table(case["entity"], {case["column"]: case["form"]}, id_prefix=case.get("id_prefix"))
    found = [as_text(row.found) for row in warehouse.query(select(mapped, case["column"], case["rows"])).result()]
    assert found == case["expect"]
