"""The columns that identify a row of a published table."""

from __future__ import annotations

from sqlglot import exp

from include.explain.project import Project, Relation
from include.explain.queries import equals
from include.explain.sql import expression_of
from include.warehouse import Row


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
