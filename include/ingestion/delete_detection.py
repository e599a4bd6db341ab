# ruff: noqa: S608, TID253 - this module is imported only when a load runs; SQL contains only declared names, never data.
"""Finds rows that a source no longer holds, by comparing its keys with the live keys in raw.

The keys of all tables are uploaded in one file and compared by one query. Thirty tables cost as much as one table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.ingestion.casting import UTC_MICROSECONDS, cast
from include.ingestion.raw import KEYS_TABLE
from include.sources.schema import Source, Table
from include.sources.versions import key_text, latest, visible
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: A table of up to this many live keys may lose any share of them, because small tables often change completely.
SMALL_TABLE = 50
_SCHEMA = pa.schema([("table_name", pa.string()), ("row_key", pa.string()), ("_loaded_at", UTC_MICROSECONDS)])


class DeletesRefused(RuntimeError):
    """Delete detection would delete more of a table than `max_deleted_share` allows. The source is probably incomplete."""


@dataclass(frozen=True)
class DeletedKeys:
    """Deleted keys of one table.

    Attributes:
        live: number of live keys in raw before the deletion.
        keys: one row per deleted key, with the key columns.
    """

    live: int
    keys: pa.Table


class KeyFile:
    """A Parquet file of the keys that a source holds now. Several threads may write to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._now = datetime.now(UTC)
        self._writer = pq.ParquetWriter(path, _SCHEMA)

    def add(self, table: Table, keys: pa.Table) -> None:
        """Write keys of a table. Columns have the warehouse's names and may have any type."""
        parts = [cast(cast(keys[key], table.columns[key].type).values, "string").values for key in table.primary_key]
        row_key = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "|")
        names = pa.array([table.name], pa.string()).take(pa.array([0] * len(row_key)))
        loaded = pa.array([self._now] * len(row_key), UTC_MICROSECONDS)
        with self._lock:
            self._writer.write_table(pa.table([names, row_key, loaded], schema=_SCHEMA))

    def close(self) -> None:
        self._writer.close()


def find_deleted(
    client: Client, source: Source, tables: Iterable[Table], keys: KeyFile, as_of: datetime
) -> dict[str, DeletedKeys | DeletesRefused]:
    """Find the keys that are live in raw at `as_of` (UTC) but missing in the key file.

    Returns:
        Table → deleted keys, for tables with at least one; `DeletesRefused` if their share exceeds `max_deleted_share`.
    """
    from google.cloud import bigquery

    tables = list(tables)
    target = f"{client.project}.{source.dataset}.{KEYS_TABLE}"
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        schema=[
            bigquery.SchemaField("table_name", "STRING"),
            bigquery.SchemaField("row_key", "STRING"),
            bigquery.SchemaField("_loaded_at", "TIMESTAMP"),
        ],
        time_partitioning=bigquery.TimePartitioning(field="_loaded_at"),
    )
    with keys.path.open("rb") as file:
        client.load_table_from_file(file, target, job_config=config).result()
    by_name = {table.name: table for table in tables}
    found: dict[str, DeletedKeys | DeletesRefused] = {}
    for row in rows(_count_sql(source, tables), {"as_of": as_of}, client):
        gone, live = row["gone"], row["live_count"]
        if not gone:
            continue
        table = by_name[row["table_name"]]
        if live > SMALL_TABLE and gone / live > table.max_deleted_share:
            found[table.name] = DeletesRefused(
                f"the source no longer holds {gone} of {live} live keys, more than max_deleted_share "
                f"({table.max_deleted_share:.0%}) allows to delete. If the rows were really deleted, raise it for this table in "
                f"{source.name}.yml and run again"
            )
        else:
            found[table.name] = _deleted_keys(client, source, table, as_of, live)
    return found


def _deleted_keys(client: Client, source: Source, table: Table, as_of: datetime, live: int) -> DeletedKeys:
    columns = list(table.primary_key)
    sql = (
        f"select {', '.join(f'live.{name}' for name in columns)} from ({_latest_sql(source, table, columns)}) as live "
        f"left join (select distinct row_key from {source.dataset}.{KEYS_TABLE} where table_name = '{table.name}') as held "
        "on held.row_key = live.row_key where held.row_key is null and not live._is_deleted"
    )
    found = rows(sql, {"as_of": as_of}, client)
    return DeletedKeys(live, pa.table({name: pa.array([row[name] for row in found]) for name in columns}))


def _latest_sql(source: Source, table: Table, columns: list[str]) -> str:
    """SQL for the latest version of each key: its columns, its key as text, and `_is_deleted`."""
    return (
        f"select '{table.name}' as table_name, {', '.join(columns)}{', ' if columns else ''}{key_text(table.primary_key)} as row_key, "
        f"_is_deleted from {source.dataset}.{table.name} where {visible(source, table)} {latest(table)}"
    )


def _count_sql(source: Source, tables: list[Table]) -> str:
    """SQL for two counts per table: live keys, and live keys that the source no longer holds."""
    latest = " union all ".join(_latest_sql(source, table, []) for table in tables)
    return (
        f"with latest as ({latest}), held as (select distinct table_name, row_key from {source.dataset}.{KEYS_TABLE}) "
        "select live.table_name, count(*) as live_count, countif(held.row_key is null) as gone from latest as live "
        "left join held on held.table_name = live.table_name and held.row_key = live.row_key "
        "where not live._is_deleted group by live.table_name"
    )
