"""The CRM: syncs the schema `crm` of a PostgreSQL database with a company's CRM tables."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql

from include.demo.company import Company
from include.demo.csv_out import csv_text
from include.demo.schema import TABLES, Table, Type, tables_of

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "crm"
_TYPES: dict[Type, str] = {
    "string": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "float": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamp with time zone",
    "date": "date",
    "time": "time",
    "json": "jsonb",
}


@dataclass(frozen=True)
class Synced:
    """The number of rows that a sync changed, over all tables."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def sync(company: Company, url: str) -> Synced:
    """Sync the schema `crm` with this company in one transaction. Equal rows are not changed.

    Primary keys are declared. Foreign keys are not, because orphans exist. Extra columns of the company are text. Columns
    that the company no longer has are dropped.

    Raises:
        OSError: the database cannot be reached or refuses a statement. The message gives the reason.
    """
    try:
        connection = psycopg2.connect(url)
        try:
            with connection, connection.cursor() as cursor:
                _Runner(cursor, schema=sql.Identifier(SCHEMA))("create schema if not exists {schema}")
                cursor.execute("set local timezone = 'UTC'")
                changes = [_sync_table(cursor, table, company.tables[table.name]) for table in tables_of("crm")]
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise OSError(f"The CRM database failed: {str(error).strip()}") from error
    return Synced(*(sum(change[part] for change in changes) for part in range(3)))


def _sync_table(cursor: Any, table: Table, rows: pa.Table) -> tuple[int, int, int]:
    """Sync one table. Returns the number of inserted, updated and deleted rows."""
    columns = list(rows.column_names)
    _shape(cursor, table, columns)
    others = [column for column in columns if column not in table.key]
    run = _Runner(
        cursor,
        name=sql.Identifier(SCHEMA, table.name),
        columns=_listed(columns),
        key=_listed(table.key),
        same_key=sql.SQL(" and ").join(sql.SQL("old.{0} = new.{0}").format(sql.Identifier(column)) for column in table.key),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(sql.Identifier(column)) for column in others),
        old=_listed(others, "old"),
        new=_listed(others, "new"),
    )
    run("create temporary table incoming on commit drop as select {columns} from {name} with no data")
    # In the CSV an empty unquoted field is NULL. Empty texts do not occur.
    content = io.StringIO(csv_text(rows), newline="")
    copy = sql.SQL("copy incoming ({columns}) from stdin with (format csv, header true)").format(columns=_listed(columns))
    cursor.copy_expert(copy, content)
    run("create index on incoming ({key})")
    run("analyze incoming")
    deleted = run("delete from {name} old where not exists (select from incoming new where {same_key})")
    updated = run("update {name} old set {assignments} from incoming new where {same_key} and ({old}) is distinct from ({new})")
    inserted = run(
        "insert into {name} ({columns}) select {columns} from incoming new"
        " where not exists (select from {name} old where {same_key})"
    )
    run("drop table incoming")
    if inserted or deleted or updated:
        run("analyze {name}")
    return inserted, updated, deleted


class _Runner:
    """Runs statements, with {names} filled in as safe SQL. A call returns the number of affected rows."""

    def __init__(self, cursor: Any, **parts: sql.Composable) -> None:
        self.cursor = cursor
        self.parts = parts

    def __call__(self, statement: str) -> int:
        self.cursor.execute(sql.SQL(statement).format(**self.parts))
        return int(self.cursor.rowcount)


def _listed(columns: Iterable[str], prefix: str | None = None) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(*([prefix] if prefix else []), column) for column in columns)


def _shape(cursor: Any, table: Table, columns: list[str]) -> None:
    """Create the table, or adapt the columns of an existing table to this company."""
    name = sql.Identifier(SCHEMA, table.name)
    types = {column: sql.SQL(_column_type(table, column)) for column in columns}
    declared = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(column), types[column]) for column in columns)
    run = _Runner(cursor, name=name, declared=declared, key=_listed(table.key), index=sql.Identifier(f"{table.name}_changed"))
    run("create table if not exists {name} ({declared}, primary key ({key}))")
    run("create index if not exists {index} on {name} (updated_at)")
    cursor.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
        (SCHEMA, table.name),
    )
    present = {row[0] for row in cursor.fetchall()}
    for column in sorted(present - set(columns)):
        cursor.execute(sql.SQL("alter table {} drop column {}").format(name, sql.Identifier(column)))
    for column in columns:
        if column not in present:
            added = sql.SQL("alter table {} add column {} {}").format(name, sql.Identifier(column), types[column])
            cursor.execute(added)
        elif "not null" not in types[column].as_string(cursor):
            cursor.execute(sql.SQL("alter table {} alter column {} drop not null").format(name, sql.Identifier(column)))


def _column_type(table: Table, column: str) -> str:
    declared = TABLES[table.name].by_name.get(column)
    if declared is None:
        return "text"
    return _TYPES[declared.type] + (" not null" if declared.required else "")
