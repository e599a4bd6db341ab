"""Applies a statement to the project: the tables and views that it creates, alters or drops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_ast_enums_pb2 as enums

from tests.google import tree
from tests.google.catalog import Missing, Project, Relation
from tests.google.engine import Refused
from tests.google.types import Column, of_proto

if TYPE_CHECKING:
    from tests.google.judge import Judged

_CREATE = enums.ResolvedCreateStatementEnums
_CHANGES_ROWS = frozenset(f"Resolved{statement}StmtProto" for statement in ("Insert", "Merge", "Update", "Delete", "Truncate"))


def apply(project: Project, judged: Judged) -> None:
    """Apply the statement to the project.

    Raises:
        Missing: a dataset or table that it needs does not exist.
        Refused: BigQuery refuses it in this state of the project.
    """
    node = judged.tree
    handler = _HANDLERS.get(node.DESCRIPTOR.name)
    if handler is not None:
        handler(project, judged, node)
        return
    if node.DESCRIPTOR.name in _CHANGES_ROWS:
        judged.target = project.find(node.table_scan.table.full_name.split(".")).key


def _create_table(project: Project, judged: Judged, node: Message) -> None:
    source = node.clone_from if node.HasField("clone_from") else node.copy_from if node.HasField("copy_from") else None
    if source is not None:
        relation = _clone(project, node, source)
    else:
        columns = [_defined(definition) for definition in node.parent.column_definition_list]
        relation = _table(node, columns)
    _put(project, judged, node, relation)


def _clone(project: Project, node: Message, source: Message) -> Relation:
    scan = next(tree.below(source, "ResolvedTableScanProto"))
    original = project.find(scan.table.full_name.split("."))
    if original.kind != "TABLE":
        raise Refused(f"{original.dataset}.{original.name} is not a table, so it cannot be cloned")
    return original.clone_as(*_path(node))


def _create_table_as(project: Project, judged: Judged, node: Message) -> None:
    columns = [_defined(definition) for definition in node.parent.column_definition_list]
    _put(project, judged, node, _table(node, columns))


def _table(node: Message, columns: Sequence[Column]) -> Relation:
    facts: dict[str, Any] = _options(node.parent.option_list)
    for expression in node.partition_by_list:
        facts["timePartitioning"] = _partitioning(expression)
    if node.cluster_by_list:
        facts["clustering"] = {"fields": [_only_column(expression) for expression in node.cluster_by_list]}
    return Relation(*_path(node), tuple(columns), facts=facts)


def _create_view(project: Project, judged: Judged, node: Message) -> None:
    base = node.parent
    described = {definition.name: _defined(definition).description for definition in base.column_definition_list}
    columns = tuple(
        replace(of_proto(column.name, column.column.type), description=described.get(column.name, ""))
        for column in base.output_column_list
    )
    dataset, name = _path(node)
    facts = _options(base.option_list)
    relation = Relation(dataset, name, columns, "VIEW", base.sql, judged.scans, judged.depth + 1, facts, query=base)
    _put(project, judged, node, relation)


def _put(project: Project, judged: Judged, node: Message, relation: Relation) -> None:
    judged.target = relation.key
    judged.partitioned_by = relation.facts.get("timePartitioning", {}).get("type")
    mode = tree.ancestor(node, "create_mode")
    present = project.relations.get(relation.key)
    if present is not None:
        if mode == _CREATE.CREATE_IF_NOT_EXISTS:
            return
        if mode != _CREATE.CREATE_OR_REPLACE:
            raise Refused(f"Already Exists: Table {project.name}:{relation.dataset}.{relation.name}")
        if present.kind != relation.kind:
            raise Refused(
                f"{relation.dataset}.{relation.name} is a {present.kind}, which CREATE OR REPLACE {relation.kind} cannot replace"
            )
        if relation.kind == "TABLE" and present.facts.get("timePartitioning") != relation.facts.get("timePartitioning"):
            raise Refused(
                f"Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate it: "
                f"{relation.dataset}.{relation.name}"
            )
    project.put(relation)


def _create_schema(project: Project, judged: Judged, node: Message) -> None:
    name = list(tree.ancestor(node, "name_path"))[-1].split(".")[-1]
    project.datasets.setdefault(name, {})


def _drop(project: Project, judged: Judged, node: Message) -> None:
    parts = [part for segment in node.name_path for part in segment.split(".")]
    if node.object_type == "SCHEMA":
        project.datasets.pop(parts[-1], None)
        for key in [key for key in project.relations if key[0] == parts[-1]]:
            del project.relations[key]
        return
    judged.target = (parts[-2], parts[-1])
    present = project.relations.get(judged.target)
    if present is None:
        if not node.is_if_exists:
            raise Missing(f"Not found: Table {project.name}:{parts[-2]}.{parts[-1]}")
        return
    if present.kind != node.object_type:
        raise Refused(f"{parts[-2]}.{parts[-1]} is a {present.kind}, not a {node.object_type}")
    del project.relations[judged.target]


def _alter_table(project: Project, judged: Judged, node: Message) -> None:
    base = node.parent
    relation = project.find(list(base.name_path))
    judged.target = relation.key
    columns = list(relation.columns)
    for wrapper in base.alter_action_list:
        action = tree.inner(wrapper)
        kind = action.DESCRIPTOR.name
        if kind == "ResolvedAddColumnActionProto":
            column = _defined(action.column_definition)
            if column.name.lower() not in {present.name.lower() for present in columns}:
                columns.append(column)
        elif kind == "ResolvedDropColumnActionProto":
            columns = [column for column in columns if column.name.lower() != action.name.lower()]
        elif kind == "ResolvedRenameColumnActionProto":
            columns = [replace(c, name=action.new_name) if c.name.lower() == action.name.lower() else c for c in columns]
        elif kind == "ResolvedRenameToActionProto":
            name = action.new_path[-1]
            if project.relations.get((relation.dataset, name)) is not None:
                raise Refused(f"Already Exists: Table {project.name}:{relation.dataset}.{name}")
            del project.relations[relation.key]
            relation = replace(relation, name=name)
        elif kind == "ResolvedSetOptionsActionProto":
            relation.facts.update(_options(action.option_list))
    project.put(replace(relation, columns=tuple(columns)))


def _defined(definition: Message) -> Column:
    """A column as CREATE TABLE or ADD COLUMN defines it."""
    annotations = definition.annotations
    texts = _options(annotations.option_list)
    column = of_proto(definition.name, definition.type, "REQUIRED" if annotations.not_null else "NULLABLE")
    return replace(column, description=texts.get("description", ""))


def _path(node: Message) -> tuple[str, str]:
    parts = [part for segment in tree.ancestor(node, "name_path") for part in segment.split(".")]
    if len(parts) < 2:
        raise Refused(f'Table "{parts[-1]}" must be qualified with a dataset (e.g. dataset.table)')
    return parts[-2], parts[-1]


def _options(listed: Iterable[Message]) -> dict[str, Any]:
    """The options of a table or column that the REST API returns: description and labels."""
    known: dict[str, Any] = {}
    for option in listed:
        literal = tree.inner(option.value)
        if option.name == "description" and literal.DESCRIPTOR.name == "ResolvedLiteralProto":
            known["description"] = literal.value.value.string_value
        elif option.name == "labels":
            texts = [
                item.string_value
                for item in tree.walk(option.value)
                if item.DESCRIPTOR.name == "ValueProto" and item.HasField("string_value")
            ]
            known["labels"] = dict(zip(texts[::2], texts[1::2], strict=False))
    return known


def _partitioning(expression: Message) -> dict[str, str]:
    """The REST API's `timePartitioning` of a PARTITION BY expression."""
    node = tree.inner(expression)
    granularity = "DAY"
    for value in tree.below(expression, "ValueProto"):
        if value.HasField("enum_value"):
            granularity = {3: "DAY", 2: "MONTH", 1: "YEAR", 4: "HOUR", 5: "HOUR"}.get(value.enum_value, "DAY")
    return {"type": granularity, "field": _only_column(node)}


def _only_column(expression: Message) -> str:
    return str(next(tree.below(expression, "ResolvedColumnRefProto")).column.name)


_HANDLERS = {
    "ResolvedCreateTableStmtProto": _create_table,
    "ResolvedCreateTableAsSelectStmtProto": _create_table_as,
    "ResolvedCreateViewStmtProto": _create_view,
    "ResolvedCreateSchemaStmtProto": _create_schema,
    "ResolvedDropStmtProto": _drop,
    "ResolvedAlterTableStmtProto": _alter_table,
}
