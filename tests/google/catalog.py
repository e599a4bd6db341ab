"""The datasets, tables, views and columns of a project at one moment, without rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as options
from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2 as catalogs

from tests.google.types import Column


@dataclass
class Relation:
    """A table or a view.

    Attributes:
        scans: tables that reading it scans, with views and CTEs expanded; 1 for a table.
        depth: how deep views are nested; 0 for a table.
        sql: the query of a view.
        query: the resolved query of a view, with its `output_column_list`.
        facts: everything else in the REST API's resource: partitioning, clustering, labels, description.
    """

    dataset: str
    name: str
    columns: tuple[Column, ...]
    kind: str = "TABLE"
    sql: str = ""
    scans: int = 1
    depth: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    query: Message | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.dataset, self.name

    def clone_as(self, dataset: str, name: str) -> Relation:
        return replace(self, dataset=dataset, name=name, facts=dict(self.facts))


class Missing(LookupError):
    """A dataset or table that does not exist."""


class Project:
    """The datasets of one project with their tables and views."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.datasets: dict[str, dict[str, Any]] = {}
        self.relations: dict[tuple[str, str], Relation] = {}

    def find(self, path: Sequence[str]) -> Relation:
        """The relation that a statement refers to as `path`: table, dataset and project, in any quoting.

        Raises:
            Missing: it does not exist.
        """
        parts = [part for segment in path for part in segment.split(".")]
        upper = [part.upper() for part in parts]
        if "INFORMATION_SCHEMA" in upper:
            place = upper.index("INFORMATION_SCHEMA")
            return _information_schema(parts[place - 1] if place else "", upper[place + 1])
        if len(parts) == 3 and parts[0] != self.name:
            raise Missing(f"Project {parts[0]} is not {self.name}")
        found = self.relations.get((parts[-2], parts[-1])) if len(parts) > 1 else None
        if found is None:
            raise Missing(f"Not found: Table {self.name}:{'.'.join(parts[-2:])}")
        return found

    def put(self, relation: Relation) -> None:
        if relation.dataset not in self.datasets:
            raise Missing(f"Not found: Dataset {self.name}:{relation.dataset}")
        self.relations[relation.key] = relation

    def information(self, dataset: str, view: str) -> list[dict[str, str | int]]:
        """The rows of `dataset.INFORMATION_SCHEMA.<view>`; none for views other than COLUMNS and TABLES."""
        rows: list[dict[str, str | int]] = []
        for relation in self.of_dataset(dataset):
            named = {"table_catalog": self.name, "table_schema": dataset, "table_name": relation.name}
            if view == "TABLES":
                rows.append(named | {"table_type": "VIEW" if relation.kind == "VIEW" else "BASE TABLE"})
            elif view == "COLUMNS":
                rows += [
                    named
                    | {
                        "column_name": column.name,
                        "ordinal_position": place,
                        "data_type": column.sql,
                        "is_nullable": _nullable(column),
                    }
                    for place, column in enumerate(relation.columns, 1)
                ]
        return rows

    def of_dataset(self, dataset: str) -> list[Relation]:
        return [relation for key, relation in sorted(self.relations.items()) if key[0] == dataset]


def _nullable(column: Column) -> str:
    return "NO" if column.mode == "REQUIRED" else "YES"


def simple_catalog(
    tables: Iterable[tuple[Sequence[str], Sequence[Column]]], language: options.LanguageOptionsProto
) -> catalogs.SimpleCatalogProto:
    """The analyzer's catalog of BigQuery's functions and some tables, each under the path that the statement uses."""
    root = catalogs.SimpleCatalogProto(name="project")
    root.builtin_function_options.language_options.CopyFrom(language)
    nested: dict[tuple[str, ...], catalogs.SimpleCatalogProto] = {(): root}
    for path, columns in tables:
        for depth in range(1, len(path)):
            if tuple(path[:depth]) not in nested:
                nested[tuple(path[:depth])] = nested[tuple(path[: depth - 1])].catalog.add(name=path[depth - 1])
        table = nested[tuple(path[:-1])].table.add(name=path[-1], full_name=".".join(path))
        for column in columns:
            made = table.column.add(name=column.name, is_writable_column=True)
            made.type.CopyFrom(column.proto)
        table.serialization_id = sum(len(each.table) for each in nested.values())
    _extremes_by(root)
    return root


def _extremes_by(root: catalogs.SimpleCatalogProto) -> None:
    """BigQuery's MIN_BY and MAX_BY, which this version of the analyzer does not know."""
    from zetasql.wasi._pb2.zetasql.public import function_pb2 as functions

    for name in ("min_by", "max_by"):
        function = root.custom_function.add(name_path=[name], group="platform", mode=functions.FunctionEnums.AGGREGATE)
        signature = function.signature.add(context_id=-1)
        signature.argument.add(kind=functions.ARG_TYPE_ANY_1, num_occurrences=1)
        signature.argument.add(kind=functions.ARG_TYPE_ANY_2, num_occurrences=1)
        signature.return_type.kind = functions.ARG_TYPE_ANY_1
        signature.return_type.num_occurrences = 1


_INFORMATION_SCHEMA = {
    "COLUMNS": (
        "table_catalog STRING, table_schema STRING, table_name STRING, column_name STRING, ordinal_position INT64, is_nullable STRING, "
        "data_type STRING, is_partitioning_column STRING, clustering_ordinal_position INT64"
    ),
    "TABLES": (
        "table_catalog STRING, table_schema STRING, table_name STRING, table_type STRING, creation_time TIMESTAMP, ddl STRING"
    ),
    "VIEWS": "table_catalog STRING, table_schema STRING, table_name STRING, view_definition STRING",
    "SCHEMATA": "catalog_name STRING, schema_name STRING, creation_time TIMESTAMP, location STRING",
    "PARTITIONS": (
        "table_catalog STRING, table_schema STRING, table_name STRING, partition_id STRING, total_rows INT64, "
        "total_logical_bytes INT64, last_modified_time TIMESTAMP"
    ),
    "TABLE_STORAGE": (
        "project_id STRING, table_schema STRING, table_name STRING, total_rows INT64, total_partitions INT64, total_logical_bytes INT64, "
        "active_logical_bytes INT64, long_term_logical_bytes INT64, total_physical_bytes INT64, storage_last_modified_time TIMESTAMP"
    ),
    "JOBS": (
        "creation_time TIMESTAMP, project_id STRING, job_id STRING, job_type STRING, statement_type STRING, query STRING, state STRING, "
        "total_bytes_processed INT64, total_bytes_billed INT64, user_email STRING"
    ),
}
_INFORMATION_SCHEMA["JOBS_BY_PROJECT"] = _INFORMATION_SCHEMA["JOBS"]


def _information_schema(dataset: str, view: str) -> Relation:
    try:
        text = _INFORMATION_SCHEMA[view]
    except KeyError:
        raise Missing(f"Not found: INFORMATION_SCHEMA.{view}") from None
    columns = tuple(Column(*item.split()) for item in text.split(", "))
    return Relation("INFORMATION_SCHEMA", f"{dataset}.{view}", columns, kind="VIEW")
