# ruff: noqa: S608 - SQL contains names of the dbt project and parsed conditions, whose values are rendered as literals.
"""The rows of core that give a figure, proven by computing it from them alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlglot import exp

from include.explain.conditions import Demand
from include.explain.demand import condition_of, demands_of, tightest
from include.explain.project import Project, Relation
from include.explain.queries import Queries, sql_of
from include.warehouse import Row

TENANT = "organization_id"
#: Relative difference up to which two FLOAT64 are equal: sums depend on the order of their rows.
_NEARLY = 1e-9


@dataclass(frozen=True)
class Part:
    """The rows of one table that enter a figure.

    Attributes:
        relation: the table.
        condition: holds for the rows; FALSE if the figure needs none.
        columns: the columns that the figure needs.
        row_count: the number of rows; None until they are counted.
    """

    relation: Relation
    condition: exp.Expression
    columns: frozenset[str]
    row_count: int | None = None

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
    rows that the facts name. Then more: all of the tenant, and all. Each attempt computes the figures from its rows alone. It counts only if they are the published ones.

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
    known = {**base, **_without_calendars(base, exact, organization)}
    named = _named_by_facts(known)
    # One kind of narrowing may be right where the other is not.
    options = [
        {**known, **named},
        {**base, **named},
        known,
        base,
        parts_of(project, wide, organization),
        parts_of(project, wide, None),
    ]
    return attempt.counted(_first_proven(attempt, [*options, everything(options[-1])]))


def _first_proven(attempt: _Attempt, options: Sequence[_Parts]) -> Evidence:
    """The first rows that give the published figure; if none do, the first that give what the last ones, all rows, give now."""
    found: list[Evidence] = []
    for parts in (parts for n, parts in enumerate(options) if parts not in options[:n]):
        found.append(attempt.run(parts))
        if found[-1].is_proven:
            return found[-1]
    return next(each for each in found if each.values == found[-1].values)


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
    """The common table expressions of the tables."""
    return ",\n".join(
        f"{cte(part.relation.name)} as (\n    select * from {part.relation.quoted} where {sql_of(part.condition)}\n)"
        for part in sorted(parts, key=lambda part: part.relation.name)
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
    return {name: replace(part, condition=exp.true()) for name, part in parts.items()}


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


def _without_calendars(parts: _Parts, demands: Mapping[str, Sequence[Demand]], organization: str | None) -> dict[str, Part]:
    """The parts that have rows that only extend a calendar, without these rows."""
    found = {}
    for name, part in parts.items():
        fewer = tightest(within_tenant(part.relation, demands[name], organization))
        if len(fewer) < len(demands[name]):
            found[name] = replace(part, condition=condition_of(fewer))
    return found


def _named_by_facts(parts: _Parts) -> dict[str, Part]:
    """The parts that only the tenant limits, such as dimensions, with the rows whose key is in a row of a fact."""
    facts = [part for part in parts.values() if part.is_narrow and not part.relation.is_source]
    found = {}
    for name, part in parts.items():
        if part.is_narrow or part.relation.is_source or TENANT not in part.relation.columns:
            continue
        columns = [column for column in part.relation.columns if column in part.columns and column != TENANT]
        keys = [column for ending in ("_key", "_id") for column in columns if column.endswith(ending)]
        named = [(key, fact) for key in keys for fact in facts if key in fact.relation.columns]
        if named:
            key, fact = named[0]
            rows = exp.select(key).from_(fact.relation.name).where(fact.condition)
            found[name] = replace(part, condition=exp.and_(part.condition, exp.column(key).isin(query=rows)))
    return found


def demands_below(
    project: Project, wanted: dict[str, list[Demand]], ends: Callable[[Relation], bool], prunes: bool = True
) -> dict[str, list[Demand]]:
    """Relation → what the wanted rows need of it, for the relations at which the walk ends.

    Args:
        project: the compiled project.
        wanted: relation → the wanted rows and columns.
        ends: whether the walk ends at a relation. The wanted relations themselves are always opened.
        prunes: whether left joins of which no column is needed are left out.
    """
    pending = {name: list(demands) for name, demands in wanted.items()}
    opened = order(project, wanted, ends)
    for name in opened:
        demands = pending.pop(name, [])
        if demands:
            for table, below in demands_of(project.query(name), demands, prunes).items():
                pending.setdefault(table, []).extend(below)
    return {name: pending[name] for name in project.relations if name in pending}


def order(project: Project, names: Iterable[str], ends: Callable[[Relation], bool]) -> list[str]:
    """The relations that the walk opens; each one before those that it reads."""
    found: list[str] = []
    first = list(names)

    def visit(name: str) -> None:
        relation = project.relations[name]
        if name in found or (name not in first and ends(relation)) or relation.sql is None:
            return
        for parent in relation.parents:
            visit(parent)
        found.append(name)

    for name in first:
        visit(name)
    return found[::-1]


def within_tenant(relation: Relation, demands: Sequence[Demand], organization: str | None) -> list[Demand]:
    """The demands, each limited to the tenant of the figure: no join lets rows of two tenants meet."""
    if organization is None or TENANT not in relation.columns:
        return list(demands)
    own = exp.EQ(this=exp.column(TENANT), expression=exp.Literal.string(organization))
    return [
        demand if any(own == condition for condition in demand.conditions) else Demand((own, *demand.conditions), demand.columns)
        for demand in demands
    ]
