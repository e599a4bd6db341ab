# ruff: noqa: S608, TID253 - imported only by landings; SQL is put together from declared names, never from data.
"""Finds rows that raw holds already, so that a table which has no cursor, and is read whole, lands only what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.ingestion.sweep import latest
from include.sources.dbt_sources import METADATA_COLUMNS

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.sources.schema import Source, Table

#: A table of more rows lands whole: to fetch them all for comparison would cost more than to land them again.
COMPARED_ROWS = 200_000

#: The latest version of each key: its values other than NULL by column, `_is_deleted` among them.
Versions = dict[tuple[Any, ...], dict[str, Any]]

_PROVENANCE = METADATA_COLUMNS.keys() - {"_is_deleted"}


def latest_versions(client: Client, source: Source, table: Table) -> Versions:
    """What raw holds of a table, without what the source no longer holds."""
    found = client.query(f"select * from {source.dataset}.{table.name} {latest(table)} and not _is_deleted").result()
    return dict(_versions(table, (dict(row.items()) for row in found)))


def changed(table: Table, rows: pa.Table, held: Versions) -> pa.Table:
    """Those of the rows that are not what raw holds of their key; of a key that comes more than once, all."""
    versions = list(_versions(table, iter(rows.to_pylist())))
    times = Counter(key for key, _ in versions)
    return rows.filter(pa.array([times[key] > 1 or held.get(key) != values for key, values in versions], pa.bool_()))


def _versions(table: Table, rows: Iterator[dict[str, Any]]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for row in rows:
        values = {name: value for name, value in row.items() if value is not None and name not in _PROVENANCE}
        yield tuple(row[key] for key in table.primary_key), values
