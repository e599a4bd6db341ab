# ruff: noqa: S608 - SQL contains names of the dbt project and parsed conditions, whose values are rendered as literals.
"""The rows of core that give a figure, proven by computing it from them alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlglot import exp

from include.explain.conditions import Demand
from include.explain.demand import condition_of, tightest
from include.explain.lineage import TENANT, demands_below, order, within_tenant
from include.explain.project import Project, Relation
from include.explain.queries import Queries, sql_of
from include.warehouse import Row

#: Relative difference up to which two FLOAT64 are equal: sums depend on the order of their rows.
_NEARLY = 1e-9


@dataclass(frozen=True)
class Part:
    """The rows of one table that enter a figure.

    Attributes:
        relation: the table.
        condition: holds for the rows; FALSE if the figure needs none.
        columns: the columns that the figure needs.
        like: a column and the other table whose rows have its values, if only these count.
        row_count: the number of rows; None until they are counted.
    """

    relation: Relation
    condition: exp.Expression
    columns: frozenset[str]
    like: tuple[str, str] | None = None
    row_count: int | None = None

    @property
    def where(self) -> str:
        """The condition as SQL. It names the other table by its common table expression."""
        text = sql_of(self.condition)
        return text if self.like is None else f"({text}) and {self.like[0]} in (select {self.like[0]} from {cte(self.like[1])})"

    @property
    def is_narrow(self) -> bool:
        """Whether more than the tenant limits the rows."""
        names = {column.name for column in self.condition.find_all(exp.Column)}
        return bool(names - {TENANT})


_Parts = Mapping[str, Part]


@dataclass(frozen=True)
class Evidence:
    """The rows of core behind a figure.

    Attributes:
        parts: per table of core that has a row that counts.
        sql: the query that computes the figure from these rows alone.
        values: column → what this query returns; empty if it does not return one row.
        is_proven: whether these are the published values.
    """

    parts: tuple[Part, ...]
    sql: str
    values: Mapping[str, Any]
    is_proven: bool


def find_evidence(
    project: Project, root: Relation, columns: Sequence[str], key: Sequence[exp.Expression], row: Row, queries: Queries
) -> Evidence:
    """The rows of core that give some figures of one row.

    The rows follow from the SQL (`demand`). Fewer are tried first: rows that only extend a calendar are left out, and dimensions keep the
    rows that the facts name. Each attempt computes the figures from its rows alone. It counts only if they are the published ones.

    Args:
        project: the compiled project.
        root: the table of the figures.
        columns: the figures.
        key: conditions that hold for the row only.
        row: the published row.
        queries: runs the attempts.
    """
    wanted = {root.name: [Demand(tuple(key), frozenset(columns))]}
    organization = row.get(TENANT)
    exact, wide = (demands_below(project, wanted, lambda each: each.is_core, prunes) for prunes in (True, False))
    attempt = _Attempt(project, root, tuple(columns), tuple(key), row, queries)
    base = parts_of(project, exact, organization)
    narrow = {
        name: option for name, part in base.items() if (option := _narrower(part, exact[name], base, organization)) is not None
    }
    return attempt.counted(
        _first_proven(attempt, base, narrow, parts_of(project, wide, organization), parts_of(project, wide, None))
    )


def _first_proven(attempt: _Attempt, base: _Parts, narrow: _Parts, *wider: _Parts) -> Evidence:
    """The fewest rows that give the published figure; if none do, the fewest that give what all rows give now."""
    first = attempt.run({**base, **narrow})
    if first.is_proven:
        return first
    found = attempt.run(base)
    if found.is_proven:
        # One kind of narrowing may be right where the other is not.
        for is_like in (False, True):
            some = {name: part for name, part in narrow.items() if (part.like is not None) == is_like}
            if some and len(some) < len(narrow) and (tried := attempt.run({**base, **some})).is_proven:
                return tried
        return found
    attempts = [found]
    for parts in (*wider, everything(wider[-1])):
        attempts.append(attempt.run(parts))
        if attempts[-1].is_proven:
            return attempts[-1]
    return next(each for each in attempts if each.values == attempts[-1].values)


def cte(name: str) -> str:
    """The common table expression that stands for a relation."""
    return f"rows_of_{name.replace('.', '__')}"


def statement(project: Project, root: Relation, parts: Iterable[Part], select: str) -> str:
    """A query on a model that is computed from some rows of core alone.

    Args:
        project: the compiled project.
        root: the model.
        parts: the rows; a table without a part has none.
        select: what to select from `{root}`.
    """
    known = {part.relation.name for part in parts}
    opened = order(project, [root.name], lambda each: each.is_core)
    read = {name for model in opened for name in project.relations[model].parents} - set(opened)
    unused = [Part(project.relations[name], exp.false(), frozenset()) for name in sorted(read - known)]
    ctes = [_leaves([*parts, *unused])]
    for name in reversed(opened):
        sql = str(project.relations[name].sql)
        for other in project.relations[name].parents:
            sql = sql.replace(project.relations[other].quoted, cte(other))
        ctes.append(f"{cte(name)} as (\n{sql.strip()}\n)")
    return "with\n" + ",\n".join(ctes) + "\n" + select.replace("{root}", cte(root.name), 1)


def _leaves(parts: Iterable[Part]) -> str:
    """The common table expressions of the tables; a table that names the rows of another one comes after it."""
    ordered = sorted(parts, key=lambda part: (part.like is not None, part.relation.name))
    return ",\n".join(
        f"{cte(part.relation.name)} as (\n    select * from {part.relation.quoted} where {part.where}\n)" for part in ordered
    )


@dataclass(frozen=True)
class _Attempt:
    project: Project
    root: Relation
    columns: tuple[str, ...]
    key: tuple[exp.Expression, ...]
    row: Row
    queries: Queries

    def run(self, parts: _Parts) -> Evidence:
        """Compute the figures from these rows alone."""
        where = sql_of(exp.and_(*self.key))
        names = ",\n    ".join(self.columns)
        sql = statement(self.project, self.root, parts.values(), f"select\n    {names}\nfrom {{root}}\nwhere {where}")
        found = self.queries.rows(sql)
        values = {column: found[0][column] for column in self.columns} if len(found) == 1 else {}
        proven = bool(values) and all(same(values[column], self.row[column]) for column in self.columns)
        return Evidence(tuple(parts.values()), sql, values, proven)

    def counted(self, evidence: Evidence) -> Evidence:
        """The same with the numbers of rows, without the tables of which no row counts."""
        counts = ",\n    ".join(
            f"(select count(*) from {cte(part.relation.name)}) as rows_{n}" for n, part in enumerate(evidence.parts)
        )
        if not counts:
            return evidence
        (found,) = self.queries.rows(f"with\n{_leaves(evidence.parts)}\nselect\n    {counts}")
        parts = (replace(part, row_count=found[f"rows_{n}"]) for n, part in enumerate(evidence.parts))
        return replace(evidence, parts=tuple(part for part in parts if part.row_count))


def everything(parts: _Parts) -> dict[str, Part]:
    """The same tables with all of their rows."""
    return {name: replace(part, condition=exp.true(), like=None) for name, part in parts.items()}


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same figure."""
    if isinstance(one, float) and isinstance(other, float | int | Decimal):
        return math.isclose(one, float(other), rel_tol=_NEARLY, abs_tol=1e-12)
    return bool(one == other)


def parts_of(project: Project, demands: Mapping[str, Sequence[Demand]], organization: str | None) -> dict[str, Part]:
    """Relation → the rows that demands name, within a tenant if one is given."""
    found = {}
    for name, needed in demands.items():
        relation = project.relations[name]
        own = within_tenant(relation, needed, organization)
        found[name] = Part(relation, condition_of(own), frozenset().union(*(demand.columns for demand in needed)))
    return found


def _narrower(part: Part, demands: Sequence[Demand], parts: Mapping[str, Part], organization: str | None) -> Part | None:
    """Fewer rows that may be enough; None if there is no idea."""
    fewer = tightest(within_tenant(part.relation, demands, organization))
    if len(fewer) < len(demands):
        part = replace(part, condition=condition_of(fewer))
        if part.is_narrow:
            return part
    if part.is_narrow or part.relation.is_source or TENANT not in part.relation.columns:
        return part if len(fewer) < len(demands) else None
    keys = [column for column in part.relation.columns if column.endswith("_key") and column in part.columns]
    keys += [column for column in part.relation.columns if column.endswith("_id") and column != TENANT and column in part.columns]
    for column in keys:
        facts = [
            other
            for other in parts.values()
            if other.is_narrow and not other.relation.is_source and column in other.relation.columns
        ]
        if facts:
            return replace(part, like=(column, facts[0].relation.name))
    return part if len(fewer) < len(demands) else None
