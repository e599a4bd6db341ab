"""Google's reference evaluator: it computes the rows of a query, and the changes of DML, from given tables with rows.

It is the reference implementation: correct, slow, and without a planner. It uses an equality between the two sides of a join. A
correlated subquery costs the product of the rows on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wasmtime
from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2 as catalogs

from tests.google.catalog import simple_catalog
from tests.google.engine import Engine, Refused, service
from tests.google.language import language
from tests.google.parse import Edit, Statement, extremes_by, of_type, parse, renamed_tables, renamed_target, span
from tests.google.types import Column, of_proto
from tests.google.values import Value, of_parameters

#: A row: one value per column.
Row = list[Value]
#: A query parameter: name, type and value.
Given = tuple[str, Column, Value]
#: With fewer rows than this, finding the constant subqueries costs more than computing them for each row.
_MANY_ROWS = 200


@dataclass
class Table:
    """Columns and rows."""

    columns: tuple[Column, ...]
    rows: list[Row] = field(default_factory=list)

    def numbered(self, name: str = "number_of_row") -> Table:
        """The table with a last column that numbers the rows from 0. It is the key by which changes refer to rows."""
        return Table(
            (*self.columns, Column(name, "INT64")), [[*row, Value(int64_value=number)] for number, row in enumerate(self.rows)]
        )

    def shaped(self, columns: Sequence[Column]) -> Table:
        """The table with these columns, matched by name; a new column is NULL."""
        if tuple(column.name for column in columns) == tuple(column.name for column in self.columns):
            return Table(tuple(columns), self.rows)
        places = {column.name.lower(): place for place, column in enumerate(self.columns)}
        found = [places.get(column.name.lower()) for column in columns]
        return Table(tuple(columns), [[Value() if place is None else row[place] for place in found] for row in self.rows])


#: Path in a statement → a unique name and the table; None if the path is not that of a table.
Find = Callable[[tuple[str, ...]], tuple[str, Table] | None]


class Evaluator:
    """Evaluates statements. It has its own instance of the module, because a failed check inside the module ends the instance."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._engine = Engine(cache)
        self._language = language()

    def parse(self, sql: str) -> Statement:
        return parse(self._engine, sql, self._language)

    def query(self, sql: str, find: Find, parameters: Sequence[Mapping[str, Any]] = ()) -> Table:
        """The rows of a query.

        Args:
            sql: one SELECT.
            find: finds the tables that it reads.
            parameters: `queryParameters` of the job's configuration.

        Raises:
            Refused: with the message of the analyzer or the evaluator.
        """
        return self._query(*self._with_names(sql, of_parameters(parameters)), find, with_constants=True)

    def _with_names(self, sql: str, given: Sequence[Given]) -> tuple[str, Sequence[Given]]:
        """The statement with named instead of positional parameters, which the module cannot evaluate in a query."""
        if not given or given[0][0]:
            return sql, given
        statement = self.parse(sql)
        names = [f"parameter_{number}" for number in range(len(given))]
        places = sorted(span(node) for node in of_type(statement.node, "ASTParameterExpr"))
        edits = [(start, end, f"@{name}") for (start, end), name in zip(places, names, strict=True)]
        return statement.edited(edits), [(name, column, value) for name, (_, column, value) in zip(names, given, strict=True)]

    def _query(self, sql: str, given: Sequence[Given], find: Find, with_constants: bool) -> Table:
        statement = self.parse(sql)
        edits, tables = _local(statement, find)
        if with_constants and sum(len(table.rows) for table in tables.values()) >= _MANY_ROWS:
            constants = self._constants(statement, find, given)
            given = [*given, *(item for _, item in constants)]
            places = [(*place, f"@{name}") for place, (name, _, _) in constants]
            edits = [edit for edit in edits if not any(start <= edit[0] < end for start, end, _ in places)] + places
        request = service.EvaluateQueryRequest(sql=statement.edited(edits))
        self._prepare(request, tables, given)
        answer = self._call("EvaluateQuery", request, service.EvaluateQueryResponse)
        columns = tuple(of_proto(column.name, column.type) for column in answer.prepared.columns)
        return Table(columns, [list(row.cell) for row in answer.content.table_data.row])

    def _constants(self, statement: Statement, find: Find, given: Sequence[Given]) -> list[tuple[tuple[int, int], Given]]:
        """The subqueries with the same value for every outer row. The evaluator would compute them for each row.

        Returns:
            Per subquery its place in the text, and its value as a parameter. A subquery that can be analyzed alone refers to no outer row.
        """
        found: list[tuple[tuple[int, int], Given]] = []
        for subquery in of_type(statement.node, "ASTExpressionSubquery"):
            start, end = span(subquery)
            if any(first <= start < last for (first, last), _ in found):
                continue
            try:
                table = self._query(f"select {statement.words(subquery)}", given, find, with_constants=False)
            except Refused:
                continue
            found.append(((start, end), (f"constant_{start}", table.columns[0], table.rows[0][0])))
        return found

    def insert(self, sql: str, target: Table, find: Find, parameters: Sequence[Mapping[str, Any]] = ()) -> list[Row]:
        """The rows that an INSERT adds to a table."""
        return [list(row.cell) for row in self._modify(sql, target, None, find, parameters).content]

    def change(
        self, sql: str, target: Table, find: Find, parameters: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[dict[int, Row], set[int]]:
        """The changes of an UPDATE or DELETE: new rows by the number of the old row, and the numbers of the deleted rows."""
        answer = self._modify(sql, target.numbered(), len(target.columns), find, parameters)
        changed, deleted = {}, set()
        for row in answer.content:
            place = row.old_primary_key[0].int64_value
            if row.operation == service.EvaluateModifyResponse.Row.DELETE:
                deleted.add(place)
            else:
                changed[place] = list(row.cell)[:-1]
        return changed, deleted

    def _modify(self, sql: str, target: Table, key: int | None, find: Find, parameters: Sequence[Mapping[str, Any]]) -> Any:
        statement = self.parse(sql)
        edits, tables = _local(statement, find)
        tables["target"] = target
        request = service.EvaluateModifyRequest(sql=statement.edited([*edits, renamed_target(statement, "target")]))
        self._prepare(request, tables, of_parameters(parameters))
        if key is not None:
            changed = next(table for table in request.simple_catalog.table if table.name == "target")
            changed.primary_key_column_index.append(key)
        return self._call("EvaluateModify", request, service.EvaluateModifyResponse)

    def _prepare(self, request: Any, tables: Mapping[str, Table], given: Sequence[Given]) -> None:
        request.options.language_options.CopyFrom(self._language)
        request.options.default_timezone = "UTC"
        request.simple_catalog.CopyFrom(self._catalog(tables))
        for name, table in tables.items():
            data = request.table_content[name].table_data
            data.SetInParent()
            for row in table.rows:
                data.row.add().cell.extend(row)
        for name, column, value in given:
            request.options.query_parameters.add(name=name.lower()).type.CopyFrom(column.proto)
            request.params.add(name=name.lower()).value.CopyFrom(value)

    def _catalog(self, tables: Mapping[str, Table]) -> catalogs.SimpleCatalogProto:
        named: Iterable[tuple[tuple[str], tuple[Column, ...]]] = (((name,), table.columns) for name, table in tables.items())
        return simple_catalog(named, self._language)

    def _call(self, method: str, request: Message, answer: type[Any]) -> Any:
        try:
            return self._engine.call(method, request, answer)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            self._engine = Engine(self._cache)
            raise Refused(f"The reference evaluator failed a check of its own: {error}") from error


def _local(statement: Statement, find: Find) -> tuple[list[Edit], dict[str, Table]]:
    """Edits that replace table paths by names of one part, as the module needs for rows, and the tables by these names."""
    tables: dict[str, Table] = {}

    def rename(path: tuple[str, ...]) -> str | None:
        found = find(path)
        if found is None:
            return None
        tables[found[0]] = found[1]
        return found[0]

    return renamed_tables(statement, rename) + extremes_by(statement), tables
