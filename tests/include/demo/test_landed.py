"""The demo company as loaders land it: two syncs in the local warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.demo.company import Company
from include.demo.landed import land
from tests.warehouse import connected, rows

DAY = datetime(2026, 10, 1, tzinfo=UTC)
SYNCED = datetime(2026, 9, 30, 23, 50, tzinfo=UTC)


@pytest.fixture(scope="module")
def bq() -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch, connected(patch) as client:
        before = {dataset.dataset_id for dataset in client.list_datasets()}
        yield client
        for dataset in client.list_datasets():
            if dataset.dataset_id not in before:
                client.delete_dataset(dataset.reference, delete_contents=True)


def company(as_of: datetime, **tables: list[dict[str, Any]]) -> Company:
    """A company with some rows. Columns that a row lacks are NULL."""
    import pyarrow as pa

    from include.demo.arrow import arrow_type
    from include.demo.schema import TABLES

    found = {}
    for name, given in tables.items():
        columns = TABLES[name].columns
        schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
        found[name] = pa.Table.from_pylist([{column.name: row.get(column.name) for column in columns} for row in given], schema)
    return Company(found, as_of, [])


def account(number: int, name: str, changed: datetime) -> dict[str, Any]:
    return {"organization_id": "o", "account_id": f"a{number}", "name": name, "updated_at": changed}


EARLY, LATE = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, 12, tzinfo=UTC)
FIRST = company(
    DAY,
    accounts=[account(1, "first", EARLY), account(2, "gone", EARLY), account(3, "same", EARLY)],
    orders=[{"organization_id": "o", "order_id": "r1", "updated_at": EARLY}],
    usage_events=[{"organization_id": "o", "event_id": "e1", "properties": '{"a": 1}'}],
    fx_rates=[{"rate_date": EARLY.date(), "currency": "EUR"}],
)
SECOND = replace(
    company(
        DAY + timedelta(days=1),
        accounts=[account(1, "second", LATE), account(3, "same", EARLY), account(4, "new", LATE)],
        orders=[{"organization_id": "o", "order_id": "r2", "updated_at": LATE}],
    ),
)


def test_fivetran_closes_versions_and_marks_deleted_rows(bq: Client) -> None:
    for each in (FIRST, FIRST, SECOND, SECOND):
        land(each, "fivetran", lambda _: None, bq)
    end = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    later = SYNCED + timedelta(days=1)
    versions = (
        "select account_id, name, _fivetran_active, _fivetran_start, _fivetran_end from fivetran_crm.accounts order by 1, 4"
    )
    assert rows(versions, bq) == [
        ("a1", "first", False, EARLY, LATE - timedelta(milliseconds=1)),
        ("a1", "second", True, LATE, end),
        ("a2", "gone", False, EARLY, later),
        ("a3", "same", True, EARLY, end),
        ("a4", "new", True, LATE, end),
    ]
    assert rows("select order_id, _fivetran_synced, _fivetran_deleted from fivetran_crm.orders order by 1", bq) == [
        ("deleted_r1", SYNCED, True),
        ("r1", later, True),
        ("r2", later, False),
    ]
    assert rows("select distinct _fivetran_deleted from fivetran_reference.fx_rates where currency = 'EUR'", bq) == [(False,)]


def test_airbyte_appends_versions_and_lands_objects_as_json(bq: Client) -> None:
    for each in (FIRST, FIRST, SECOND, SECOND):
        land(each, "airbyte", lambda _: None, bq)
    assert rows("select account_id, name, _airbyte_generation_id from airbyte_crm.accounts order by 1, updated_at", bq) == [
        ("a1", "first", 0),
        ("a1", "second", 0),
        ("a2", "gone", 0),
        ("a3", "same", 0),
        ("a4", "new", 0),
    ]
    later = SYNCED + timedelta(days=1)
    assert rows("select order_id, _airbyte_extracted_at, _ab_cdc_deleted_at from airbyte_crm.orders order by 1", bq) == [
        ("deleted_r1", SYNCED, SYNCED.isoformat()),
        ("r1", later, later.isoformat()),
        ("r2", later, None),
    ]
    events = (
        "select event_id, json_value(properties, '$.a'), _ab_cdc_deleted_at is null from airbyte_product.usage_events order by 1"
    )
    assert rows(events, bq) == [("deleted_e1", "1", False), ("e1", "1", True)]
