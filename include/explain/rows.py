# ruff: noqa: S608 - SQL contains names of the dbt project, and conditions whose values are rendered as literals.
"""The rows of core and raw behind a figure, as they are shown: the largest first, with personal data masked."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from include.explain.evidence import TENANT, Part
from include.explain.formula import natural
from include.explain.project import Project, Relation
from include.explain.queries import Queries, sql_of
from include.explain.raw import MASK, RawPart
from include.sources import load_sources, personal_columns
from include.warehouse import Row


@dataclass(frozen=True)
class Rows:
    """Some rows of one table.

    Attributes:
        table: `dataset.table`.
        is_history: whether every version of a raw row is there, not only the one that counts.
        row_count: all rows that enter the figure.
        new_count: raw rows that were loaded after the publication before; None for core.
        where: what the rows have in common; None for raw.
        largest_by: the column by which they are ordered; None if they have no number.
        columns: the columns of `rows`.
        rows: the largest rows.
        sql: the query of all rows.
    """

    table: str
    is_history: bool
    row_count: int
    new_count: int | None
    where: str | None
    largest_by: str | None
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sql: str

    @property
    def name(self) -> str:
        """The table, with what is special about its rows."""
        return f"{self.table}, every version" if self.is_history else self.table


def core_rows(project: Project, part: Part, limit: int, queries: Queries) -> Rows:
    """The rows of a part: the columns that identify them and those that the figure needs."""
    relation = part.relation
    own = [name for name in natural(relation, project) if name != TENANT] if relation.sql else []
    needed = [name for name in relation.columns if name in part.columns and name != TENANT]
    tenant = [TENANT] if TENANT in relation.columns else []
    columns = list(dict.fromkeys([*own, *needed])) or [name for name in relation.columns if name != TENANT]
    columns += tenant
    largest = _largest(relation, columns, own)
    where = sql_of(part.condition)
    hidden = personal_columns() | relation.personal
    select = ", ".join(f"if({name} is null, null, '{MASK}') as {name}" if name in hidden else name for name in columns)
    sql = f"select {select}\nfrom {relation.name}\nwhere {where}{_order(largest, own)}"
    found = queries.rows(f"{sql}\nlimit {limit}")
    return Rows(relation.name, False, part.row_count or 0, None, where, largest, tuple(columns), tuple(found), sql)


def raw_rows(part: RawPart, since: datetime | None, limit: int, queries: Queries) -> Rows:
    """The rows of a raw table, with the number of those that were loaded after an instant."""
    source, _, name = part.table.partition(".")
    table = next(each for each in load_sources().values() if each.dataset == source).tables[name]
    kinds = ["decimal", "float", "integer"]
    numbers = [
        name
        for name in part.columns
        if name in table.columns and table.columns[name].type in kinds and name not in table.primary_key
    ]
    largest = min(numbers, key=lambda name: kinds.index(table.columns[name].type), default=None)
    order = _order(largest, list(table.primary_key))
    (counts,) = queries.rows(
        f"select count(*) as row_count, countif(_loaded_at > @since) as new_count from (\n{part.sql}\n) as found",
        {"since": since or datetime.fromisoformat("9999-01-01T00:00:00+00:00")},
    )
    found = queries.rows(f"select * from (\n{part.sql}\n) as found{order}\nlimit {limit}")
    names = found[0] if found else {}
    first = [*table.primary_key, *(name for name in names if name in part.columns)]
    columns = tuple(dict.fromkeys([*(name for name in first if name in names), *names]))
    new = int(counts["new_count"]) if since is not None else None
    return Rows(
        part.table,
        part.is_history,
        int(counts["row_count"]),
        new,
        None,
        largest,
        columns,
        tuple(found),
        f"select * from (\n{part.sql}\n) as found{order}",
    )


def _largest(relation: Relation, columns: Collection[str], own: Collection[str]) -> str | None:
    kinds: list[Callable[[str], bool]] = [
        lambda kind: kind.startswith(("numeric", "bignumeric")),
        lambda kind: kind.startswith("float64"),
        lambda kind: kind.startswith("int64"),
    ]
    numbers = [name for name in columns if name not in own]
    return next((name for fits in kinds for name in numbers if fits(relation.columns.get(name, ""))), None)


def _order(largest: str | None, own: Collection[str]) -> str:
    first = [f"abs({largest}) desc nulls last"] if largest else []
    return f"\norder by {', '.join([*first, *own])}" if [*first, *own] else ""
