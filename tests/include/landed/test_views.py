"""Tables as loaders land them, on the local warehouse: what staging shows, cast by cast and loader by loader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud.bigquery import Client

from tests.include.landed.cases import CASES, LANDING, RAW, statements
from tests.warehouse import connected, empty, rows


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch, connected(patch) as bq:
        for dataset in (LANDING, RAW):
            bq.create_dataset(dataset, exists_ok=True)
        yield bq
        bq.delete_dataset(LANDING, delete_contents=True)
        # Other tests expect the dataset.
        empty(bq, RAW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_loaders_table_on_the_local_warehouse(warehouse: Client, case: dict[str, Any]) -> None:
    needed = statements(case)
    for statement in needed.setup:
        warehouse.query(statement).result()
    assert _texts(needed.rows, warehouse) == case["expect"]
    if needed.versions:
        assert _texts(needed.versions, warehouse) == case["versions"]
    if "findings" in case:
        assert _texts(needed.findings, warehouse) == case["findings"]


def _texts(sql: str, bq: Client) -> list[list[Any]]:
    """The rows. The local warehouse writes an amount with nine decimals, BigQuery only those that it needs."""
    return [[value and _short(str(value)) for value in row] for row in rows(sql, bq)]


def _short(text: str) -> str:
    return text.rstrip("0").rstrip(".") if re.fullmatch(r"-?\d+\.\d{9}", text) else text
