"""How a column of a model is computed."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from include.explain.project import Project, Relation

# Functions of a column that keep its name when they add up groups, or give a value to its NULL.
_PASSING = (exp.Sum, exp.AnyValue, exp.Coalesce)


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
