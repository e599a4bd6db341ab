"""How a column of a model is computed: the formula of a figure with the values of its inputs, and the columns that identify its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from include.explain.project import Project, Relation
from include.explain.queries import equals, sql_of
from include.warehouse import Row

# Functions of a column that keep its name when they add up groups, or give a value to its NULL.
_PASSING = (exp.Sum, exp.AnyValue, exp.Coalesce)


@dataclass(frozen=True)
class Input:
    """A column that a formula uses.

    Attributes:
        column: its name.
        value: its value in the row of the figure.
        formula: how it is computed itself; None if a table of core holds it.
    """

    column: str
    value: Any
    formula: str | None


@dataclass(frozen=True)
class Formula:
    """How a figure is computed.

    Attributes:
        text: the expression as SQL; None if parts of a union compute it differently.
        inputs: the columns in it that the published row has too, outside aggregates and windows.
    """

    text: str | None
    inputs: tuple[Input, ...]


def formula_of(project: Project, relation: Relation, column: str, row: Row) -> Formula:
    """The formula of a column, with the values of one row."""
    found = expression_of(project, relation, column)
    if found is None:
        return Formula(None, ())
    # A column inside an aggregate or a window has its values in other rows.
    names = dict.fromkeys(
        part.name
        for part in found.copy().find_all(exp.Column)
        if part.name != column and part.find_ancestor(exp.AggFunc, exp.Window) is None
    )
    inputs = [Input(name, row[name], _own(project, relation, name)) for name in names if name in row]
    return Formula(_text(found), tuple(inputs))


def _own(project: Project, relation: Relation, column: str) -> str | None:
    found = expression_of(project, relation, column)
    return None if found is None or (isinstance(found, exp.Column) and found.name == column) else _text(found)


def _text(expression: exp.Expression) -> str:
    """The expression without the names of steps; a column of core keeps its table."""
    if isinstance(expression, exp.Column):
        return f"core: {expression.table}.{expression.name}"
    bare = expression.copy().transform(lambda node: exp.column(node.name) if isinstance(node, exp.Column) else node)
    return sql_of(bare)


def natural(relation: Relation, project: Project) -> list[str]:
    """The columns that the key is a hash of, as far as the table shows them; the key itself if it comes from another table.

    The key of a table is its first column, by the convention of the project.
    """
    key = next(iter(relation.columns))
    found = expression_of(project, relation, key)
    names = [column.name for column in found.find_all(exp.Column)] if found is not None else []
    if found is None or isinstance(found, exp.Column):
        names = ["organization_id", f"{key.removesuffix('_key')}_id", key]
    return [name for name in dict.fromkeys(names) if name in relation.columns]


def key_of(relation: Relation, project: Project, row: Row) -> list[exp.Expression]:
    """Conditions that hold for this row only."""
    return [equals(name, row[name]) for name in natural(relation, project)]


def expression_of(project: Project, relation: Relation, column: str) -> exp.Expression | None:
    """The expression that computes a column, past every step that only passes it on.

    Returns:
        The expression, whose columns are those of the step before. A column of core, if no step computes it. None if the parts of a union
        compute it differently.
    """
    name, output = relation.name, column
    while True:
        scope = build_scope(project.query(name))
        found = _in_scope(scope, output) if scope else None
        if not isinstance(found, tuple):
            return found
        table, output = found
        below = project.relations.get(f"{table.db}.{table.name}")
        if below is None or below.is_core:
            return exp.column(output, table=table.name)
        name = below.name


def _in_scope(scope: Scope, column: str) -> exp.Expression | tuple[exp.Table, str] | None:
    """The expression in a scope or in those that it passes the column on from; or the table and column that it comes from."""
    node = scope.expression
    if isinstance(node, exp.SetOperation):
        position = node.named_selects.index(column)
        parts = [_in_scope(part, part.expression.named_selects[position]) for part in scope.set_operation_scopes]
        texts = {part.sql() if isinstance(part, exp.Expression) else str(part) for part in parts}
        return parts[0] if len(texts) == 1 else None
    if not isinstance(node, exp.Select):
        return None
    found = next((item.unalias() for item in node.selects if item.alias_or_name == column), None)
    if isinstance(found, _PASSING) and isinstance(found.this, exp.Column) and found.this.name == column:
        inner = _of_source(scope, found.this)
        if not isinstance(inner, exp.Expression) or isinstance(inner, exp.Column):
            return found
        if not isinstance(found, exp.Coalesce) and inner.find(exp.AggFunc):
            # The step only adds up the groups of a step before.
            return inner
        outer = found.copy()
        outer.set("this", inner.copy())
        return outer
    if not isinstance(found, exp.Column):
        return found
    return _of_source(scope, found)


def _of_source(scope: Scope, column: exp.Column) -> exp.Expression | tuple[exp.Table, str] | None:
    source = scope.sources.get(column.table)
    if isinstance(source, exp.Table):
        return source, column.name
    return _in_scope(source, column.name) if isinstance(source, Scope) else column
