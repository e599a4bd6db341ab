# ruff: noqa: S608 - SQL is built from the declared figures and the parsed conditions, whose values are rendered as literals.
"""What the audit tables say about a figure: its publications, its changes, and the checks that it has passed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from include.explain.evidence import same
from include.explain.project import ExplainError
from include.explain.queries import Queries, sql_of
from include.restatements import code_versions, load_figures
from include.restatements.figures import TOTAL, Figure
from include.warehouse import Row


@dataclass(frozen=True)
class Publication:
    """A publication of the table.

    Attributes:
        run_id, as_of, published_at: of `ops.publications`.
        is_current_code: whether the definitions are those of now; None if it is not known.
    """

    run_id: str
    as_of: datetime
    published_at: datetime
    is_current_code: bool | None


@dataclass(frozen=True)
class Change:
    """A figure of an ended month that is kept, and what has become of it.

    Attributes:
        metric, month: as in `ops.published_figures`.
        is_figure: whether it is the explained figure itself; otherwise the figure enters it.
        values: (time of publication, value) of each publication that changed it, the newest first.
        restatement: the last row of `ops.restatements`; None if it was never restated.
    """

    metric: str
    month: date
    is_figure: bool
    values: tuple[tuple[datetime, Any], ...]
    restatement: Row | None


@dataclass(frozen=True)
class Check:
    """The outcome of one gate, or of dbt's tests, at the publication.

    Attributes:
        name: of the gate; `dbt tests`.
        passed, total: expectations about the tables behind the figure.
        failures: those that were not met, with what they did about it.
    """

    name: str
    passed: int
    total: int
    failures: tuple[str, ...]


def publications(table: str, queries: Queries) -> list[Publication]:
    """The last two publications of a table, the newest first.

    Raises:
        ExplainError: it is not published.
    """
    dataset, _, name = table.partition(".")
    found = queries.rows(
        """
        select
            run_id,
            as_of,
            published_at,
            code_version,
            (
                select max(dropped.published_at)
                from ops.publications as dropped
                where dropped.dataset = @dataset and dropped.table_name = @name and dropped.state = 'dropped'
            ) as dropped_at
        from ops.publications
        where dataset = @dataset and table_name = @name and state = 'published'
        order by published_at desc
        limit 2
        """,
        {"dataset": dataset, "name": name},
    )
    if not found or (found[0]["dropped_at"] is not None and found[0]["dropped_at"] > found[0]["published_at"]):
        raise ExplainError(f"{table} is not published yet: run the pipeline first (`make run`).")
    current = code_versions([table]).get(table)
    return [
        Publication(
            row["run_id"],
            row["as_of"],
            row["published_at"],
            None if None in (current, row["code_version"]) else row["code_version"] == current,
        )
        for row in found
    ]


def changes_of(table: str, column: str, row: Row, key: Sequence[exp.Expression], queries: Queries) -> list[Change]:
    """The kept figures that are this figure, or that it enters."""
    figures = [each for each in load_figures().of(table) if column in each.value]
    if not figures or row[column] is None or not isinstance(row.get(figures[0].month), date):
        return []
    own = sql_of(exp.and_(*key))
    conditions = ", ".join(f"coalesce({figure.where}, false) as fits_{n}" for n, figure in enumerate(figures))
    fits = queries.rows(f"select {conditions} from {table} where {own}")
    return [
        change
        for n, figure in enumerate(figures)
        if fits and fits[0][f"fits_{n}"] and (change := _change(figure, column, row, queries)) is not None
    ]


def _change(figure: Figure, column: str, row: Row, queries: Queries) -> Change | None:
    part = str(row[figure.cohort]) if figure.cohort else TOTAL
    where = "metric = @metric and organization_id = @organization and month = @month and part = @part"
    names = {"metric": figure.metric, "organization": row["organization_id"], "month": row[figure.month], "part": part}
    values = queries.rows(
        f"select published_at, value from ops.published_figures where {where} order by published_at desc limit 20", names
    )
    if not values:
        return None
    last = queries.rows(
        f"select published_at, old_value, new_value, difference, reason, row_count, first_rows from ops.restatements where {where} "
        "order by published_at desc limit 1",
        names,
    )
    return Change(
        figure.metric,
        row[figure.month],
        figure.value in (f"max({column})", f"sum({column})") and same(values[0]["value"], round(Decimal(str(row[column])), 6)),
        tuple((value["published_at"], value["value"]) for value in values),
        last[0] if last else None,
    )


def checks(relations: Collection[str], nodes: Collection[str], as_of: datetime, queries: Queries) -> list[Check]:
    """The gates and tests of the tables behind a figure, at the as-of time of its publication.

    Args:
        relations: the tables, `dataset.table`.
        nodes: dbt's ids of the tests on them.
        as_of: the as-of time.
        queries: runs the queries.
    """
    gates = _last_results(
        "gate, concat(relation, ': ', expectation) as label, verdict as outcome, unexpected_count as row_count",
        "ops.gate_results",
        "relation in unnest(@names)",
        "gate, relation, expectation order by evaluated_at desc",
    )
    tests = _last_results(
        "'dbt tests' as gate, name as label, status as outcome, rows_affected as row_count",
        "ops.dbt_results",
        "resource_type = 'test' and node_id in unnest(@names)",
        "node_id order by finished_at desc",
    )
    found = [
        *queries.rows(gates, {"as_of": as_of, "names": sorted(relations)}),
        *queries.rows(tests, {"as_of": as_of, "names": sorted(nodes)}),
    ]
    return [Check(row["gate"], row["passed"], row["total"], tuple(sorted(row["failures"] or ()))) for row in found]


def _last_results(columns: str, table: str, about: str, last_by: str) -> str:
    """How many of the last results of an as-of time have passed, and a text for each of the others.

    Args:
        columns: `gate`, `label`, `outcome` (`pass` if it was met) and `row_count`.
        table: the table of the results.
        about: the condition on the results.
        last_by: the columns of one check, and the order of its results.
    """
    return f"""
        with latest as (
            select {columns}
            from {table}
            where as_of = @as_of and {about}
            qualify row_number() over (partition by {last_by}) = 1
        )
        select
            gate,
            count(*) as total,
            countif(outcome = 'pass') as passed,
            array_agg(
                if(outcome = 'pass', null, concat(outcome, ' ', label, coalesce(concat(', ', cast(row_count as string), ' rows'), '')))
                ignore nulls
            ) as failures
        from latest
        group by gate
        order by gate
    """
