"""The explanation of a figure whose row core no longer gives."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from include.explain import Explanation, Queries, show
from include.explain.evidence import find_evidence
from include.explain.formula import Formula
from include.explain.history import Publication
from include.explain.queries import equals
from tests.include.explain.small import WEIGHTED, duck, joined_project

DAY = datetime(2026, 10, 1, tzinfo=UTC)
ROW = {"organization_id": "a", "month": date(2026, 9, 1), "weighted_sales": 2}


def explained(queries: Queries) -> Explanation:
    """The figure 2 of a month, from the rows that the warehouse has now."""
    project = joined_project()
    root = project.relations[WEIGHTED]
    found = find_evidence(
        project, root, ["weighted_sales"], [equals(name, ROW[name]) for name in ("organization_id", "month")], ROW, queries
    )
    return Explanation(
        table="marts.mart_weighted",
        column="weighted_sales",
        key={"month": ROW["month"]},
        value=ROW["weighted_sales"],
        currency=None,
        description="",
        definitions=(),
        formula=Formula(None, ()),
        publication=Publication("run", DAY, DAY, True),
        previous=None,
        core=(),
        raw=(),
        is_proven=found.is_proven,
        is_there=bool(found.values),
        recomputed=found.values.get("weighted_sales"),
        changes=(),
        checks=(),
        read_sql="select 1",
        sql=found.sql,
        queries=1,
        bytes_read=0,
    )


@pytest.mark.parametrize(
    ("sales", "text"),
    [
        (
            "('a', 'one', date '2026-08-01')",
            "Core or the code has changed since the publication: this row would not be built now.",
        ),
        ("('a', 'two', date '2026-09-01')", "Core or the code has changed since the publication: the figure would now be 3."),
    ],
)
def test_a_figure_that_core_no_longer_gives(sales: str, text: str) -> None:
    with duck(
        "create schema core",
        "create table core.dim_accounts (organization_id text, account_key text, weight int)",
        "insert into core.dim_accounts values ('a', 'one', 2), ('a', 'two', 3)",
        "create table core.fct_sales (organization_id text, account_key text, month date)",
        f"insert into core.fct_sales values {sales}",
    ) as queries:
        found = explained(queries)
    assert not found.is_proven
    console = Console(width=150, record=True, file=io.StringIO())
    show(found, console, Path("figure.sql"))
    assert text in console.export_text()
