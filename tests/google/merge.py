"""MERGE as a series of queries, because the reference evaluator does not support MERGE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.parser import ast_enums_pb2 as enums

from tests.google.engine import Refused
from tests.google.evaluate import Evaluator, Find, Row, Table
from tests.google.parse import Statement, bare, name_path
from tests.google.types import Column
from tests.google.values import Value

_MATCH = enums.ASTMergeWhenClauseEnums
_ACTION = enums.ASTMergeActionEnums
_TARGET, _SOURCE = "merge_target", "merge_source"
_TARGET_ROW, _SOURCE_ROW = "number_of_target_row", "number_of_source_row"


class Merge:
    """One MERGE, clause by clause.

    Args:
        evaluator: evaluates the queries.
        sql: the statement.
        target: the table that it changes, before the change.
        find: finds the tables that it reads.
        parameters: `queryParameters` of the job's configuration.

    Raises:
        Refused: with the evaluator's message, or because several source rows match one target row.
    """

    def __init__(
        self, evaluator: Evaluator, sql: str, target: Table, find: Find, parameters: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._evaluator = evaluator
        self._find = find
        self._parameters = parameters
        self._statement: Statement = evaluator.parse(sql)
        self._node: Any = self._statement.node
        self._columns = target.columns
        self._target = target.numbered(_TARGET_ROW)
        self._source = self._select("select *", self._statement.words(self._node.table_expression)).numbered(_SOURCE_ROW)
        self._as_target = f"{_TARGET} as {self._alias(self._node, self._node.target_path, _TARGET)}"
        source = bare(self._node.table_expression)
        self._as_source = f"{_SOURCE} as {self._alias(source, getattr(source, 'path_expr', None), _SOURCE)}"
        self._kept: list[Row | None] = [list(row) for row in target.rows]
        self._added: list[Row] = []
        self._done: set[int] = set()

    def run(self) -> tuple[list[Row], int]:
        """The rows after the statement, and the number of changed rows."""
        pairs = self._pairs()
        matched, met = {place for place, _ in pairs}, {place for _, place in pairs}
        without_source = _without(self._target, matched)
        without_target = _without(self._source, met)
        for clause in self._node.when_clauses.clause_list:
            if clause.match_type == _MATCH.MATCHED:
                self._change(
                    clause, f"{self._as_target} join {self._as_source} on {self._condition()}", self._target, self._source
                )
            elif clause.match_type == _MATCH.NOT_MATCHED_BY_SOURCE:
                self._change(clause, self._as_target, without_source, self._source)
            else:
                without_target = self._insert(clause, without_target)
        rows = [row for row in self._kept if row is not None] + self._added
        return rows, len(self._done) + len(self._added)

    def _pairs(self) -> list[tuple[int, int]]:
        """The numbers of the target and source rows that match."""
        if self._condition().strip("() ").lower() == "false":
            return []
        found = self._select(
            f"select {_TARGET_ROW}, {_SOURCE_ROW}", f"{self._as_target} join {self._as_source} on {self._condition()}"
        )
        return [(row[0].int64_value, row[1].int64_value) for row in found.rows]

    def _change(self, clause: Any, where_from: str, target: Table, source: Table) -> None:
        """Update or delete the target rows of a clause, except those that an earlier clause has changed."""
        items = clause.action.update_item_list.update_items
        columns = [name_path(bare(item.set_value.path))[-1].lower() for item in items]
        places = [[column.name.lower() for column in self._columns].index(name) for name in columns]
        values = [self._value(item.set_value.value, self._columns[place]) for item, place in zip(items, places, strict=True)]
        found = self._select(
            ", ".join([f"select {_TARGET_ROW}", *values]), where_from, clause, {_TARGET: target, _SOURCE: source}
        )
        before = set(self._done)
        for number, *cells in ((row[0].int64_value, *row[1:]) for row in found.rows):
            if number in before:
                continue
            if number in self._done:
                raise Refused("UPDATE/MERGE must match at most one source row for each target row")
            self._done.add(number)
            if clause.action.action_type == _ACTION.DELETE:
                self._kept[number] = None
                continue
            row = self._kept[number]
            assert row is not None
            for place, cell in zip(places, cells, strict=True):
                row[place] = cell

    def _insert(self, clause: Any, source: Table) -> Table:
        """Insert the source rows of a clause; returns the rows that are left for the next clause."""
        action = clause.action
        named = [name.id_string.lower() for name in action.insert_column_list.identifiers]
        columns = [column for column in self._columns if column.name.lower() in named] if named else list(self._columns)
        columns.sort(key=lambda column: named.index(column.name.lower()) if named else 0)
        expressions = list(action.insert_row.values)
        if expressions:
            values = [self._value(value, column) for value, column in zip(expressions, columns, strict=True)]
        else:
            values = [f"`{column.name}`" for column in source.columns[:-1]]
        found = self._select(", ".join([f"select {_SOURCE_ROW}", *values]), self._as_source, clause, {_SOURCE: source})
        order = {column.name: place for place, column in enumerate(columns, 1)}
        for row in found.rows:
            self._added.append([row[order[column.name]] if column.name in order else Value() for column in self._columns])
        return _without(source, {row[0].int64_value for row in found.rows})

    def _select(self, what: str, where_from: str, clause: Any = None, tables: Mapping[str, Table] | None = None) -> Table:
        given = {_TARGET: getattr(self, "_target", None), _SOURCE: getattr(self, "_source", None), **(tables or {})}

        def find(path: tuple[str, ...]) -> tuple[str, Table] | None:
            table = given.get(path[0]) if len(path) == 1 else None
            return (path[0], table) if table is not None else self._find(path)

        condition = ""
        if clause is not None and clause.HasField("search_condition"):
            condition = f" where {self._statement.words(clause.search_condition)}"
        return self._evaluator.query(f"{what} from {where_from}{condition}", find, self._parameters)

    def _condition(self) -> str:
        return self._statement.words(self._node.merge_condition)

    def _value(self, expression: Message, column: Column) -> str:
        """An expression, cast to the type of a target column."""
        if bare(expression).DESCRIPTOR.name == "ASTDefaultLiteralProto":
            return f"cast(null as {column.sql})"
        return f"cast({self._statement.words(expression)} as {column.sql})"

    def _alias(self, node: Any, path: Any, otherwise: str) -> str:
        if node.HasField("alias"):
            return f"`{node.alias.identifier.id_string}`"
        return f"`{name_path(path)[-1]}`" if path is not None else otherwise


def _without(table: Table, numbers: set[int]) -> Table:
    """A numbered table without these rows."""
    return Table(table.columns, [row for row in table.rows if row[-1].int64_value not in numbers])
