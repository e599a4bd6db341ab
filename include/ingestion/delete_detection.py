# ruff: noqa: S608, TID253 - this module is imported only when a load runs; SQL contains only declared names, never data.
"""Compares the keys of a source with the live keys in raw, both ways: rows that the source no longer holds, and rows that raw lacks.

The keys of all tables are uploaded in one file and compared by one query. Thirty tables cost as much as one table.
A row is missing in raw if it was inserted with a time of change that the cursor has passed, or if it has returned after a deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations, pairwise
from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.ingestion.casting import UTC_MICROSECONDS, cast
from include.ingestion.raw import KEYS_TABLE
from include.sources.expressions import identifier
from include.sources.schema import Source, Table
from include.sources.versions import key_text, latest, order_time, visible
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: A table of up to this many live keys may lose any share of them, because small tables often change completely.
SMALL_TABLE = 50
_SCHEMA = pa.schema(
    [("table_name", pa.string()), ("row_key", pa.string()), ("is_read", pa.bool_()), ("_loaded_at", UTC_MICROSECONDS)]
)


class DeletesRefused(RuntimeError):
    """Delete detection would delete more of a table than `max_deleted_share` allows. The source is probably incomplete."""


@dataclass(frozen=True)
class KeyDifference:
    """The difference between the keys of a source and the live keys in raw, for one table.

    Attributes:
        deleted: one row per key that the source no longer holds, with the key columns; or why these keys may not be deleted.
        missing: keys, as text, that the source holds, but neither raw nor this run's rows.
        returned: key, as text → `changed_at` of its tombstone (UTC), for keys that the source holds again.
    """

    deleted: pa.Table | DeletesRefused | None = None
    missing: frozenset[str] = frozenset()
    returned: dict[str, datetime] = field(default_factory=dict)


def key_texts(table: Table, rows: pa.Table) -> pa.Array:
    """The key of each row as text, as `versions.key_text` writes it. NULL if a part is missing or does not fit its type."""
    parts = [cast(cast(rows[key], table.columns[key].type).values, "string").values for key in table.primary_key]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "|")


def keys_of(table: Table, texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The values of keys that are given as text. If a value contains a bar, every possible key is named."""
    joints = len(table.primary_key) - 1
    for text in texts:
        parts = text.split("|")
        for ends in combinations(range(1, len(parts)), joints):
            bounds = (0, *ends, len(parts))
            yield tuple("|".join(parts[start:end]) for start, end in pairwise(bounds))


class KeyFile:
    """A Parquet file of the keys that a source holds now, and of those that this run has read. Several threads may write to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._now = datetime.now(UTC)
        self._writer = pq.ParquetWriter(path, _SCHEMA)

    def add(self, table: Table, keys: pa.Table, *, is_read: bool) -> None:
        """Write keys of a table: those that the source holds, or those that this run has read.

        Columns have the warehouse's names and may have any type.
        """
        row_key = key_texts(table, keys)
        names = pa.array([table.name], pa.string()).take(pa.array([0] * len(row_key)))
        read = pa.array([is_read] * len(row_key), pa.bool_())
        loaded = pa.array([self._now] * len(row_key), UTC_MICROSECONDS)
        with self._lock:
            self._writer.write_table(pa.table([names, row_key, read, loaded], schema=_SCHEMA))

    def close(self) -> None:
        self._writer.close()


def compare_keys(
    client: Client, source: Source, tables: Iterable[Table], keys: KeyFile, as_of: datetime
) -> dict[str, KeyDifference]:
    """Compare the keys of the key file with those that are live in raw at `as_of` (UTC).

    Returns:
        Table → difference, for tables that have one.
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
            bigquery.SchemaField("is_read", "BOOL"),
            bigquery.SchemaField("_loaded_at", "TIMESTAMP"),
        ],
        time_partitioning=bigquery.TimePartitioning(field="_loaded_at"),
    )
    with keys.path.open("rb") as file:
        client.load_table_from_file(file, target, job_config=config).result()
    by_name = {table.name: table for table in tables}
    found: dict[str, KeyDifference] = {}
    for row in rows(_count_sql(source, tables), {"as_of": as_of}, client):
        gone, live = row["gone"], row["live_count"]
        table = by_name[row["table_name"]]
        deleted: pa.Table | DeletesRefused | None = None
        if gone and live > SMALL_TABLE and gone / live > table.deleted_share_limit:
            deleted = DeletesRefused(
                f"the source no longer holds {gone} of {live} live keys, more than max_deleted_share "
                f"({table.deleted_share_limit:.0%}) allows to delete. If the rows were really deleted, set it to {_share(gone / live)} or more for "
                f"tables.{table.name} in {source.name}.yml and run again"
            )
        elif gone:
            deleted = _deleted_keys(client, source, table, as_of)
        lacking = _lacking(client, source, table, as_of) if row["lacking"] else []
        if gone or lacking:
            found[table.name] = KeyDifference(
                deleted,
                missing=frozenset(row["row_key"] for row in lacking if not row["is_read"]),
                returned={row["row_key"]: row["changed_at"] for row in lacking if row["changed_at"] is not None},
            )
    return found


def _share(value: float) -> str:
    """A share, rounded up to two digits."""
    return f"{ceil(value * 100) / 100:.2f}"


def _deleted_keys(client: Client, source: Source, table: Table, as_of: datetime) -> pa.Table:
    columns = list(table.primary_key)
    sql = (
        f"with held as ({_held_sql(source)}) "
        f"select {', '.join(f'live.{identifier(name)}' for name in columns)} from ({_latest_sql(source, table, columns)}) as live "
        "left join held on held.table_name = live.table_name and held.row_key = live.row_key "
        "where held.row_key is null and not live._is_deleted"
    )
    found = rows(sql, {"as_of": as_of}, client)
    return pa.table({name: pa.array([row[name] for row in found]) for name in columns})


def _lacking(client: Client, source: Source, table: Table, as_of: datetime) -> list[dict[str, Any]]:
    """The keys that the source holds and raw lacks: key as text, whether this run has read it, and the time of its tombstone."""
    sql = (
        f"with held as ({_held_sql(source)}) select held.row_key, held.is_read, live.changed_at from held "
        f"left join ({_latest_sql(source, table, [])}) as live on live.row_key = held.row_key "
        f"where held.table_name = '{table.name}' and {_LACKING}"
    )
    return rows(sql, {"as_of": as_of}, client)


#: A tombstone without `changed_at` needs nothing: a row that is read after it follows it.
_LACKING = "((live.row_key is null and not held.is_read) or (live._is_deleted and live.changed_at is not null))"


def _latest_sql(source: Source, table: Table, columns: list[str]) -> str:
    """SQL for the latest version of each key: its columns, its key as text, `_is_deleted`, and its place in the order of versions."""
    changed_at = order_time(table) or "cast(null as timestamp)"
    return (
        f"select '{table.name}' as table_name, {''.join(f'{identifier(name)}, ' for name in columns)}"
        f"{key_text(table.primary_key)} as row_key, _is_deleted, {changed_at} as changed_at "
        f"from {source.dataset}.{table.name} as versions where {visible(source, table)} {latest(table)}"
    )


def _held_sql(source: Source) -> str:
    """SQL for the keys that the source holds, and whether this run has read their rows."""
    return (
        f"select sent.table_name, sent.row_key, logical_or(sent.is_read) as is_read from {source.dataset}.{KEYS_TABLE} as sent "
        "where sent.row_key is not null group by sent.table_name, sent.row_key having logical_or(not sent.is_read)"
    )


def _count_sql(source: Source, tables: list[Table]) -> str:
    """SQL for three counts per table: live keys, live keys that the source no longer holds, and keys of the source that raw lacks."""
    latest = " union all ".join(_latest_sql(source, table, []) for table in tables)
    return (
        f"with latest as ({latest}), held as ({_held_sql(source)}) "
        "select coalesce(live.table_name, held.table_name) as table_name, countif(not live._is_deleted) as live_count, "
        "countif(not live._is_deleted and held.row_key is null) as gone, "
        f"countif(held.row_key is not null and {_LACKING}) as lacking from latest as live "
        "full join held on held.table_name = live.table_name and held.row_key = live.row_key "
        "group by 1"
    )
