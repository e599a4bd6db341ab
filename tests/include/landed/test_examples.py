"""The ready source files of landed tables, of HubSpot, Salesforce, Zendesk and Stripe: each is valid, and its views and queries run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.landed.loaders import LOADERS
from include.landed.view import view_of
from include.settings import ROOT
from include.sources import Source, load_sources
from include.sources.expressions import WAREHOUSE_TYPES
from include.sources.landed import joined
from include.sources.staging import rendered
from tests.include.sources.mapped import rendered as without_macros
from tests.warehouse import connected, rows

FOLDER = ROOT / "include" / "sources" / "examples"
EXAMPLES = {name: source for name, source in load_sources(FOLDER).items() if source.reader.type == "landed"}
RAW = "raw_example"
_TIMES = {"_fivetran_synced": "TIMESTAMP", "_airbyte_extracted_at": "TIMESTAMP", "_airbyte_generation_id": "INT64"}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch, connected(patch) as bq:
        bq.create_dataset(RAW, exists_ok=True)
        yield bq
        for dataset in (RAW, *(source.reader.dataset for source in EXAMPLES.values() if source.reader.type == "landed")):
            bq.delete_dataset(dataset, delete_contents=True, not_found_ok=True)


def schemas(source: Source) -> dict[str, dict[str, str]]:
    """The loader's tables with the columns that the file names, in the types that it reads."""
    assert source.reader.type == "landed"
    system = {name: _TIMES[name] for name in LOADERS[source.reader.loader].needed}
    found: dict[str, dict[str, str]] = {}
    for table in source.tables.values():
        own = table.table or table.name
        joins = {name: join.table for name, join in table.joins.items()}
        for name in (own, *joins.values()):
            found.setdefault(name, dict(system))
        for name, join in table.joins.items():
            for left, right in join.key.items():
                place, column = joined(right, joins)
                found[joins[name]].setdefault(left, "STRING")
                found[joins[place] if place else own].setdefault(column, "STRING")
        for column in table.columns.values():
            place, name = joined(str(column.source_name), joins)
            kind = "JSON" if column.type == "json" else WAREHOUSE_TYPES[column.type]
            columns = found[joins[place] if place else own]
            if columns.get(name, "STRING") == "STRING":
                columns[name] = kind
    return found


def staged(source: Source, table: str) -> str:
    """The staging query, without its choice of versions."""
    text = {path.stem: sql for path, sql in rendered(source, Path("dbt")).items()}[f"stg_{source.name}__{table}"]
    sql = text.partition("-#}")[2]
    return sql.replace(f"{{{{ latest_rows('{source.name}', '{table}') }}}}", f"select * from {RAW}.{table}")


def attach(source: Source, bq: Client) -> None:
    """Create the loader's tables, empty, and the views on them."""
    assert source.reader.type == "landed"
    dataset, found = source.reader.dataset, schemas(source)
    bq.create_dataset(dataset, exists_ok=True)
    statements = []
    for landed, columns in found.items():
        listed = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
        statements.append(f"create or replace table {dataset}.`{landed}` ({listed})")
    for table in source.tables.values():
        view = view_of(source, source.reader, table, found, "local")
        assert not view.missing
        statements.append(f"create or replace view {RAW}.{table.name} as\n{view.sql}")
    bq.query(";\n".join(statements)).result()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_views_and_staging_queries_of_an_example_run(warehouse: Client, name: str) -> None:
    attach(EXAMPLES[name], warehouse)
    counts = [f"select count(*) from ({without_macros(staged(EXAMPLES[name], table))})" for table in EXAMPLES[name].tables]
    assert set(rows("\nunion all\n".join(counts), warehouse)) == {(0,)}


def test_no_example_is_switched_on() -> None:
    assert not load_sources().keys() & load_sources(FOLDER).keys()
    for loader in ("fivetran", "airbyte"):
        assert {f"{system}_{loader}" for system in ("hubspot", "salesforce", "zendesk", "stripe")} <= EXAMPLES.keys()


def test_stripe_items_have_the_terms_of_their_price_and_coupon(warehouse: Client) -> None:
    """Worked out by hand: 3 × 12.50 USD a month less 20 %; a coupon that counts once; a subscription of the old shape, in yen."""
    source = EXAMPLES["stripe_fivetran"]
    day, at = "timestamp '2026-09-30 00:00:00+00'", "timestamp '2026-11-01 00:00:00+00'"
    tables: dict[str, list[dict[str, Any]]] = {
        "subscription_item": [
            {"id": "'si_1'", "subscription_id": "'sub_1'", "plan_id": "'p_1'", "quantity": "3", "current_period_end": at},
            {"id": "'si_2'", "subscription_id": "'sub_2'", "plan_id": "'p_1'", "quantity": "1", "current_period_end": at},
            {"id": "'si_3'", "subscription_id": "'sub_3'", "plan_id": "'p_2'", "quantity": "2"},
        ],
        "subscription_history": [
            {"id": "'sub_1'", "customer_id": "'cus_1'", "status": "'active'", "livemode": "true"},
            {"id": "'sub_2'", "customer_id": "'cus_1'", "status": "'past_due'", "livemode": "true"},
            {"id": "'sub_3'", "customer_id": "'cus_2'", "status": "'canceled'", "livemode": "true", "current_period_end": at},
        ],
        "price": [
            {"id": "'p_1'", "unit_amount": "1250", "currency": "'usd'", "recurring_interval": "'month'"},
            {"id": "'p_2'", "unit_amount": "500", "currency": "'jpy'", "recurring_interval": "'year'"},
        ],
        "subscription_discount": [
            {"subscription_id": "'sub_1'", "coupon_id": "'twenty'"},
            {"subscription_id": "'sub_2'", "coupon_id": "'first_month'"},
        ],
        "coupon": [
            {"id": "'twenty'", "duration": "'forever'", "percent_off": "20"},
            {"id": "'first_month'", "duration": "'once'", "percent_off": "100"},
        ],
    }
    attach(source, warehouse)
    inserts = [
        f"insert into stripe.{name} ({', '.join(row)}, _fivetran_synced) values ({', '.join(row.values())}, {day})"
        for name, given in tables.items()
        for row in given
    ]
    warehouse.query(";\n".join(inserts)).result()
    shown = (
        "subscription_id, account_id, cast(unit_amount as float64), cast(discount_pct as float64), quantity, currency, status, "
    )
    shown += "billing_interval, extract(month from current_period_end)"
    found = []
    for table, kept in (
        ("items_without_discount", "coupon_duration is null or coupon_duration = 'once'"),
        ("items_with_discount", ""),
    ):
        sql = staged(source, table)
        condition = kept or "coupon_duration in ('forever', 'repeating')"
        sql = sql.replace(f"select * from {RAW}.{table}", f"select * from {RAW}.{table} where {condition}")
        found += rows(f"select {shown} from ({without_macros(sql)})", warehouse)
    assert sorted(found) == [
        ("st_si_1", "st_cus_1", 12.5, 20.0, 3, "usd", "active", "month", 11),
        ("st_si_2", "st_cus_1", 12.5, 0.0, 1, "usd", "past_due", "month", 11),
        ("st_si_3", "st_cus_2", 500.0, 0.0, 2, "jpy", "canceled", "year", 11),
    ]
