# ruff: noqa: S608, TID253 - this module is imported only when a load runs; SQL contains only declared names, never data.
"""Removes rows that raw already holds. A table without a cursor is read whole, but only new and changed rows are loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.sources.dbt_sources import METADATA_COLUMNS
from include.sources.versions import latest
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.sources.schema import Source, Table

#: Larger tables are loaded whole, because fetching their rows for comparison costs more than loading them again.
COMPARED_ROWS = 200_000

#: Key → column → value in the latest version of the key. Columns with NULL are left out; `_is_deleted` is included.
Versions = dict[tuple[Any, ...], dict[str, Any]]

_PROVENANCE = METADATA_COLUMNS.keys() - {"_is_deleted"}


def latest_versions(client: Client, source: Source, table: Table) -> Versions:
    """The latest version of each key of a table in raw, without deleted keys."""
    found = rows(f"select * from {source.dataset}.{table.name} as versions {latest(table)} and not _is_deleted", client=client)
    return dict(_versions(table, found))


def changed(table: Table, read: pa.Table, known: Versions) -> pa.Table:
    """Keep the rows that differ from the latest version of their key. All rows of a repeated key are kept."""
    versions = list(_versions(table, read.to_pylist()))
    times = Counter(key for key, _ in versions)
    return read.filter(pa.array([times[key] > 1 or known.get(key) != values for key, values in versions], pa.bool_()))


def _versions(table: Table, found: Iterable[dict[str, Any]]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for row in found:
        values = {name: value for name, value in row.items() if value is not None and name not in _PROVENANCE}
        yield tuple(row[key] for key in table.primary_key), values
