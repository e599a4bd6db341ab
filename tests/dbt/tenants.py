"""Finds the places in SQL at which rows of two tenants could meet: joins, windows, groups and keys without `organization_id`.

A column that ends with `_key` is a hash of a natural key. It counts as the tenant, because every such hash is checked to contain `organization_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

TENANT = "organization_id"
#: Table, `dataset.name` → its columns.
Columns = Mapping[str, frozenset[str]]


def carries_tenant(name: str) -> bool:
    """Whether a column has one value per tenant, or none in common with another tenant."""
    return name == TENANT or name.endswith("_key")


def crossings(sql: str, columns: Columns) -> list[str]:
    """The places of a query at which rows of two tenants could meet, as texts that name the place.

    Args:
        sql: one query in BigQuery's dialect.
        columns: the columns of every table that the query may read.

    Raises:
        KeyError: the query reads a table whose columns are not given.
    """
    found: list[str] = []
    scopes = traverse_scope(sqlglot.parse_one(sql, dialect="bigquery"))
    reader = _Reader(columns)
    for scope in scopes:
        if isinstance(scope.expression, exp.Select):
            found += _in_select(scope, reader)
    return list(dict.fromkeys(found))


def columns_of(sql: str, columns: Columns) -> frozenset[str]:
    """The columns of a query. Arguments and errors are those of `crossings`."""
    *_, root = traverse_scope(sqlglot.parse_one(sql, dialect="bigquery"))
    return _Reader(columns).of(root)


class _Reader:
    """The columns of tables and queries."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def of(self, source: exp.Expression | Scope) -> frozenset[str]:
        """The columns of one source of a scope."""
        if isinstance(source, Scope):
            return self._of_query(source)
        if isinstance(source, exp.Table) and source.db:
            return self._columns[f"{source.db}.{source.name}"]
        return frozenset()

    def _of_query(self, scope: Scope) -> frozenset[str]:
        if not isinstance(scope.expression, exp.Select):
            # The columns of a union are those of its first part. An `unnest` has none that matters here.
            return self._of_query(scope.set_operation_scopes[0]) if scope.set_operation_scopes else frozenset()
        names: set[str] = set()
        for projection in scope.expression.selects:
            if projection.is_star:
                read = projection.table if isinstance(projection, exp.Column) else None
                sources = [source for name, (_, source) in scope.selected_sources.items() if read in ("", None, name)]
                names |= {name for source in sources for name in self.of(source)}
            else:
                names.add(projection.alias_or_name)
        return frozenset(names)


def _in_select(scope: Scope, reader: _Reader) -> Iterator[str]:
    select = scope.expression
    read = {name: reader.of(source) for name, (_, source) in scope.selected_sources.items()}
    tenants = {name for name, columns in read.items() if any(map(carries_tenant, columns))}
    yield from _keys(select)
    if not tenants:
        return
    yield from _joins(select, tenants)
    # A call over a named window has the name as its alias. The named window itself is checked where it is declared.
    calls = [call for call in select.find_all(exp.Window) if call.parent_select is select and not call.args.get("alias")]
    for window in [*calls, *(select.args.get("windows") or ())]:
        if not _names_tenant(window.args.get("partition_by")):
            yield f"window {window.this.sql()} partition by {_listed(window.args.get('partition_by'))}"
    group = select.args.get("group")
    aggregates = [
        call for call in select.find_all(exp.AggFunc) if call.parent_select is select and not call.find_ancestor(exp.Window)
    ]
    if group is not None and not _names_tenant([_grouped(select, part) for part in group.expressions]):
        yield f"group by {_listed(group.expressions)}"
    elif group is None and aggregates:
        yield f"one group of all rows of {', '.join(sorted(tenants))}"
    yield from _correlations(select)
    if (scope.is_cte or scope.is_derived_table) and not any(map(carries_tenant, reader.of(scope))):
        yield f"without the tenant: {', '.join(sorted(reader.of(scope)))}"


def _joins(select: exp.Select, tenants: set[str]) -> Iterator[str]:
    from_ = select.args.get("from_") or select.args.get("from")
    before = {from_.this.alias_or_name} & tenants if from_ is not None else set()
    for join in select.args.get("joins") or ():
        if isinstance(join.this, exp.Unnest):
            continue
        name = join.this.alias_or_name
        if name in tenants and before and not _same_tenant(join.args.get("on"), lambda table, name=name: table == name):
            yield f"join {name} on {join.args['on'].sql() if join.args.get('on') else 'nothing'}"
        before |= {name} & tenants


def _same_tenant(condition: exp.Expression | None, is_inner: Callable[[str], bool]) -> bool:
    """Whether a condition requires the same tenant of a relation (`is_inner`) and of another one."""
    if condition is None:
        return False
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        if isinstance(part, exp.Paren) and _same_tenant(part.this, is_inner):
            return True
        if isinstance(part, exp.EQ):
            sides = [_tenant_tables(part.left), _tenant_tables(part.right)]
            inner = [any(map(is_inner, side)) for side in sides]
            if all(sides) and inner in ([True, False], [False, True]):
                return True
    return False


def _tenant_tables(side: exp.Expression) -> set[str]:
    """The tables whose tenant one side of an equality names."""
    return {column.table for column in side.find_all(exp.Column) if carries_tenant(column.name)}


def _correlations(select: exp.Select) -> Iterator[str]:
    """Subqueries of EXISTS whose rows may be of another tenant."""
    for exists in select.find_all(exp.Exists):
        inner = exists.this
        if exists.parent_select is not select or not isinstance(inner, exp.Select):
            continue
        own = {source.alias_or_name for source in inner.find_all(exp.Table)}
        where = inner.args.get("where")
        if not _same_tenant(where.this if where else None, own.__contains__):
            yield f"exists {inner.sql()}"


def _keys(select: exp.Select) -> Iterator[str]:
    """Hashes named as keys that do not contain the tenant."""
    for projection in select.selects:
        name, parts = projection.alias_or_name, {column.name for column in projection.find_all(exp.Column)}
        if name.endswith("_key") and projection.find(exp.MD5, exp.MD5Digest) and TENANT not in parts:
            yield f"{name} without {TENANT}"


def _grouped(select: exp.Select, part: exp.Expression) -> exp.Expression:
    """The expression by which a query groups. A number stands for a column of the query."""
    return select.selects[int(part.name) - 1].unalias() if isinstance(part, exp.Literal) else part


def _names_tenant(expressions: list[exp.Expression] | None) -> bool:
    return any(carries_tenant(part.name) for part in expressions or () if isinstance(part, exp.Column))


def _listed(expressions: list[exp.Expression] | None) -> str:
    return ", ".join(part.sql() for part in expressions or ()) or "nothing"
