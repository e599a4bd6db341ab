"""Where the embedded warehouse differs from BigQuery, and how each difference is put right.

These belong to the versions pinned in requirements-warehouse.txt, whose environment they run in.
"""

import re
import sys
from typing import Any

import sqlglot
from bqemulator.api.routes.tables import _field_to_rest
from bqemulator.catalog import ddl_sync
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.jobs import ddl_result, executor
from bqemulator.scripting import interpreter
from bqemulator.sql.rewriter import create_table_schema_ctas
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.storage.type_map import bq_schema_to_duckdb_columns
from bqemulator.versioning import ddl
from bqemulator.versioning.clone import CloneManager
from bqemulator.versioning.snapshots import SnapshotManager
from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator


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


# One ALTER TABLE changes several columns, all or none: DuckDB takes one change per statement.
_fetch_arrow = DuckDBEngine.fetch_arrow


def _fetch_arrow_of_alter(self: Any, sql: str, parameters: list[Any] | None = None) -> Any:
    actions = _alter_actions(sql)
    if len(actions) < 2:
        return _fetch_arrow(self, sql, parameters)
    *first, last = [_single_alter(sql, action) for action in actions]
    self.execute("BEGIN TRANSACTION")
    try:
        for statement in first:
            self.execute(statement)
        result = _fetch_arrow(self, last)
    except BaseException:
        self.execute("ROLLBACK")
        raise
    self.execute("COMMIT")
    return result


def _alter_actions(sql: str) -> list[exp.Expression]:
    """The changes of an ALTER TABLE in DuckDB's dialect; empty for any other statement."""
    if sql[:11].upper() != "ALTER TABLE":
        return []
    tree = sqlglot.parse_one(sql, read="duckdb")
    return list(tree.args["actions"]) if isinstance(tree, exp.Alter) else []


def _single_alter(sql: str, action: exp.Expression) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    tree.set("actions", [action.copy()])
    return str(tree.sql(dialect="duckdb"))


# The table's description follows an ALTER TABLE: left alone, it keeps the columns that the table was created with.
_sync_created_table = ddl_sync.sync_created_table


def _sync_table(sql: str, project_id: str, ctx: Any) -> None:
    _sync_created_table(sql, project_id, ctx)
    if not re.match(r"(?:\s|/\*.*?\*/|--[^\n]*\n)*alter\s+table\s", sql, re.IGNORECASE | re.DOTALL):
        return
    tree = sqlglot.parse_one(sql, read="bigquery")
    if not isinstance(tree, exp.Alter) or not isinstance(tree.this, exp.Table):
        return
    project, dataset, name = ddl_sync._split_target(tree.this, project_id)
    table = ctx.catalog.get_table(project, dataset, name)
    if table is None or table.table_type != "TABLE":
        return
    # What the statement leaves alone keeps its own description.
    altered = {action.this.name.lower() for action in tree.args["actions"] if isinstance(action, exp.AlterColumn)}
    known = {field.name.lower(): field for field in table.schema_.fields if field.name.lower() not in altered}
    found = ddl_sync._introspect_schema(project, dataset, name, ctx)
    schema = found.model_copy(update={"fields": tuple(known.get(field.name.lower(), field) for field in found.fields)})
    _update(ctx.catalog, table.model_copy(update={"schema_": schema, "last_modified_time": ctx.clock.now()}))


# CREATE TABLE t (columns) AS (query): left alone, the brackets hide the query whose columns get the declared types.
_first_select = create_table_schema_ctas._first_select


def _first_select_in_brackets(body: Any) -> Any:
    while isinstance(body, exp.Subquery):
        body = body.this
    return _first_select(body)


# A column's OPTIONS are no constraint: left alone, looking at them as one fails in a compiled sqlglot.
def _has_not_null_constraint(column: exp.ColumnDef) -> bool:
    constraints = [one.args.get("kind") for one in column.args.get("constraints") or () if isinstance(one, exp.ColumnConstraint)]
    return any(isinstance(kind, exp.NotNullColumnConstraint) for kind in constraints)


# A load of Parquet matches columns by name, whatever their order: left alone, by position.
def _load_parquet(path: str, target: str, ctx: Any) -> None:
    ctx.engine.execute(f"INSERT INTO {target} BY NAME SELECT * FROM read_parquet(?)", [path])  # noqa: S608 - a quoted name


def correct() -> None:
    """Put the differences right, in this process."""
    import pyarrow as pa

    # For every value that Python hands it, DuckDB looks whether the value is one of pandas'. This environment has no pandas, and
    # to find that out anew each time costs 75 microseconds: 15 s for the upper(…) of 100,000 rows. Now the answer is at hand.
    # pyarrow looks once, when it first hands out a timestamp, and would stumble over that answer: it looks before.
    pa.array([0], pa.timestamp("us")).to_pylist()
    sys.modules["pandas"] = None  # type: ignore[assignment]
    # A bare NUMERIC keeps nine decimals: left alone, it becomes DuckDB's DECIMAL(18, 3), and money silently loses digits.
    # Type → (parameters where none are given, their upper bounds). A setting, so that it also reaches a compiled sqlglot.
    DuckDBGenerator.TYPE_PARAM_SETTINGS[exp.DType.DECIMAL] = ((38, 9), ())
    ddl.VersioningDDLRouter.parse = _parse_or_replace
    CloneManager.create = _create_or_replace
    DuckDBCatalogRepository.update_table = _update_with_columns
    SnapshotManager.capture = _capture_on_demand
    DuckDBEngine.fetch_arrow = _fetch_arrow_of_alter
    executor.sync_created_table = interpreter.sync_created_table = _sync_table
    create_table_schema_ctas._first_select = _first_select_in_brackets
    ddl_result._has_not_null_constraint = _has_not_null_constraint
    executor._LOAD_FORMAT_HANDLERS["PARQUET"] = _load_parquet
