"""Computes published figures again from the rows that `explain` names, and from nothing else."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from rich.console import Console
from sqlglot import exp

from include.explain import ExplainError, explain, show, write_csv
from include.explain.evidence import TENANT, Evidence, find_evidence, order
from include.explain.formula import key_of, natural
from include.explain.project import Project, Relation, compiled_project
from include.explain.queries import Queries, sql_of
from include.explain.raw import MASK
from include.explain.rows import core_rows
from include.manifest import PUBLISHED
from include.mcp.explain import explain_figure
from include.run_context import RunContext

#: Rows among which the one with the most figures is chosen.
_CANDIDATES = 100


@dataclass(frozen=True)
class Walk:
    """Figures of one row, computed again.

    Attributes:
        table: the published table.
        evidence: the rows of core that were named.
        differences: figure → the published value and that of the named rows.
    """

    table: str
    evidence: Evidence
    differences: dict[str, tuple[Any, Any]]

    @property
    def limits_a_fact(self) -> bool:
        """Whether more than the tenant limits the rows of a fact or of history."""
        return any(
            part.is_narrow for part in self.evidence.parts if ".fct_" in part.relation.name or "snapshots." in part.relation.name
        )


def walks(as_of: datetime, count: int = 1, each_column: bool = False) -> Iterator[Walk]:
    """Some rows of every published table: all figures of a row at once, and one of them alone, which needs fewer rows.

    Args:
        as_of: the as-of time of the publication.
        count: rows per table.
        each_column: explain each figure alone.
    """
    queries, project = Queries(), compiled_project(as_of)
    for relation in project.relations.values():
        dataset, _, name = relation.name.partition(".")
        if dataset not in PUBLISHED:
            continue
        table = f"{PUBLISHED[dataset]}.{name}"
        found = queries.rows(f"select * from {table} order by {next(iter(relation.columns))} limit {_CANDIDATES}")
        # The accounts of the demo company are all in the CRM, so there is nothing to match.
        assert found or name == "mart_account_identity", f"{table} is empty, which proves nothing"
        found.sort(key=lambda row: -sum(row[column] not in (None, 0) for column in relation.numbers))
        for row in found[:count]:
            alone = [[column] for column in relation.numbers if each_column or column == relation.numbers[-1]]
            for columns in [relation.numbers, *alone]:
                key = key_of(relation, project, row)
                evidence = find_evidence(project, relation, columns, key, row, queries)
                again = _again(project, relation, columns, sql_of(exp.and_(*key)), evidence, queries)
                differing = {column: (row[column], again[column]) for column in columns if not _same(row[column], again[column])}
                yield Walk(table, evidence, differing)


def check_explanations(run: RunContext, folder: Path) -> None:
    """Explain some figures of a second run as a caller does, and check each part of the answers."""
    month = run.as_of.date().replace(day=1) - timedelta(days=1)
    of_month = f"month = '{month:%Y-%m}-01'"
    with pytest.raises(ExplainError, match=r"is not a published table.* Did you mean marts.mart_nrr_summary"):
        explain("marts.mart_nrr_sumary", "nrr_pct", of_month)
    with pytest.raises(ExplainError, match=r"has no column nrr. Did you mean .*nrr_pct"):
        explain("marts.mart_nrr_summary", "nrr", of_month)
    with pytest.raises(ExplainError, match=r"dimension is not a number. Numbers of this table: account_count"):
        explain("marts.mart_nrr_summary", "dimension", of_month)
    with pytest.raises(ExplainError, match=r"No row of marts.mart_nrr_summary fulfils WHERE: month = '1999-01-01'"):
        explain("marts.mart_nrr_summary", "nrr_pct", "month = '1999-01-01'")
    with pytest.raises(ExplainError, match=r"Several rows of metrics.mtr_revenue_by_month fulfil WHERE") as several:
        explain("metrics.mtr_revenue_by_month", "order_revenue", of_month)
    one = str(several.value).splitlines()[1].strip()

    queries = Queries()
    found = explain("metrics.mtr_revenue_by_month", "order_revenue", one, limit=3, queries=queries)
    (published,) = queries.rows(found.read_sql)
    (computed,) = queries.rows(found.sql)
    assert found.is_proven and found.value == found.recomputed == published["order_revenue"] == computed["order_revenue"]
    assert found.currency in {"USD", "GBP"} and found.publication.run_id == run.run_id and found.publication.is_current_code
    assert found.previous is not None and found.previous.as_of < found.publication.as_of
    (orders,) = found.core
    assert orders.table == "core.fct_orders" and orders.largest_by == "revenue_amount"
    amounts = [
        row["revenue_amount"] for row in queries.rows(orders.sql) if row["is_revenue"] and row["revenue_amount"] is not None
    ]
    assert sum(amounts) == found.value and len(orders.rows) == 3 < orders.row_count
    assert [row["revenue_amount"] for row in orders.rows] == sorted(amounts, reverse=True)[:3]
    raw = {rows.table: rows for rows in found.raw}
    assert raw["raw_crm.orders"].row_count == orders.row_count
    assert {row["order_id"] for row in queries.rows(raw["raw_crm.orders"].sql)} == {
        row["order_id"] for row in queries.rows(orders.sql)
    }
    (change,) = found.changes
    assert change.metric == "order_revenue" and change.is_figure and change.values[0][1] == round(found.value, 6)
    checks = {check.name: check for check in found.checks}
    assert {"raw_crm", "conformed", "core", "marts"} <= checks.keys()
    assert all(0 < check.passed <= check.total == check.passed + len(check.failures) for check in checks.values())

    order = orders.rows[0]["order_id"]
    raised = "update core.fct_orders set revenue_amount = revenue_amount + %s where order_id = '%s'"
    queries.rows(raised % (1, order))
    try:
        changed = explain("metrics.mtr_revenue_by_month", "order_revenue", one, limit=1, queries=queries)
    finally:
        queries.rows(raised % (-1, order))
    assert not changed.is_proven and changed.recomputed == found.value + 1 == changed.value + 1

    tickets = "select * from marts.mart_ticket_analytics where response_elapsed_minutes is not null order by ticket_key limit 1"
    (ticket,) = queries.rows(tickets)
    found = explain(
        "marts.mart_ticket_analytics", "response_elapsed_minutes", f"ticket_key = '{ticket['ticket_key']}'", queries=queries
    )
    written = write_csv(found, folder, queries)
    assert {path.name for path in written} >= {"figure.sql", "core.fct_tickets.csv", "raw_support.tickets.csv"}
    with (folder / "raw_support.tickets.csv").open(encoding="utf-8", newline="") as lines:
        of_ticket = {line["ticket_id"]: line for line in csv.DictReader(lines)}
    assert {line["subject"] for line in of_ticket.values()} <= {MASK, ""}
    assert of_ticket[ticket["ticket_id"]]["subject"] == MASK and of_ticket[ticket["ticket_id"]]["_loaded_at"]
    console = Console(width=150, record=True, file=io.StringIO())
    show(found, console, folder / "figure.sql")
    text = console.export_text()
    assert "1 of core.fct_tickets" in text and ticket["ticket_id"] in text and str(ticket["subject"]) not in text

    answer = explain_figure("marts.mart_ticket_analytics", "response_elapsed_minutes", f"ticket_key = '{ticket['ticket_key']}'")
    assert answer.is_proven and answer.value == float(found.value) and answer.freshness.run_id == run.run_id
    assert answer.raw and answer.checks and answer.computing_sql == found.sql
    with pytest.raises(ToolError, match=r"names subject_line, which the table does not have"):
        explain_figure("marts.mart_ticket_analytics", "response_elapsed_minutes", "subject_line = 'x'")


def _again(
    project: Project, root: Relation, columns: list[str], key: str, evidence: Evidence, queries: Queries
) -> dict[str, Any]:
    """The figures from the models' SQL, with the rows of the CSV files in the place of the tables of core."""
    named = {part.relation.name: core_rows(project, part, 1, queries) for part in evidence.parts}
    opened = order(project, [root.name], lambda relation: relation.is_core)[::-1]
    ctes = {}
    for name in sorted({parent for model in opened for parent in project.relations[model].parents} - set(opened)):
        relation = project.relations[name]
        if name not in named:
            ctes[name] = f"select * from {name} where false"
            continue
        identity = natural(relation, project) if relation.sql else list(named[name].columns)
        equal = " and ".join(
            f"named.{column} is not distinct from whole.{column}"
            for column in dict.fromkeys([*identity, TENANT])
            if column in named[name].columns
        )
        ctes[name] = (
            f"select whole.* from {name} as whole where exists (select 1 from ({named[name].sql}) as named where {equal})"
        )
    for name in opened:
        ctes[name] = str(project.relations[name].sql)
        for parent in project.relations[name].parents:
            ctes[name] = ctes[name].replace(project.relations[parent].quoted, parent.replace(".", "__only__"))
    text = ",\n".join(f"{name.replace('.', '__only__')} as (\n{sql}\n)" for name, sql in ctes.items())
    (row,) = queries.rows(f"with {text}\nselect {', '.join(columns)} from {root.name.replace('.', '__only__')} where {key}")
    return row


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | Decimal):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
