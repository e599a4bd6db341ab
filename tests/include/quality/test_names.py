"""The SQL of the gates and of delete detection has no name that BigQuery and the local warehouse read differently."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.generators.bigquery import BigQueryGenerator

from include import ops
from include.ingestion import delete_detection
from include.quality.builder import gates
from include.quality.reconciliation import sides_query
from include.sources import load_sources

RESERVED = {word.lower() for word in BigQueryGenerator.RESERVED_KEYWORDS}
#: Tables with a column of their own name, audit tables included.
COLUMN_OF_ITS_NAME = {"invoiced_mrr"} | {
    table.name for table in ops.TABLES.values() if table.name in {column.name for column in table.columns}
}


def statements() -> Iterator[tuple[str, str]]:
    sources = load_sources()
    for name, gate in gates(sources).items():
        for rule in gate.rules:
            if rule.rows:
                yield f"{name}.{rule.name}", rule.rows
            if rule.reconcile:
                yield f"{name}.{rule.name}", sides_query(rule.reconcile)
    for source in sources.values():
        yield f"delete detection of {source.name}", delete_detection._count_sql(source, list(source.tables.values()))


def problems(sql: str) -> Iterator[str]:
    """The names in a statement that BigQuery refuses or reads differently."""
    tree = sqlglot.parse_one(sql, dialect="bigquery")
    for table in tree.find_all(exp.Table):
        if not table.alias and table.name in COLUMN_OF_ITS_NAME:
            yield f"{table.name} hides its column of that name: give it an alias"
    for named in tree.find_all(exp.TableAlias, exp.Alias):
        if named.name.lower() in RESERVED:
            yield f"{named.name} is a reserved keyword"
    for select in tree.find_all(exp.Select):
        read_from = {source.alias_or_name for source in select.find_all(exp.Table, exp.Subquery)}
        for part in (select.args.get("group"), select.args.get("having")):
            qualifiers = {column.table for column in part.find_all(exp.Column)} if part else set()
            for name in {column.alias for column in select.selects} & read_from & qualifiers - {""}:
                yield f"the column {name} hides the table {name} in GROUP BY or HAVING"


def test_names_mean_the_same_on_bigquery() -> None:
    found = [f"{where}: {problem}" for where, sql in statements() for problem in problems(sql)]
    assert found == []


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from ops.reconciliation where reconciliation = 'a'",
        "select live.t, count(*) as live from x as live group by live.t",
        "select 1 from a inner join b as `following` on true",
    ],
)
def test_a_name_that_bigquery_refuses_is_found(sql: str) -> None:
    assert list(problems(sql))
