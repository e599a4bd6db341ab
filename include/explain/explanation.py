# ruff: noqa: S608 - SQL contains names of the dbt project, and conditions whose values are rendered as literals.
"""Explains one published figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from include.catalog.definitions import Definition, metrics_of
from include.explain.evidence import TENANT, find_evidence
from include.explain.formula import Formula, formula_of, key_of
from include.explain.history import Change, Check, Publication, changes_of, checks, publications
from include.explain.project import ExplainError, Project, Relation, check_published, compiled_project, nearest
from include.explain.queries import Queries, sql_of
from include.explain.raw import raw_parts
from include.explain.rows import Rows, core_rows, raw_rows
from include.explain.values import unit_of
from include.explain.where import parse_where
from include.manifest import upstream
from include.warehouse import Row

#: Rows of each table that are shown, unless the caller wants another number.
SHOWN = 10
#: Rows that a condition may match before the caller is asked for a narrower one; so many are named.
_CANDIDATES = 5


@dataclass(frozen=True)
class Explanation:
    """Everything about one figure.

    Attributes:
        table, column: where it is published.
        key: the columns that identify its row, with their values.
        value: the figure; None if it is unknown.
        currency: of an amount; None for other figures.
        description: what the column means.
        definitions: the definitions of docs/metrics.md that the table follows.
        formula: how it is computed from the columns of its row.
        publication: the one that shows it.
        previous: the one before; None for the first.
        core, raw: the rows that enter it.
        is_proven: whether the rows of core alone give the figure.
        is_there: whether they give a row for the figure.
        recomputed: what they give; differs from `value` only if it is not proven.
        changes: the kept figures that it is or enters.
        checks: the gates and tests that it has passed.
        read_sql: the query that reads it.
        sql: the query that computes it from the rows of core.
        queries, bytes_read: the statements behind the explanation, and what they read.
    """

    table: str
    column: str
    key: Mapping[str, Any]
    value: Any
    currency: str | None
    description: str
    definitions: tuple[Definition, ...]
    formula: Formula
    publication: Publication
    previous: Publication | None
    core: tuple[Rows, ...]
    raw: tuple[Rows, ...]
    is_proven: bool
    is_there: bool
    recomputed: Any
    changes: tuple[Change, ...]
    checks: tuple[Check, ...]
    read_sql: str
    sql: str
    queries: int
    bytes_read: int


def explain(
    table: str,
    column: str,
    where: str,
    *,
    limit: int = SHOWN,
    queries: Queries | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Explanation:
    """Explain a published figure.

    Args:
        table: the published table, such as `marts.mart_nrr_summary`.
        column: a numeric column of it.
        where: a condition that one row fulfils, in BigQuery's SQL.
        limit: rows of each table to show, at least 1.
        queries: runs the queries; by default on the warehouse that the environment names.
        say: called with a line of text before each longer step.

    Raises:
        ExplainError: there is no such figure, or the condition does not name one row.
        google.api_core.exceptions.GoogleAPICallError: the warehouse refuses a query.
    """
    check_published(table)
    queries = queries or Queries()
    now, *before = publications(table, queries)
    say("compiling the models at the as-of time of the publication …")
    project = compiled_project(now.as_of)
    root = project.published(table)
    _check_column(root, table, column)
    row = _one_row(table, root, where, project, queries)
    key = key_of(root, project, row)
    say("looking for the rows behind the figure …")
    evidence = find_evidence(project, root, [column], key, row, queries)
    organization = row.get(TENANT)
    core = tuple(core_rows(project, part, limit, queries) for part in evidence.parts)
    raw = tuple(
        raw_rows(part, before[0].published_at if before else None, limit, queries)
        for part in raw_parts(project, evidence.parts, organization, queries)
    )
    behind = {name: project.relations[name] for name in _behind(project, root)}
    own = sql_of(exp.and_(*key))
    return Explanation(
        table=table,
        column=column,
        key={name: row[name] for name in dict.fromkeys(part.this.name for part in key)},
        value=row[column],
        currency=_currency(root, column, row),
        description=root.described.get(column, ""),
        definitions=tuple(metrics_of(root.node)),
        formula=formula_of(project, root, column, row),
        publication=now,
        previous=before[0] if before else None,
        core=tuple(sorted(core, key=lambda each: (not each.table.startswith("core.fct"), -each.row_count))),
        raw=tuple(each for each in raw if each.row_count),
        is_proven=evidence.is_proven,
        is_there=bool(evidence.values),
        recomputed=evidence.values.get(column),
        changes=tuple(changes_of(table, column, row, key, queries)),
        checks=tuple(checks(behind, project.tests_of(behind), now.as_of, queries)),
        read_sql=f"select {column}\nfrom {table}\nwhere {own}",
        sql=evidence.sql,
        queries=queries.count,
        bytes_read=queries.read,
    )


def _check_column(root: Relation, table: str, column: str) -> None:
    if column not in root.columns:
        raise ExplainError(f"{table} has no column {column}.{nearest(column, root.numbers)}")
    if column not in root.numbers:
        raise ExplainError(f"{table}.{column} is not a number. Numbers of this table: {', '.join(root.numbers)}")


def _one_row(table: str, root: Relation, where: str, project: Project, queries: Queries) -> Row:
    condition = sql_of(parse_where(where, root.columns))
    found = queries.rows(f"select *\nfrom {table}\nwhere {condition}\nlimit {_CANDIDATES + 1}")
    if not found:
        raise ExplainError(
            f'No row of {table} fulfils WHERE: {condition}. See which rows there are: make sql Q="select * from {table} limit 20"'
        )
    if len(found) > 1:
        keys = [f"  {sql_of(exp.and_(*key_of(root, project, row)))}" for row in found[:_CANDIDATES]]
        more = "  …" if len(found) > _CANDIDATES else ""
        raise ExplainError(
            "\n".join([f"Several rows of {table} fulfil WHERE. Name one of them, such as:", *keys, *([more] if more else [])])
        )
    return found[0]


def _behind(project: Project, root: Relation) -> list[str]:
    """The table and everything upstream of it."""
    names = {relation.node["unique_id"]: name for name, relation in project.relations.items()}
    return [names[key] for key in upstream(project.manifest, [root.node["unique_id"]]) if key in names]


def _currency(root: Relation, column: str, row: Row) -> str | None:
    """The currency of an amount. Amounts are NUMERIC; so are some averages of durations, which the name says."""
    is_amount = root.columns[column].startswith("numeric") and not unit_of(column)
    currency = row.get("reporting_currency") or row.get("currency")
    return str(currency) if is_amount and currency else None
