"""Starts the embedded warehouse with four corrections, each of which makes it behave as BigQuery does, and
shorter ways through the translator of its SQL.

Runs in the warehouse's own environment, never in the platform's.
"""

import re
import sys
from functools import lru_cache
from threading import Lock
from typing import Any

from bqemulator.api.routes.tables import _field_to_rest
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.cli import main
from bqemulator.storage.type_map import bq_schema_to_duckdb_columns
from bqemulator.versioning import ddl
from bqemulator.versioning.clone import CloneManager
from bqemulator.versioning.snapshots import SnapshotManager
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.bigquery import BigQueryParser

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


# One statement is parsed some twenty times on its way through the translator, each time from its text: half of the
# warehouse's time. Each text is parsed once; who asks gets a copy of the tree, without the positions that only error
# messages use.
_POSITIONS = {"line", "col", "start", "end"}
_LONG = 100_000  # characters; of longer texts only the last few are kept
_parse_text: Any = Dialect.parse

# In `from t, t.items` BigQuery unnests an array. To find such joins the parser copies every subquery of every FROM at every
# level, most of its time in a query of views on views. It is told to look only when a join may be one.
_unnesting = Lock()
BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = False


def _parse_quickly(dialect: Any, sql: str, **options: Any) -> list[Any]:
    trees: list[Any] = _parse_text(dialect, sql, **options)
    if isinstance(dialect, BigQuery) and any(_may_unnest(tree) for tree in trees if tree is not None):
        with _unnesting:
            BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = True
            try:
                trees = _parse_text(dialect, sql, **options)
            finally:
                BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = False
    return trees


def _may_unnest(tree: Any) -> bool:
    """Whether a join names a path into something that the statement reads from."""
    joined = [join.this for join in tree.find_all(exp.Join) if isinstance(join.this, exp.Table) and not join.args.get("on")]
    paths = [table.parts[0].name.lower() for table in joined if len(table.parts) > 1]
    return bool(paths) and not {source.alias_or_name.lower() for source in tree.find_all(exp.Table, exp.Subquery)}.isdisjoint(
        paths
    )


def _parsed(dialect: Any, sql: str, options: tuple[tuple[str, Any], ...]) -> list[Any]:
    trees = _parse_quickly(dialect(), sql, **dict(options))
    for tree in trees:
        for node in tree.walk() if tree is not None else ():
            node.comments = node.comments or None
            if node._meta is not None:
                node._meta = {key: value for key, value in node._meta.items() if key not in _POSITIONS} or None
    return trees


_parsed_short, _parsed_long = lru_cache(maxsize=2048)(_parsed), lru_cache(maxsize=16)(_parsed)


def _parse_once(self: Dialect, sql: str, **options: Any) -> list[Any]:
    if self.settings:
        return _parse_quickly(self, sql, **options)
    parsed = _parsed_short if len(sql) < _LONG else _parsed_long
    dialect: Any = type(self)
    trees = parsed(dialect, sql, tuple(sorted(options.items())))
    return [tree.copy() if tree is not None else None for tree in trees]


# The translator writes a whole statement once and drops its tree: no copy of the tree first, which is a quarter of its time.
_generate: Any = Dialect.generate


def _write_without_copy(self: Dialect, expression: Any, copy: bool = True, **options: Any) -> str:
    dropped = isinstance(self, DuckDB) and expression.parent is None
    return str(_generate(self, expression, copy=copy and not dropped, **options))


Dialect.parse = _parse_once
Dialect.generate = _write_without_copy
ddl.VersioningDDLRouter.parse = _parse_or_replace
CloneManager.create = _create_or_replace
DuckDBCatalogRepository.update_table = _update_with_columns
SnapshotManager.capture = _capture_on_demand

if __name__ == "__main__":
    raise SystemExit(main())
