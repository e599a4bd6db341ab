"""Conditions as parsed SQL, and the parts of them that the search for rows needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

DIALECT = "bigquery"
#: Nodes of a condition that is false or NULL if a column in it is NULL.
_STRICT = (
    *(
        exp.EQ,
        exp.LT,
        exp.LTE,
        exp.GT,
        exp.GTE,
        exp.In,
        exp.Between,
        exp.And,
        exp.Paren,
        exp.Cast,
        exp.DataType,
        exp.DataTypeParam,
    ),
    *(exp.Column, exp.Identifier, exp.Literal, exp.Tuple, exp.Interval, exp.Var, exp.Boolean, exp.Add, exp.Sub),
    *(exp.DateTrunc, exp.TimestampTrunc, exp.Date, exp.DateAdd, exp.DateSub, exp.Timestamp, exp.TimestampAdd, exp.TimestampSub),
)


@dataclass(frozen=True)
class Demand:
    """Rows and columns that a consumer needs of a relation.

    Attributes:
        conditions: all of them hold for the rows; none means every row. Columns are bare names of the relation.
        columns: names of the needed columns.
    """

    conditions: tuple[exp.Expression, ...]
    columns: frozenset[str]


def bound(condition: exp.Expression, values: Mapping[str, exp.Expression]) -> exp.Expression:
    """A condition with the known values of columns in their places. `column = value` itself stays as it is."""
    columns = list(condition.find_all(exp.Column))
    if len({text_of(column) for column in columns}) < 2:
        return condition
    # Of an equality between two known columns one side stays, so that it limits both.
    known = [column for column in columns if text_of(column) in values]
    if isinstance(condition, exp.EQ) and len(known) == len(columns) == 2:
        known = known[:1]
    chosen = {text_of(column) for column in known}
    bound = condition.copy().transform(
        lambda node: values[text_of(node)].copy() if isinstance(node, exp.Column) and text_of(node) in chosen else node
    )
    return simplify(bound, dialect=DIALECT)


def substituted(condition: exp.Expression, outputs: Mapping[str, exp.Expression]) -> exp.Expression:
    replaced = condition.copy().transform(
        lambda node: exp.paren(outputs[node.name].copy()) if isinstance(node, exp.Column) and not node.table else node
    )
    return simplify(replaced, dialect=DIALECT)


def conjuncts(condition: exp.Expression) -> list[exp.Expression]:
    condition = condition.unnest()
    return [part.unnest() for part in condition.flatten()] if isinstance(condition, exp.And) else [condition]


def columns_of(nodes: Iterable[exp.Expression]) -> dict[str, set[str]]:
    """Source → the columns of it that nodes use."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        for column in node.find_all(exp.Column):
            found.setdefault(column.table, set()).add(column.name)
    return found


def without_table(condition: exp.Expression) -> exp.Expression:
    return condition.copy().transform(lambda node: exp.column(node.name) if isinstance(node, exp.Column) else node)


def is_key(expression: exp.Expression, keys: set[str]) -> bool:
    return text_of(expression) in keys or all(text_of(column) in keys for column in expression.find_all(exp.Column))


def is_strict(condition: exp.Expression) -> bool:
    return all(isinstance(node, _STRICT) for node in condition.walk())


def is_false(condition: exp.Expression) -> bool:
    return isinstance(condition, exp.Boolean) and not condition.this


def text_of(node: exp.Expression) -> str:
    return str(node.sql(dialect=DIALECT))
