"""A caller's condition: what is read, and the sentence for everything else."""

from __future__ import annotations

import pytest

from include.explain.project import ExplainError
from include.explain.queries import sql_of
from include.explain.where import parse_where

COLUMNS = ("organization_id", "month", "dimension", "nrr_pct", "is_complete")


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("month = '2026-09-01' and dimension = 'total'", "month = '2026-09-01' and dimension = 'total'"),
        ("month = date '2026-09-01'", "month = date '2026-09-01'"),
        ("is_complete and not nrr_pct is null", "is_complete and not nrr_pct is null"),
        ("nrr_pct between 90 and 1e2 or dimension in ('a', 'b')", "nrr_pct between 90 and 1e2 or dimension in ('a', 'b')"),
        ("dimension like 'to%'", "dimension like 'to%'"),
        (r"organization_id = 'it\'s'", r"organization_id = 'it\'s'"),
        ("organization_id = 'SELECT 1; DROP' -- rest", "organization_id = 'SELECT 1; DROP'"),
        ("starts_with(dimension, 'to')", "starts_with(dimension, 'to')"),
        ("coalesce(is_complete, false)", "coalesce(is_complete, false)"),
        ("Month = '2026-09-01' and DIMENSION = 'Total'", "Month = '2026-09-01' and dimension = 'Total'"),
        ("date_trunc(month, year) = '2026-01-01'", "date_trunc(month, year) = '2026-01-01'"),
    ],
)
def test_a_condition_on_the_columns(text: str, sql: str) -> None:
    assert sql_of(parse_where(text, COLUMNS)) == sql


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "WHERE is empty"),
        ("month = ", "cannot be read"),
        ("organization_id = 'it's'", "cannot be read"),
        ("mont = '2026-09-01'", "names mont, which the table does not have. Did you mean month"),
        ("MONT = '2026-09-01'", "names MONT, which the table does not have. Did you mean month"),
        ("x.month = '2026-09-01'", "write columns without a table"),
        ("raw_crm.contacts.email = 'x'", "write columns without a table"),
        ("month = (select max(month) from marts.mart_nrr_summary)", "may not contain"),
        ("exists (select 1 from raw_crm.contacts)", "may not contain"),
        ("organization_id in (select organization_id from raw_crm.contacts)", "may not contain"),
        ("organization_id in unnest(['a'])", "may not contain"),
        ("month = max(month)", "may not contain"),
        ("row_number() over (order by month) = 1", "may not contain"),
        ("ml.predict(month) = 1", r"cannot be read: Expected table name but got `\)`\. Write"),
        ("net.host(organization_id) = 'x'", "may not contain"),
        ("session_user() = 'x'", "may not contain"),
        ("external_query('c', 'select 1') is null", "may not contain"),
        ("nrr_pct = @value", "may not contain"),
        ("true limit 1", "one condition and nothing else"),
        ("true group by month", "one condition and nothing else"),
        ("true; drop table marts.mart_nrr_summary", "one condition and nothing else"),
        ("true union all select 1 from raw_crm.contacts", "one condition and nothing else"),
        ("nrr_pct + 1", "true or false"),
        ("'total'", "true or false"),
    ],
)
def test_anything_else_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ExplainError, match=fault):
        parse_where(text, COLUMNS)
