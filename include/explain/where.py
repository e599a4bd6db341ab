"""Reads a caller's condition: one expression over the columns of one table, without sub-queries, parameters or unknown functions."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from include.explain.conditions import DIALECT
from include.explain.project import ExplainError, nearest

EXAMPLE = "WHERE=\"month = '2026-09-01' and organization_id = '…'\""
# How sqlglot's messages write a word of the text.
_TOKEN = re.compile(r"<Token .*?text: (.*?), line: .*>")
_ALLOWED = (
    *(
        exp.And,
        exp.Or,
        exp.Not,
        exp.Paren,
        exp.EQ,
        exp.NEQ,
        exp.GT,
        exp.GTE,
        exp.LT,
        exp.LTE,
        exp.Between,
        exp.In,
        exp.Like,
        exp.Is,
    ),
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Tuple, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(
        exp.Cast,
        exp.DataType,
        exp.DataTypeParam,
        exp.Date,
        exp.Timestamp,
        exp.DateTrunc,
        exp.TimestampTrunc,
        exp.Var,
        exp.Interval,
    ),
    *(exp.DateAdd, exp.DateSub, exp.Lower, exp.Upper, exp.Trim, exp.Coalesce, exp.Extract, exp.Concat),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Abs, exp.Round, exp.StartsWith),
)
_BOOLEAN = (exp.Predicate, exp.And, exp.Or, exp.Not, exp.Boolean, exp.Column, exp.StartsWith, exp.Coalesce)


def parse_where(text: str, columns: Collection[str]) -> exp.Expression:
    """A condition, as parsed SQL.

    Args:
        text: the condition in BigQuery's SQL.
        columns: the columns that it may name, lower case.

    Raises:
        ExplainError: it is not one condition on these columns.
    """
    if not text.strip():
        raise ExplainError(f"WHERE is empty. Name one row: {EXAMPLE}")
    try:
        # It is parsed only; what runs is rendered from the checked tree.
        found = parse(f"select 1 from figure where {text}", dialect=DIALECT)  # noqa: S608
    except SqlglotError as error:
        reason = _TOKEN.sub(r"`\1`", str(error).splitlines()[0].split(". Line")[0])
        raise ExplainError(f"WHERE cannot be read: {reason}. Write one condition: {EXAMPLE}") from error
    statement = found[0] if len(found) == 1 else None
    # Another clause after the condition would be a part of the statement.
    if not isinstance(statement, exp.Select) or {name for name, part in statement.args.items() if part} - {
        "expressions",
        "from_",
        "where",
    }:
        raise ExplainError(f"WHERE must be one condition and nothing else: {EXAMPLE}")
    condition: exp.Expression = statement.args["where"].this
    for node in condition.walk():
        if not isinstance(node, _ALLOWED):
            raise ExplainError(
                f"WHERE may not contain `{node.sql(dialect=DIALECT)}`. Compare columns of the table with values: {EXAMPLE}"
            )
    for column in condition.find_all(exp.Column):
        if column.table:
            raise ExplainError(f"WHERE names `{column.sql(dialect=DIALECT)}`: write columns without a table.")
        # Names of columns ignore case on BigQuery.
        if column.name.lower() not in columns:
            raise ExplainError(
                f"WHERE names {column.name}, which the table does not have.{nearest(column.name.lower(), list(columns))}"
            )
    if not isinstance(condition.unnest(), _BOOLEAN):
        raise ExplainError(f"WHERE must be a condition, which is true or false: {EXAMPLE}")
    return condition
