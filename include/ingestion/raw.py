# ruff: noqa: S608 - SQL contains only names that the source YAMLs declare, never data.
"""The raw dataset of a source: its declared tables, which are created before rows are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.contract import ColumnType
from include.ingestion.conform import VARIANT_SUFFIX, loaded_type
from include.sources.dbt_sources import METADATA_COLUMNS, WAREHOUSE_TYPES
from include.sources.schema import Source, Table
from include.warehouse import execute, rows

if TYPE_CHECKING:
    import pyarrow as pa
    from google.cloud.bigquery import Client, SchemaField
    from google.cloud.bigquery import Table as WarehouseTable

#: BigQuery allows at most this many clustering columns.
MAX_CLUSTERING = 4
#: Table of the files that were read, and table of the keys for the last comparison. dlt's own tables begin with `_dlt`.
FILES_TABLE = "_files"
KEYS_TABLE = "_source_keys"

_COLUMN_TYPES: dict[str, ColumnType] = {
    "STRING": "string",
    "INTEGER": "integer",
    "INT64": "integer",
    "NUMERIC": "decimal",
    "BIGNUMERIC": "decimal",
    "FLOAT": "float",
    "FLOAT64": "float",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "TIMESTAMP": "timestamp",
    "DATE": "date",
}


class RawTables:
    """The raw tables of one source in the warehouse.

    Attributes:
        present: tables that the dataset held before, including dlt's own.
        empty: tables that were just created and hold no rows.
        conflicts: table → why its declared columns do not match the warehouse.
    """

    def __init__(self, source: Source, client: Client) -> None:
        self._source = source
        self._client = client
        self._columns: dict[str, dict[str, ColumnType]] = {}
        self.present: set[str] = set()
        self.empty: set[str] = set()
        self.conflicts: dict[str, str] = {}

    def ensure(self) -> None:
        """Create the dataset and its missing tables, and add missing declared columns."""
        from google.cloud import bigquery

        dataset = bigquery.Dataset(f"{self._client.project}.{self._source.dataset}")
        dataset.location = self._client.location
        dataset.description = f"Rows as loaded from the source {self._source.name}, append-only."
        self._client.create_dataset(dataset, exists_ok=True)
        self.present = {item.table_id for item in self._client.list_tables(dataset.reference)}
        for table in self._source.tables.values():
            self._ensure_table(table, table.name in self.present)
        for name, schema in _OWN_TABLES.items():
            if name not in self.present:
                self._create(name, _fields(schema), "_loaded_at", [], f"{name} of {self._source.name}")
            else:
                self._completed(name, _fields(schema))

    def _ensure_table(self, table: Table, exists: bool) -> None:
        from google.cloud import bigquery

        wanted = _fields({name: WAREHOUSE_TYPES[column.type] for name, column in table.columns.items()}, table)
        wanted += _fields({name: kind for name, (kind, _) in METADATA_COLUMNS.items()})
        if not exists:
            self.empty.add(table.name)
            found = self._create(table.name, wanted, "_loaded_at", list(table.primary_key[:MAX_CLUSTERING]), table.description)
        else:
            found = self._completed(table.name, wanted)
        self._columns[table.name] = {
            field.name: _COLUMN_TYPES.get(field.field_type, "string")
            for field in found.schema
            if isinstance(field, bigquery.SchemaField)
        }
        self._compare(table)

    def _completed(self, table_name: str, wanted: list[SchemaField]) -> WarehouseTable:
        """A table that exists, after the columns that it lacks were added."""
        found = self._client.get_table(f"{self._client.project}.{self._source.dataset}.{table_name}")
        known = {field.name for field in found.schema}
        missing = {field.name: field.field_type for field in wanted if field.name not in known}
        return self._add_columns(table_name, missing) if missing else found

    def _create(
        self, name: str, schema: list[SchemaField], partition: str, clustering: list[str], description: str
    ) -> WarehouseTable:
        from google.cloud import bigquery

        new = bigquery.Table(f"{self._client.project}.{self._source.dataset}.{name}", schema=schema)
        new.time_partitioning = bigquery.TimePartitioning(field=partition)
        new.clustering_fields = clustering or None
        new.description = description
        return self._client.create_table(new, exists_ok=True)

    def _compare(self, table: Table) -> None:
        """Report a declared type that differs from the type in the warehouse, before the load fails because of it."""
        for name, column in table.columns.items():
            stored = self._columns[table.name].get(name)
            wanted = _COLUMN_TYPES[WAREHOUSE_TYPES[column.type]]
            if stored is not None and stored != wanted:
                self.conflicts[table.name] = (
                    f"column {name} is declared as {column.type}, but {self._source.dataset}.{table.name} holds it as {stored}: "
                    f"declare it under another name (source_name: {column.source_name or name}), or drop the raw table"
                )

    def extend(self, table: Table, rows: pa.Schema) -> None:
        """Add the columns of `rows` that the raw table does not have."""
        columns = self._columns[table.name]
        new = {field.name: loaded_type(field.type) for field in rows if field.name not in columns}
        if new:
            self._add_columns(table.name, {name: WAREHOUSE_TYPES[kind] for name, kind in new.items()})
            columns.update(new)

    def _add_columns(self, table_name: str, columns: dict[str, str]) -> WarehouseTable:
        """Add missing columns as nullable in one statement; returns the changed table."""
        qualified = f"{self._source.dataset}.{table_name}"
        new = ", ".join(f"add column if not exists `{name}` {kind}" for name, kind in columns.items())
        execute(f"alter table {qualified} {new}", client=self._client)
        return self._client.get_table(f"{self._client.project}.{qualified}")

    def files_seen(self) -> dict[str, dict[str, str]]:
        """Table → path → checksum of each file, as last read by a completed load."""
        if self._source.reader.type != "files" or not {FILES_TABLE, "_dlt_loads"} <= self.present:
            return {}
        dataset = self._source.dataset
        sql = (
            f"select table_name, path, checksum from {dataset}.{FILES_TABLE} "
            f"where _dlt_load_id in (select load_id from {dataset}._dlt_loads where status = 0) "
            "qualify row_number() over (partition by table_name, path order by _loaded_at desc) = 1"
        )
        seen: dict[str, dict[str, str]] = {}
        for row in rows(sql, client=self._client):
            seen.setdefault(row["table_name"], {})[row["path"]] = row["checksum"]
        return seen

    def undeclared(self, table: Table) -> dict[str, ColumnType]:
        """The undeclared columns of the raw table, and their types."""
        columns = self._columns.get(table.name, {})
        return {
            name: kind
            for name, kind in columns.items()
            if name not in table.columns and name not in METADATA_COLUMNS and not name.endswith(VARIANT_SUFFIX)
        }


_OWN_TABLES = {
    FILES_TABLE: {
        "table_name": "STRING",
        "path": "STRING",
        "checksum": "STRING",
        "size_bytes": "INT64",
        "modified_at": "TIMESTAMP",
        "_batch_id": "STRING",
        "_loaded_at": "TIMESTAMP",
        "_dlt_load_id": "STRING",
    },
    KEYS_TABLE: {"table_name": "STRING", "row_key": "STRING", "is_read": "BOOL", "_loaded_at": "TIMESTAMP"},
}


def _fields(columns: dict[str, str], table: Table | None = None) -> list[SchemaField]:
    from google.cloud import bigquery

    fields = []
    for name, kind in columns.items():
        description: str | None = METADATA_COLUMNS[name][1] if name in METADATA_COLUMNS else None
        if table is not None:
            description = table.columns[name].description
        fields.append(bigquery.SchemaField(name, kind, mode="NULLABLE", description=description))
    return fields
