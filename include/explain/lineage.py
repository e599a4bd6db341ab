"""From a row of a published table to the rows of core, and from rows of core to those of conformed views and raw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from include.explain.conditions import Demand
from include.explain.demand import demands_of
from include.explain.project import Project, Relation

TENANT = "organization_id"


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
