"""Starts the embedded warehouse with four corrections, each of which makes it behave as BigQuery does, and with shortcuts.

Runs in the warehouse's own environment, never in the platform's.
"""

import os
import re
import sys
from typing import Any

from bqemulator.api.routes.tables import _field_to_rest
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.cli import main
from bqemulator.storage.type_map import bq_schema_to_duckdb_columns
from bqemulator.versioning import ddl
from bqemulator.versioning.clone import CloneManager
from bqemulator.versioning.snapshots import SnapshotManager
from shortcuts import take  # type: ignore[import-not-found]  # beside this script
from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator

# For every value that Python hands it, DuckDB looks whether the value is one of pandas'. This environment has no pandas, and
# to find that out anew each time costs 75 microseconds: 15 s for the upper(…) of 100,000 rows. Now the answer is at hand.
sys.modules["pandas"] = None  # type: ignore[assignment]

# A bare NUMERIC keeps nine decimals: left alone, it becomes DuckDB's DECIMAL(18, 3), and money silently loses digits.
# Type → (parameters where none are given, their upper bounds). A setting, so that it also reaches a compiled sqlglot.
DuckDBGenerator.TYPE_PARAM_SETTINGS[exp.DType.DECIMAL] = ((38, 9), ())


# CREATE OR REPLACE TABLE … CLONE replaces: left alone, OR REPLACE is forgotten and the answer is that the table exists.
class _Replaced(str):
    """Name of a table that a clone may replace."""

    __slots__ = ()


_parse = ddl.VersioningDDLRouter.parse
_create = CloneManager.create
_capture = SnapshotManager.capture


def _parse_or_replace(self: Any, sql: str) -> Any:
    parsed = _parse(self, sql)
    if parsed is not None and re.match(r"\s*create\s+or\s+replace\s+table\s", sql, re.IGNORECASE):
        object.__setattr__(parsed, "target_table", _Replaced(parsed.target_table))
    return parsed


async def _create_or_replace(self: Any, project: str, dataset: str, table: str, *source: str) -> Any:
    catalog = self._ctx.catalog
    # The source is looked up first: BigQuery leaves the old table alone when there is no new one.
    replaces = isinstance(table, _Replaced) and catalog.get_table(*source) is not None
    if replaces and catalog.get_table(project, dataset, table) is not None:
        async with self._ctx.engine.write_lock():
            self._ctx.engine.execute(f'DROP TABLE IF EXISTS "{project}__{dataset}"."{table}"')
            catalog.delete_table(project, dataset, table)
    return await _create(self, project, dataset, str(table), *source)


# A schema that the API changes changes the table: left alone, new columns are in the table's description only.
_update = DuckDBCatalogRepository.update_table


def _update_with_columns(self: Any, table: Any) -> Any:
    before = self.get_table(table.project_id, table.dataset_id, table.table_id)
    if before is not None and before.schema_.fields and table.table_type == "TABLE":
        known = {field.name.lower() for field in before.schema_.fields}
        new = [_field_to_rest(field) for field in table.schema_.fields if field.name.lower() not in known]
        for name, kind in bq_schema_to_duckdb_columns(new):
            where = f'"{table.project_id}__{table.dataset_id}"."{table.table_id}"'
            self._engine.execute(f'ALTER TABLE {where} ADD COLUMN IF NOT EXISTS "{name}" {kind}')
    return _update(self, table)


def _capture_on_demand(self: Any, project_id: str, dataset_id: str, table_id: str, *, kind: str = "AUTO") -> Any:
    """No whole copy of a table at every change of it, which is how time travel is paid for; nothing here uses it."""
    return None if kind == "AUTO" else _capture(self, project_id, dataset_id, table_id, kind=kind)


ddl.VersioningDDLRouter.parse = _parse_or_replace
CloneManager.create = _create_or_replace
DuckDBCatalogRepository.update_table = _update_with_columns
SnapshotManager.capture = _capture_on_demand

take()

if __name__ == "__main__":
    try:
        main()
    except SystemExit as end:
        # Its data is on disk. Taking the trees of all statements apart, one object after the other, takes seconds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
