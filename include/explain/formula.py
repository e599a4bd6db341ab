"""The formula of a figure: the expression that computes its column, and the values of its inputs in the same row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from include.explain.project import Project, Relation
from include.explain.queries import sql_of
from include.explain.sql import expression_of
from include.warehouse import Row


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
