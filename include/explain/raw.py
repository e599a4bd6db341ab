# ruff: noqa: S608 - SQL contains names of the dbt project and the source files, and conditions whose values are rendered as literals.
"""The raw rows behind rows of core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from include.contract import contract
from include.explain.conditions import Demand, conjuncts
from include.explain.demand import tightest
from include.explain.evidence import TENANT, Part, demands_below, parts_of, within_tenant
from include.explain.project import Project, Relation
from include.explain.queries import Queries, literal, sql_of
from include.sources import Source, load_sources
from include.sources.expressions import identifier
from include.sources.versions import expression

#: Stands for personal data.
MASK = "•••"
#: Keys that are named one by one; a longer list of accounts is no narrower than its organization.
_NAMED_KEYS = 1000
_METADATA = ("_loaded_at", "_batch_id")
#: The column of staging and conformed views that names the source of a row.
SYSTEM = "source_system"
#: The end of the name of a staging view with every version of its rows.
VERSIONS = "__versions"


@dataclass(frozen=True)
class RawPart:
    """The raw rows of one source table from which the rows of core were built.

    Attributes:
        table: `raw_source.table`.
        is_history: whether the rows are every version; otherwise the version of each that counts.
        columns: the columns from which the rows of core were built, as far as they keep their names.
        sql: the query of the rows, with `_loaded_at` and `_batch_id`. It masks personal data.
    """

    table: str
    is_history: bool
    columns: frozenset[str]
    sql: str


def raw_parts(project: Project, parts: Sequence[Part], organization: str | None, queries: Queries) -> list[RawPart]:
    """The raw rows behind some rows of core, per source table.

    Args:
        project: the compiled project.
        parts: the rows of core.
        organization: the tenant of the figure.
        queries: finds the keys of the rows of core.
    """
    wanted = {
        part.relation.name: [Demand(_conditions(part, queries), part.columns)] for part in parts if not part.relation.is_source
    }
    ends = demands_below(project, wanted, lambda each: each.is_source)
    # Rows that only matter for what other rows are compared with would hide those that the figure is about.
    fewest = {name: tightest(within_tenant(project.relations[name], demands, organization)) for name, demands in ends.items()}
    found = parts_of(project, fewest, organization)
    found |= {part.relation.name: part for part in parts if part.relation.is_source}
    sources = load_sources()
    # Of a table of which only the tenant is needed, it only matters that it has rows.
    telling = [part for part in found.values() if part.columns - {TENANT}] or list(found.values())
    raw = [
        _raw(part, origin, sources)
        for part in telling
        if part.relation.node["resource_type"] != "seed"
        for origin in _origins(project, part.relation)
    ]
    return sorted(raw, key=lambda each: each.table)


def _conditions(part: Part, queries: Queries) -> tuple[exp.Expression, ...]:
    """The conditions of a part, with the keys in the place of a query of them. Too many keys are left out."""
    found: list[exp.Expression] = []
    for condition in conjuncts(part.condition):
        query = condition.args.get("query") if isinstance(condition, exp.In) else None
        if query is not None:
            key = condition.this.name
            keys = queries.rows(
                f"select distinct {key} as value from {sql_of(query)} as named where {key} is not null limit {_NAMED_KEYS + 1}"
            )
            if not 0 < len(keys) <= _NAMED_KEYS:
                continue
            condition = exp.In(this=exp.column(key), expressions=[literal(row["value"]) for row in keys])
        found.append(condition)
    return tuple(found)


def _raw(part: Part, origin: Relation, sources: dict[str, Source]) -> RawPart:
    """The rows of one raw table behind a part."""
    relation = part.relation
    source = next(each for each in sources.values() if each.dataset == origin.name.split(".")[0])
    table = source.tables[origin.name.split(".")[1]]
    hidden = [name for name, column in table.columns.items() if column.pii]
    shown = [name for name in table.columns if name not in hidden]
    columns = ",\n    ".join(
        [
            *(f"raw.{identifier(name)}" for name in shown),
            *(f"if(raw.{identifier(name)} is null, null, '{MASK}') as {identifier(name)}" for name in hidden),
        ]
    )
    metadata = ", ".join(f"raw.{name}" for name in _METADATA)
    if relation.name == origin.name:
        rows = f"from {origin.quoted} as raw\nwhere {sql_of(_qualified(part.condition))}"
    else:
        keys = (
            {key: expression(table, key) for key in contract()[table.entity].key}
            if table.entity
            else {key: key for key in table.primary_key}
        )
        # Raw columns stand without their table's name in the expressions of the keys, so the other side has names of its own.
        same = {f"key_{number}": key for number, key in enumerate(keys.items(), 1)}
        same |= {f"read{name}": (name, f"raw.{name}") for name in _METADATA}
        selected = ", ".join(f"{column} as {name}" for name, (column, _) in same.items())
        condition = part.condition
        if SYSTEM in relation.columns:
            condition = exp.and_(condition, exp.EQ(this=exp.column(SYSTEM), expression=exp.Literal.string(source.name)))
        joined = " and ".join(f"{value} = built.{name}" for name, (_, value) in same.items())
        rows = (
            f"from {origin.quoted} as raw\ninner join (\n    select {selected}\n    from {relation.quoted}\n    where {sql_of(condition)}\n"
            f") as built\n    on {joined}"
        )
    is_history = relation.name == origin.name or relation.name.endswith(VERSIONS)
    return RawPart(origin.name, is_history, part.columns, f"select\n    {columns},\n    {metadata}\n{rows}")


def _origins(project: Project, relation: Relation) -> list[Relation]:
    """The raw tables behind a staging, conformed or clean view, one per system; or the raw table itself."""
    if relation.node["resource_type"] == "source":
        return [relation] if relation.name.startswith("raw_") else []
    return [origin for name in relation.parents for origin in _origins(project, project.relations[name])]


def _qualified(condition: exp.Expression) -> exp.Expression:
    return condition.copy().transform(lambda node: exp.column(node.name, table="raw") if isinstance(node, exp.Column) else node)
