"""Corrects the embedded warehouse where it differs from BigQuery. Each comment says what it would do otherwise.

The corrections fit the versions pinned in requirements-warehouse.txt and run in that environment.
"""

import re
import sys
import threading
from typing import Any

import sqlglot
from bqemulator.api.routes.tables import _field_to_rest
from bqemulator.catalog import ddl_sync
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.jobs import ddl_result, executor
from bqemulator.scripting import interpreter
from bqemulator.sql import translator
from bqemulator.sql.rewriter import create_table_schema_ctas
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.storage.type_map import bq_schema_to_duckdb_columns
from bqemulator.versioning import ddl
from bqemulator.versioning.clone import CloneManager
from bqemulator.versioning.snapshots import SnapshotManager
from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator


# CREATE OR REPLACE TABLE … CLONE replaces the table. Without this, OR REPLACE is ignored and the error says that the table exists.
class _Replaced(str):
    """The name of a table that a clone may replace."""

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
    # The source is looked up first: without a source, BigQuery keeps the old table.
    replaces = isinstance(table, _Replaced) and catalog.get_table(*source) is not None
    if replaces and catalog.get_table(project, dataset, table) is not None:
        async with self._ctx.engine.write_lock():
            self._ctx.engine.execute(f'DROP TABLE IF EXISTS "{project}__{dataset}"."{table}"')
            catalog.delete_table(project, dataset, table)
    return await _create(self, project, dataset, str(table), *source)


# A schema change by the API changes the table. Without this, new columns appear in the table's metadata only.
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
    """Skip the full copy of a table at each change. The copies serve time travel, which nothing here uses."""
    return None if kind == "AUTO" else _capture(self, project_id, dataset_id, table_id, kind=kind)


# Rows are listed in a thread of their own, beside the statements of the main thread. Without a cursor of its own, each takes the other's result.
_connection = DuckDBEngine.connection.fget


def _connection_of_thread(self: Any) -> Any:
    connection = _connection(self)
    return connection if threading.current_thread() is threading.main_thread() else connection.cursor()


# One ALTER TABLE changes several columns, all or none. DuckDB accepts one change per statement.
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


# The table's metadata follows an ALTER TABLE. Without this, it keeps the columns with which the table was created.
_sync_created_table = ddl_sync.sync_created_table


def _sync_table(sql: str, project_id: str, ctx: Any) -> None:
    _sync_created_table(sql, project_id, ctx)
    if not re.match(r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|--[^\n]*\n)*+alter\s+table\s", sql, re.IGNORECASE | re.DOTALL):
        return
    tree = sqlglot.parse_one(sql, read="bigquery")
    if not isinstance(tree, exp.Alter) or not isinstance(tree.this, exp.Table):
        return
    project, dataset, name = ddl_sync._split_target(tree.this, project_id)
    table = ctx.catalog.get_table(project, dataset, name)
    if table is None or table.table_type != "TABLE":
        return
    actions = tree.args["actions"]
    if isinstance(actions[0], exp.AlterRename):
        ctx.catalog.delete_table(project, dataset, name)
        ctx.catalog.create_table(table.model_copy(update={"table_id": actions[0].this.name}))
        return
    # Columns that the statement does not alter keep their metadata.
    altered = {action.this.name.lower() for action in actions if isinstance(action, exp.AlterColumn)}
    known = {field.name.lower(): field for field in table.schema_.fields if field.name.lower() not in altered}
    for action in actions:
        if isinstance(action, exp.RenameColumn):
            new = action.args["to"].name
            known[new.lower()] = known[action.this.name.lower()].model_copy(update={"name": new})
    found = ddl_sync._introspect_schema(project, dataset, name, ctx)
    schema = found.model_copy(update={"fields": tuple(known.get(field.name.lower(), field) for field in found.fields)})
    _update(ctx.catalog, table.model_copy(update={"schema_": schema, "last_modified_time": ctx.clock.now()}))


# CREATE TABLE t (columns) AS (query). Without this, the brackets hide the query, and its columns do not get the declared types.
_first_select = create_table_schema_ctas._first_select


def _first_select_in_brackets(body: Any) -> Any:
    while isinstance(body, exp.Subquery):
        body = body.this
    return _first_select(body)


# A column's OPTIONS are not a constraint. Without this, treating them as one fails in a compiled sqlglot.
def _has_not_null_constraint(column: exp.ColumnDef) -> bool:
    constraints = [one.args.get("kind") for one in column.args.get("constraints") or () if isinstance(one, exp.ColumnConstraint)]
    return any(isinstance(kind, exp.NotNullColumnConstraint) for kind in constraints)


# A load of Parquet matches columns by name, in any order. Without this, it matches them by position.
def _load_parquet(path: str, target: str, ctx: Any) -> None:
    ctx.engine.execute(f"INSERT INTO {target} BY NAME SELECT * FROM read_parquet(?)", [path])  # noqa: S608 - a quoted name


#: A comment, a text or a quoted name, or a bare number with a decimal point.
_DECIMAL = re.compile(
    r"""--[^\n]*|\#[^\n]*|/\*.*?\*/
    |\'\'\'(?:\\.|.)*?\'\'\'|"""
    r'''"""(?:\\.|.)*?"""|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`
    |(?<![A-Za-z0-9_.])(?P<number>\d+\.\d+)(?![A-Za-z0-9_.])''',
    re.DOTALL | re.VERBOSE,
)


def _float_literals(sql: str) -> str:
    """The statement with each bare decimal number as a FLOAT64, as BigQuery reads it. The emulator takes an apostrophe in a comment for a text."""
    return _DECIMAL.sub(lambda found: f"{found[0]}e0" if found["number"] else found[0], sql)


def correct() -> None:
    """Switch the corrections on, in this process."""
    import pyarrow as pa

    # DuckDB checks every value from Python for a pandas type. This environment has no pandas, and each failed import takes
    # 75 microseconds: 15 s for the upper(…) of 100,000 rows. The None in sys.modules makes the import fail at once.
    # pyarrow looks for pandas once, at its first timestamp, and fails if it finds the None. So it looks before.
    pa.array([0], pa.timestamp("us")).to_pylist()
    sys.modules["pandas"] = None  # type: ignore[assignment]
    # A bare NUMERIC keeps nine decimals. Without this, it becomes DuckDB's DECIMAL(18, 3), and amounts silently lose digits.
    # Type → (default parameters, their upper bounds). This is a setting, so it also works with a compiled sqlglot.
    DuckDBGenerator.TYPE_PARAM_SETTINGS[exp.DType.DECIMAL] = ((38, 9), ())
    ddl.VersioningDDLRouter.parse = _parse_or_replace
    CloneManager.create = _create_or_replace
    DuckDBCatalogRepository.update_table = _update_with_columns
    SnapshotManager.capture = _capture_on_demand
    DuckDBEngine.connection = property(_connection_of_thread)
    DuckDBEngine.fetch_arrow = _fetch_arrow_of_alter
    executor.sync_created_table = interpreter.sync_created_table = _sync_table
    create_table_schema_ctas._first_select = _first_select_in_brackets
    ddl_result._has_not_null_constraint = _has_not_null_constraint
    executor._LOAD_FORMAT_HANDLERS["PARQUET"] = _load_parquet
    translator.rewrite_decimal_literals = _float_literals
