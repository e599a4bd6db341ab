"""The statements that explain a figure, with the bytes that they read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from include.explain.conditions import DIALECT
from include.warehouse import Parameters, Row, client, execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

# A text in quotes, with its escaped quotes; and a constant that sqlglot writes as a cast.
_QUOTED = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`)""")
_CONSTANT = re.compile(r"cast\(('[-0-9:.+ ]+') as (date|timestamp)\)")


@dataclass
class Queries:
    """Runs SELECTs and counts the bytes that they read.

    Attributes:
        client: a BigQuery client.
        limit: the most bytes that a statement may be billed for; None for the client's own limit.
        timeout: seconds after which a statement ends; None for no limit.
        read: bytes read so far.
        count: statements so far.
    """

    client: Client = field(default_factory=lambda: client(tool="explain"))
    limit: int | None = None
    timeout: float | None = None
    read: int = 0
    count: int = 0

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """The rows of a SELECT.

        Raises:
            google.api_core.exceptions.GoogleAPICallError: the warehouse refuses it.
            concurrent.futures.TimeoutError: it did not end before `timeout`.
        """
        job = execute(sql, parameters, self.client, self.timeout, timeout=self.timeout, maximum_bytes_billed=self.limit)
        self.read += int(job.total_bytes_processed or 0)
        self.count += 1
        return [dict(row.items()) for row in (job.result() if self.timeout is None else job.result(timeout=self.timeout))]


def literal(value: Any) -> exp.Expression:
    """A value as SQL.

    Raises:
        TypeError: a value of a type that no key has.
    """
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), "TIMESTAMP", dialect=DIALECT)
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE", dialect=DIALECT)
    if isinstance(value, int | float | Decimal):
        return exp.Literal.number(str(value))
    if isinstance(value, str):
        return exp.Literal.string(value)
    raise TypeError(f"a key of type {type(value).__name__} has no SQL literal")


def equals(column: str, value: Any) -> exp.Expression:
    """The condition that a column has a value."""
    if value is None:
        return exp.Is(this=exp.column(column), expression=exp.null())
    return exp.EQ(this=exp.column(column), expression=literal(value))


def sql_of(condition: exp.Expression) -> str:
    """An expression as SQL for BigQuery, with keywords in lower case as the project writes them. Texts in quotes stay."""
    parts = _QUOTED.split(condition.sql(dialect=DIALECT, normalize_functions="lower", comments=False))
    parts[::2] = [re.sub(r"\b[A-Z][A-Z0-9_]*\b", lambda word: word[0].lower(), part) for part in parts[::2]]
    return _CONSTANT.sub(r"\2 \1", "".join(parts))
