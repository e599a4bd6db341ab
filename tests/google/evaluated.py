"""The rows of a project, kept from statement to statement by Google's reference evaluator.

.venv-google/bin/python -m tests.google.server --evaluate
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from zetasql.wasi._pb2.zetasql.resolved_ast.resolved_ast_pb2 import AnyResolvedStatementProto

from tests.google.catalog import Missing, Project, Relation
from tests.google.evaluate import Evaluator, Table
from tests.google.jobs import Job, Jobs
from tests.google.judge import Judge, Judged
from tests.google.loads import read
from tests.google.merge import Merge
from tests.google.parse import name_path, part
from tests.google.types import Column
from tests.google.values import Value, to_rest

Key = tuple[str, str]
#: In this phase new tables have no rows: the unit tests need only their columns.
ONLY_SCHEMA = "only schema"
#: One query, with or without comments before it.
_QUERY = re.compile(r"(?is)\A(\s|--[^\n]*\n|/\*.*?\*/)*\(*\s*(select|with)\b")


@dataclass
class _View:
    """The rows of a view, valid as long as no table that it reads has changed."""

    relation: Relation
    table: Table
    versions: dict[Key, int]


class EvaluatedRows:
    """Answers for the endpoint, with rows.

    Args:
        project: the relations; each statement is applied to them before its rows are computed.
        evaluator: computes the rows.
    """

    def __init__(self, project: Project, evaluator: Evaluator) -> None:
        self._project = project
        self._evaluator = evaluator
        #: Whether statements change rows; if not, a new table is empty.
        self.changes = True
        self._tables: dict[Key, Table] = {}
        self._versions: dict[Key, int] = {}
        self._views: dict[Key, _View] = {}

    def query(self, sql: str, parameters: list[dict[str, Any]]) -> Table:
        """Columns and rows of a query."""
        return self._evaluator.query(sql, self._find, parameters)

    def select(self, judged: Judged, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a query in the REST API's form."""
        return _rest(self.query(judged.sql, parameters))

    def change(self, judged: Judged, parameters: list[dict[str, Any]]) -> int:
        """Apply a statement to the rows; returns the number of affected rows."""
        key = judged.target
        work = {
            "CREATE_TABLE": self._create,
            "CREATE_TABLE_AS_SELECT": self._create_as,
            "INSERT": self._insert,
            "UPDATE": self._update,
            "DELETE": self._update,
            "MERGE": self._merge,
        }.get(judged.kind)
        if key is None or not self.changes:
            return 0
        if work is not None:
            return work(key, judged.sql, parameters)
        if judged.kind == "TRUNCATE":
            return self._put(key, Table(self._project.relations[key].columns))
        if judged.kind == "DROP_TABLE":
            self.forget(key)
        return 0

    def load(self, relation: Relation, config: Mapping[str, Any], body: bytes) -> int:
        """Load a file; returns the number of its rows."""
        rows = read(config, body, relation.columns)
        before = [] if config.get("writeDisposition") == "WRITE_TRUNCATE" else self._held(relation.key).rows
        self._put(relation.key, Table(relation.columns, [*before, *rows]))
        return len(rows)

    def copy(self, source: Relation, target: Relation) -> None:
        """Replace the target's rows by those of the source."""
        self._put(target.key, Table(target.columns, list(self._held(source.key).rows)))

    def count(self, relation: Relation) -> int:
        """The number of rows of a table."""
        return len(self._held(relation.key).rows)

    def forget(self, key: Key) -> None:
        """Delete the rows of a dropped table."""
        if self._tables.pop(key, None) is not None:
            self._versions[key] = self._versions.get(key, 0) + 1

    def _create(self, key: Key, sql: str, parameters: list[dict[str, Any]]) -> int:
        node: Any = self._evaluator.parse(sql).node
        relation = self._project.relations[key]
        for source in ("clone_data_source", "copy_data_source"):
            if node.HasField(source):
                found = self._find(name_path(part(getattr(node, source), "path_expr")))
                assert found is not None
                self._put(key, Table(relation.columns, list(found[1].rows)))
                return 0
        if key not in self._tables or not part(node, "is_if_not_exists"):
            self._put(key, Table(relation.columns))
        return 0

    def _create_as(self, key: Key, sql: str, parameters: list[dict[str, Any]]) -> int:
        statement = self._evaluator.parse(sql)
        node: Any = statement.node
        if key in self._tables and part(node, "is_if_not_exists"):
            return 0
        columns = self._project.relations[key].columns
        made = self._evaluator.query(statement.words(node.query), self._find, parameters)
        if [column.sql for column in made.columns] != [column.sql for column in columns]:
            made = self._evaluator.query(f"select {_cast(made.columns, columns)} from made", _only("made", made))
        self._put(key, Table(columns, made.rows))
        return len(made.rows)

    def _insert(self, key: Key, sql: str, parameters: list[dict[str, Any]]) -> int:
        target = self._held(key)
        added = self._evaluator.insert(sql, target, self._find, parameters)
        self._put(key, Table(target.columns, [*target.rows, *added]))
        return len(added)

    def _update(self, key: Key, sql: str, parameters: list[dict[str, Any]]) -> int:
        target = self._held(key)
        changed, deleted = self._evaluator.change(sql, target, self._find, parameters)
        rows = [changed.get(place, row) for place, row in enumerate(target.rows) if place not in deleted]
        self._put(key, Table(target.columns, rows))
        return len(changed) + len(deleted)

    def _merge(self, key: Key, sql: str, parameters: list[dict[str, Any]]) -> int:
        target = self._held(key)
        rows, count = Merge(self._evaluator, sql, target, self._find, parameters).run()
        self._put(key, Table(target.columns, rows))
        return count

    def _put(self, key: Key, table: Table) -> int:
        """Keep a table's rows. A NULL array becomes an empty one, as BigQuery stores it."""
        arrays = [place for place, column in enumerate(table.columns) if column.mode == "REPEATED"]
        for row in table.rows if arrays else ():
            for place in arrays:
                row[place].array_value.SetInParent()
        self._tables[key] = table
        self._versions[key] = self._versions.get(key, 0) + 1
        return len(table.rows)

    def _held(self, key: Key) -> Table:
        """The rows of a table with the columns that it has now."""
        relation = self._project.relations[key]
        return self._tables.get(key, Table(relation.columns)).shaped(relation.columns)

    def _find(self, path: tuple[str, ...]) -> tuple[str, Table] | None:
        if len(path) < 2:
            return None
        try:
            relation = self._project.find(path)
        except Missing:
            return None
        return ".".join(relation.key), self._read(relation)

    def _read(self, relation: Relation) -> Table:
        if relation.dataset == "INFORMATION_SCHEMA":
            return self._information(relation)
        if relation.kind == "TABLE":
            return self._held(relation.key)
        known = self._views.get(relation.key)
        if known is None or known.relation is not relation or any(self._version(key) != at for key, at in known.versions.items()):
            known = self._views[relation.key] = self._view(relation)
        return known.table

    def _information(self, relation: Relation) -> Table:
        rows = self._project.information(*relation.name.rsplit(".", 1))
        return Table(relation.columns, [[_cell(row.get(column.name)) for column in relation.columns] for row in rows])

    def _version(self, key: Key) -> int:
        return self._versions.get(key, 0)

    def _view(self, relation: Relation) -> _View:
        """The rows of a view, and the state of all tables that it reads."""
        versions: dict[Key, int] = {}

        def find(path: tuple[str, ...]) -> tuple[str, Table] | None:
            found = self._find(path)
            if found is not None:
                read = self._project.find(path)
                inner = self._views.get(read.key) if read.kind == "VIEW" else None
                versions.update(inner.versions if inner else {read.key: self._version(read.key)})
            return found

        made = self._evaluator.query(relation.sql, find)
        return _View(relation, Table(relation.columns, made.rows), versions)


def _cell(value: str | int | None) -> Value:
    return Value() if value is None else Value(int64_value=value) if isinstance(value, int) else Value(string_value=value)


class EvaluatedJobs(Jobs):
    """Jobs whose queries go to the evaluator only. It analyzes them too, and analyzing twice would double the time."""

    def __init__(self, judge: Judge, rows: EvaluatedRows) -> None:
        super().__init__(judge, rows)
        self._evaluated = rows

    def _query(self, job: Job, body: bytes) -> None:
        config = job.configuration["query"]
        if job.configuration.get("dryRun") or not _QUERY.match(config["query"]):
            self._evaluated.changes = self.phase != ONLY_SCHEMA
            super()._query(job, body)
            return
        table = self._evaluated.query(config["query"], config.get("queryParameters") or [])
        job.columns, job.rows = _named(table.columns), _rest(table)
        job.judged = [Judged(config["query"], "SELECT", AnyResolvedStatementProto(), job.columns)]


def _named(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns; columns without a name are called f0_, f1_, …, as in BigQuery."""
    numbers = count()
    return tuple(column if column.name else replace(column, name=f"f{next(numbers)}_") for column in columns)


def _rest(table: Table) -> list[dict[str, Any]]:
    """Rows in the REST API's form."""
    return [{"f": [{"v": to_rest(cell, column)} for cell, column in zip(row, table.columns, strict=True)]} for row in table.rows]


def _cast(given: tuple[Column, ...], wanted: tuple[Column, ...]) -> str:
    """A select list that casts columns to the declared types of a table."""
    return ", ".join(f"cast(`{one.name}` as {other.sql})" for one, other in zip(given, wanted, strict=True))


def _only(name: str, table: Table) -> Any:
    return lambda path: (name, table) if path == (name,) else None
