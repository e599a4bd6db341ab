"""Checks statements as BigQuery would: by Google's analyzer and the planner's rules. Then it applies them to the project."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import parse_resume_location_pb2 as locations
from zetasql.wasi._pb2.zetasql.public import type_pb2 as types

from tests.google import tree
from tests.google.catalog import Missing, Project, Relation, simple_catalog
from tests.google.effects import apply
from tests.google.engine import Engine, Refused, service
from tests.google.language import language
from tests.google.reads import Read, reads
from tests.google.script import is_script, pieces
from tests.google.types import Column, of_proto

Parameters = Sequence[tuple[str, types.TypeProto]]

#: The number of catalogs that the module keeps for further statements on the same tables.
_KEPT_CATALOGS = 64


@dataclass(frozen=True)
class Finding:
    """A statement that the analyzer accepts, but BigQuery's planner, its quotas or our own limits do not."""

    rule: str
    message: str


@dataclass
class Judged:
    """The result of checking one statement.

    Attributes:
        kind: BigQuery's `statementType`, such as `SELECT` or `CREATE_TABLE_AS_SELECT`.
        columns: the columns that a query returns.
        scans: tables scanned, with views and CTEs expanded.
        depth: how deep its views are nested.
        reads: table or view → the columns that are read.
        billed: stored table → the read that BigQuery bills, with views expanded.
        partitioned_by: the granularity of the partitions of the table that it creates: `DAY`, `MONTH`, …
        target: the relation that it creates, changes or drops.
        one_row: the query returns exactly one row even if all tables are empty.
    """

    sql: str
    kind: str
    tree: Message
    columns: tuple[Column, ...] = ()
    scans: int = 0
    depth: int = 0
    reads: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    billed: dict[tuple[str, str], Read] = field(default_factory=dict)
    target: tuple[str, str] | None = None
    partitioned_by: str | None = None
    one_row: bool = False
    findings: list[Finding] = field(default_factory=list)


class Judge:
    """Checks statements in order. Each one sees the changes of those before it."""

    def __init__(self, engine: Engine, project: Project) -> None:
        self._engine = engine
        self.project = project
        self._language = language()
        self._catalogs: OrderedDict[tuple[Any, ...], int] = OrderedDict()
        self._answers: dict[tuple[Any, ...], bytes] = {}

    def judge(
        self, sql: str, parameters: Parameters = (), dry_run: bool = False, values: Mapping[str, str] | None = None
    ) -> list[Judged]:
        """Analyze one or several statements separated by semicolons, and apply them to the project.

        Args:
            sql: the text.
            parameters: name and type of its query parameters; positional ones have no name.
            dry_run: change nothing.
            values: name → value of the parameters, to find the partitions that they select.

        Raises:
            Refused: BigQuery refuses it, with the line and column.
        """
        # A leading comment, such as dbt's, is blanked out, so that equal statements share one answer. Positions stay the same.
        sql = re.sub(r"\A\s*/\*.*?\*/", lambda comment: re.sub(r"\S", " ", comment[0]), sql, flags=re.DOTALL)
        if is_script(sql):
            return self._judge_script(sql, parameters, dry_run, values)
        judged, position, data = [], 0, sql.encode()
        while data[position:].strip(b" \t\r\n;"):
            try:
                item, position = self._next(sql, position, parameters)
                item.billed = {} if dry_run else reads(self.project, item.tree, values)
                if not dry_run:
                    apply(self.project, item)
            except Missing as error:
                raise Refused(str(error)) from error
            judged.append(item)
        if not judged:
            raise Refused("Syntax error: Unexpected end of statement")
        return judged

    def _judge_script(self, sql: str, parameters: Parameters, dry_run: bool, values: Mapping[str, str] | None) -> list[Judged]:
        judged, known = [], list(parameters)
        for piece in pieces(self._engine, sql, self._language):
            if piece.declares:
                name, kind = piece.declares
                known.append((name, Column(name, kind).proto))
            else:
                judged += self.judge(piece.sql, known, dry_run or piece.conditional, values)
        return judged

    def _next(self, sql: str, position: int, parameters: Parameters) -> tuple[Judged, int]:
        location = locations.ParseResumeLocationProto(input=sql, byte_position=position, allow_resume=True)
        paths = self._paths(location, sql.encode()[position:].decode())
        relations = {".".join(path): self.project.find(path) for path in paths}
        answer = self._analyzed(location, paths, relations, parameters)
        end = answer.resume_byte_position
        return _described(sql.encode()[position:end].decode().strip(), answer.resolved_statement, relations), end

    def _analyzed(
        self,
        location: locations.ParseResumeLocationProto,
        paths: Sequence[tuple[str, ...]],
        relations: Mapping[str, Relation],
        parameters: Parameters,
    ) -> service.AnalyzeResponse:
        """The analyzer's answer, cached per statement and tables."""
        tables = tuple((path, relations[".".join(path)].columns) for path in paths)
        given = tuple((name, kind.SerializeToString()) for name, kind in parameters)
        key = (location.input, location.byte_position, tables, given)
        known = self._answers.get(key)
        if known is not None:
            return service.AnalyzeResponse.FromString(known)
        request = service.AnalyzeRequest(registered_catalog_id=self._catalog(tables), parse_resume_location=location)
        request.options.language_options.CopyFrom(self._language)
        request.options.error_message_mode = public.ERROR_MESSAGE_ONE_LINE
        request.options.prune_unused_columns = True
        for name, kind in parameters:
            if name:
                request.options.query_parameters.add(name=name.lower()).type.CopyFrom(kind)
            else:
                request.options.parameter_mode = public.PARAMETER_POSITIONAL
                request.options.positional_query_parameters.add().CopyFrom(kind)
        answer = self._engine.call("Analyze", request, service.AnalyzeResponse)
        self._answers[key] = answer.SerializeToString()
        return answer

    def _paths(self, location: locations.ParseResumeLocationProto, rest: str) -> list[tuple[str, ...]]:
        """The paths of the tables that the statement refers to."""
        request = service.ExtractTableNamesFromNextStatementRequest(parse_resume_location=location, options=self._language)
        answer = self._engine.call(
            "ExtractTableNamesFromNextStatement", request, service.ExtractTableNamesFromNextStatementResponse
        )
        paths = {tuple(name.table_name_segment) for name in answer.table_name}
        # The table that an ALTER changes is not among them.
        altered = re.match(
            r"(?is)\s*alter\s+(?:table|view)\s+(?:if\s+exists\s+)?((?:`[^`]+`|[\w-]+)(?:\.(?:`[^`]+`|[\w-]+))*)", _bare(rest)
        )
        if altered:
            paths.add(tuple(part.strip("`") for part in re.findall(r"`[^`]+`|[\w-]+", altered[1])))
        return sorted(paths)

    def _catalog(self, tables: tuple[tuple[tuple[str, ...], tuple[Column, ...]], ...]) -> int:
        known = self._catalogs.get(tables)
        if known is not None:
            self._catalogs.move_to_end(tables)
            return known
        catalog = simple_catalog(tables, self._language)
        request = service.RegisterCatalogRequest(simple_catalog=catalog)
        made: int = self._engine.call("RegisterCatalog", request, service.RegisterResponse).registered_id
        self._catalogs[tables] = made
        if len(self._catalogs) > _KEPT_CATALOGS:
            _, oldest = self._catalogs.popitem(last=False)
            self._engine.call("UnregisterCatalog", service.UnregisterRequest(registered_id=oldest), service.RegisterResponse)
        return made


def _bare(sql: str) -> str:
    """The statement without the comments before it."""
    return re.sub(r"(?s)\A(\s|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/)*", "", sql)


def _described(sql: str, statement: Message, relations: Mapping[str, Relation]) -> Judged:
    node = tree.inner(statement)
    judged = Judged(sql, _kind(node), node)
    nodes = tree.index(node)
    judged.scans = tree.count_scans(node, lambda name: relations[name].scans)
    for scan in nodes.get("ResolvedTableScanProto", ()):
        relation = relations[scan.table.full_name]
        judged.depth = max(judged.depth, relation.depth)
        columns = {column.name for column in scan.parent.column_list}
        judged.reads.setdefault(relation.key, set()).update(columns)
    if node.DESCRIPTOR.name == "ResolvedQueryStmtProto":
        judged.columns = tuple(of_proto(column.name, column.column.type) for column in node.output_column_list)
        judged.one_row = tree.single_row(node.query)
    judged.findings += [
        Finding("outer join", f"{found} has no equality between the two sides")
        for found in tree.outer_joins_without_equality(nodes)
    ]
    judged.findings += [
        Finding("correlation", f"{found} has no equality with the row outside")
        for found in tree.subqueries_that_stay_correlated(nodes)
    ]
    judged.findings += [
        Finding("recursion", f"WITH RECURSIVE {found} is not at the top of the statement")
        for found in tree.recursion_below_the_top(nodes, node)
    ]
    judged.findings += [Finding("row", f"{found}: an alias is missing") for found in tree.rows_taken_for_columns(nodes)]
    return judged


def _kind(node: Message) -> str:
    name = node.DESCRIPTOR.name.removeprefix("Resolved").removesuffix("Proto").removesuffix("Stmt")
    if name == "Query":
        return "SELECT"
    if name == "Drop":
        return f"DROP_{node.object_type}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
