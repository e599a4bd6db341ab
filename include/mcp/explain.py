"""`kpi.explain_figure`: where one published figure comes from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field, JsonValue

from include.explain import ExplainError, Explanation, Queries, Rows, explain
from include.mcp.answers import BYTE_CAP, TIMEOUT_SECONDS, Freshness, freshness_of, plain_errors
from include.settings import settings
from include.warehouse import client

Table = Annotated[str, Field(description="The published table, such as marts.mart_nrr_summary.", max_length=200)]
Column = Annotated[str, Field(description="A numeric column of the table, such as nrr_pct.", max_length=200)]
Where = Annotated[
    str,
    Field(
        description="A condition in BigQuery's SQL that exactly one row fulfils, such as "
        "month = '2026-09-01' and organization_id = 'acme' and dimension = 'total'. If several rows fulfil it, the error names their keys.",
        max_length=2000,
    ),
]
ShownRows = Annotated[int, Field(description="Rows of each table to return, the largest first.", ge=1, le=50)]


class SourceRows(BaseModel):
    """Rows of one table that enter the figure."""

    table: str
    is_history: bool = Field(description="Whether the rows are every version of the raw rows, not only the one that counts.")
    row_count: int = Field(description="All rows that enter the figure.")
    new_count: int | None = Field(description="Raw rows that were loaded after the publication before.")
    where: str | None = Field(description="What the rows have in common.")
    largest: list[dict[str, JsonValue]] = Field(description="The largest of the rows. Personal data is masked.")


class ExplainedFigure(BaseModel):
    """A figure with everything that gives it."""

    value: float | None
    currency: str | None
    key: dict[str, JsonValue] = Field(description="The columns that identify the row of the figure.")
    description: str
    definitions: list[str] = Field(description="The metric definitions that the table follows.")
    formula: str | None = Field(description="The expression that computes the column.")
    inputs: dict[str, JsonValue] = Field(description="The values of the columns in the formula.")
    core: list[SourceRows]
    raw: list[SourceRows]
    is_proven: bool = Field(
        description="Whether the rows of core alone give the figure. False if core or the code has changed since the publication."
    )
    changes: list[dict[str, JsonValue]] = Field(
        description="The kept figures of ended months that it is or enters, and their last restatement."
    )
    checks: dict[str, str] = Field(description="Gate → how many expectations about the tables behind the figure were met.")
    failures: list[str] = Field(description="The expectations that were not met, each with its consequence.")
    freshness: Freshness
    read_sql: str = Field(description="The query that reads the figure.")
    computing_sql: str = Field(description="The query that computes the figure from the rows of core alone.")
    bytes_processed: int = Field(description="Bytes that the queries of this explanation read.")


def explain_figure(table: Table, column: Column, where: Where, limit: ShownRows = 5) -> ExplainedFigure:
    """Explain one published figure: its definition, its formula with inputs, the rows of core and raw that give it, its changes and its checks.

    `is_proven` says that the figure was computed again from the named rows of core and came out the same. It takes some seconds.
    """
    cap = settings().maximum_bytes_billed or BYTE_CAP
    with plain_errors(), client(tool="mcp") as bq:
        try:
            found = explain(table, column, where, limit=limit, queries=Queries(bq, cap, TIMEOUT_SECONDS))
        except ExplainError as error:
            raise ToolError(str(error)) from error
        freshness = freshness_of(bq, table, cap)
    if freshness.published_at != found.publication.published_at:
        raise ToolError(f"{table} was published while it was read: try again.")
    return _answer(found, freshness)


def _answer(found: Explanation, freshness: Freshness) -> ExplainedFigure:
    return ExplainedFigure(
        value=None if found.value is None else float(found.value),
        currency=found.currency,
        key=_plain(found.key),
        description=found.description,
        definitions=[definition.text for definition in found.definitions],
        formula=found.formula.text,
        inputs={given.column: _json(given.value) for given in found.formula.inputs},
        core=[_rows(rows) for rows in found.core],
        raw=[_rows(rows) for rows in found.raw],
        is_proven=found.is_proven,
        changes=[
            {
                "metric": change.metric,
                "month": change.month.isoformat(),
                "is_this_figure": change.is_figure,
                "values": [_plain({"published_at": at, "value": value}) for at, value in change.values],
                "restatement": _plain(change.restatement) if change.restatement else None,
            }
            for change in found.changes
        ],
        checks={check.name: f"{check.passed} of {check.total} passed" for check in found.checks},
        failures=[failure for check in found.checks for failure in check.failures],
        freshness=freshness,
        read_sql=found.read_sql,
        computing_sql=found.sql,
        bytes_processed=found.bytes_read,
    )


def _rows(rows: Rows) -> SourceRows:
    return SourceRows(
        table=rows.table,
        is_history=rows.is_history,
        row_count=rows.row_count,
        new_count=rows.new_count,
        where=rows.where,
        largest=[_plain(row) for row in rows.rows],
    )


def _plain(row: Any) -> dict[str, JsonValue]:
    return {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> JsonValue:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | bool | int | float) or value is None else str(value)
