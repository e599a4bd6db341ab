# ruff: noqa: S608 - SQL contains only names of the contract and of the platform's own, never data.
"""Lands a company's tables in the local warehouse as Fivetran or Airbyte do: the tables of each system in one dataset.

A system's table has its own name. Accounts and subscriptions keep all versions, other tables the newest state. A row that its system has
deleted stays there and is marked. The first sync lands such a row too.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from include.demo.company import Company
from include.demo.schema import TABLES, Table
from include.run_context import latest_as_of
from include.sources.expressions import WAREHOUSE_TYPES
from include.warehouse import client as new_client
from include.warehouse import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: Tables of which the loader keeps all versions: those whose versions the platform reads.
WITH_VERSIONS = ("accounts", "subscriptions")
#: The last sync ends this long before the as-of time.
_BEFORE = timedelta(minutes=10)
_OPEN_END = "timestamp '9999-12-31 23:59:59.999+00'"


def dataset_of(loader: str, system: str) -> str:
    """The dataset in which a loader lands a system."""
    return f"{loader}_{system}"


def land(company: Company, loader: str, say: Callable[[str], None], client: Client | None = None) -> None:
    """Land every table of a company, as of the company's as-of time. A second call adds the next sync.

    Args:
        loader: fivetran or airbyte.
        say: called with a line per system.
    """
    bq = client or new_client(tool="demo")
    synced = (company.as_of or latest_as_of() - timedelta(days=1)) - _BEFORE
    for system in dict.fromkeys(table.system for table in TABLES.values()):
        dataset = dataset_of(loader, system)
        bq.create_dataset(dataset, exists_ok=True)
        tables = [table for table in TABLES.values() if table.system == system and table.name in company.tables]
        for table in tables:
            _load(company, table, f"{dataset}._now", bq)
            for statement in _STATEMENTS[loader](table, dataset, synced):
                execute(statement, client=bq)
        execute(f"drop table if exists {dataset}._now", client=bq)
        say(f"{dataset}: {sum(company.tables[table.name].num_rows for table in tables):,} rows in {len(tables)} tables")


def _load(company: Company, table: Table, target: str, bq: Client) -> None:
    """Write the table's rows, as its system has them, to a table."""
    import pyarrow.parquet as pq
    from google.cloud.bigquery import LoadJobConfig

    body = io.BytesIO()
    pq.write_table(company.tables[table.name], body)
    body.seek(0)
    columns = ", ".join(f"{column.name} {WAREHOUSE_TYPES[column.type]}" for column in table.columns)
    execute(f"create or replace table {target} ({columns})", client=bq)
    options = LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    bq.load_table_from_file(body, f"{bq.project}.{target}", job_config=options).result()


def _fivetran(table: Table, dataset: str, synced: datetime) -> list[str]:
    name, at = f"{dataset}.{table.name}", _instant(synced)
    now = f"select *, {at} as _fivetran_synced"
    if table.name not in WITH_VERSIONS:
        marked = f"if(_fivetran_deleted, _fivetran_synced, {at}) as _fivetran_synced, true as _fivetran_deleted"
        return _newest_state(table, dataset, f"{now}, false as _fivetran_deleted", marked)
    start = f"coalesce(updated_at, {at})"
    versions = (
        f"{now}, true as _fivetran_active, {start} as _fivetran_start, {_OPEN_END} as _fivetran_end from {dataset}._now as now"
    )
    same = " and ".join(f"now.{key} = landed.{key}" for key in table.key)
    return [
        f"create table if not exists {name} as {versions} where false",
        f"update {name} as landed set _fivetran_active = false, _fivetran_synced = {at}, "
        f"_fivetran_end = timestamp_sub(now.updated_at, interval 1 millisecond) from {dataset}._now as now "
        f"where {same} and landed._fivetran_active and now.updated_at > landed._fivetran_start",
        f"update {name} as landed set _fivetran_active = false, _fivetran_end = {at} "
        f"where _fivetran_active and not exists (select 1 from {dataset}._now as now where {same})",
        f"insert into {name} {versions} where not exists (select 1 from {name} as landed where {same} and landed._fivetran_active)",
    ]


def _airbyte(table: Table, dataset: str, synced: datetime) -> list[str]:
    name, at = f"{dataset}.{table.name}", _instant(synced)
    objects = ", ".join(f"parse_json({column.name}) as {column.name}" for column in table.columns if column.type == "json")
    now = f"select *{f' replace ({objects})' if objects else ''}"
    system = f"{at} as _airbyte_extracted_at, parse_json('{{\"changes\": []}}') as _airbyte_meta, 0 as _airbyte_generation_id"
    if table.name not in WITH_VERSIONS:
        marked = (
            f"if(_ab_cdc_deleted_at is null, {at}, _airbyte_extracted_at) as _airbyte_extracted_at, "
            f"coalesce(_ab_cdc_deleted_at, '{synced.isoformat()}') as _ab_cdc_deleted_at"
        )
        return _newest_state(table, dataset, f"{now}, {system}, cast(null as string) as _ab_cdc_deleted_at", marked)
    versions = f"{now}, {system} from {dataset}._now as now"
    same = " and ".join(f"now.{key} = landed.{key}" for key in (*table.key, "updated_at"))
    return [
        f"create table if not exists {name} as {versions} where false",
        f"insert into {name} {versions} where not exists (select 1 from {name} as landed where {same})",
    ]


def _newest_state(table: Table, dataset: str, now: str, marked: str) -> list[str]:
    """The statements that land the newest state of a table.

    Args:
        table: the table.
        dataset: the loader's dataset.
        now: the beginning of a query of the rows that the system has, before its FROM.
        marked: SQL of the columns that mark a row as deleted.
    """
    name = f"{dataset}.{table.name}"
    same = " and ".join(f"now.{key} = landed.{key}" for key in table.key)
    is_text = table.by_name[table.id].type == "string"
    deleted = f"concat('deleted_', {table.id}) as {table.id}, {marked}" if is_text else marked
    return [
        f"create table if not exists {name} as\nselect * replace ({deleted}) from ({now} from {dataset}._now) limit {int(is_text)}",
        f"create or replace table {name} as\n{now} from {dataset}._now\nunion all\nselect * replace ({marked}) from {name} as landed "
        f"where not exists (select 1 from {dataset}._now as now where {same})",
    ]


_STATEMENTS = {"fivetran": _fivetran, "airbyte": _airbyte}
LOADERS = tuple(_STATEMENTS)


def _instant(at: datetime) -> str:
    return f"timestamp '{at:%Y-%m-%d %H:%M:%S}+00'"
