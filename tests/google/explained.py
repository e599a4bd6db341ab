"""Sends the statements of `explain` for a row of published tables to the analyzer, which holds no rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from typing import Any

from include.explain.evidence import find_evidence
from include.explain.explanation import explain
from include.explain.formula import key_of
from include.explain.history import changes_of, checks
from include.explain.project import ExplainError, compiled_project
from include.explain.queries import Queries
from include.explain.raw import raw_parts
from include.explain.rows import core_rows, raw_rows
from include.manifest import PUBLISHED, published_name
from include.warehouse import Parameters, Row

_EXAMPLES: dict[str, Any] = {
    "string": "it's",
    "date": date(2026, 9, 1),
    "timestamp": datetime(2026, 9, 1, 12, tzinfo=UTC),
    "bool": True,
}


class Judged(Queries):
    """Queries with an invented row for each answer, so that no search ends early."""

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return super().rows(sql, parameters) or [defaultdict(lambda: 1, value="a key")]


def explain_tables(as_of: datetime, attempt: Callable[[str, Callable[[], object]], None], tables: Collection[str] | None) -> None:
    """Send every statement.

    Args:
        as_of: the as-of time of the models.
        attempt: runs something that the analyzer may refuse.
        tables: names of the models; None for all.
    """
    project = compiled_project(as_of)
    published = [relation for relation in project.relations.values() if relation.name.split(".")[0] in PUBLISHED]
    for relation in published:
        if tables is not None and relation.node["name"] not in tables:
            continue
        attempt(relation.name, lambda relation=relation: _statements(relation, project))  # type: ignore[misc]
    try:
        explain("marts.mart_nrr_summary", "nrr_pct", "month = '2026-09-01'")
    except ExplainError as error:
        print(f"  {error}")


def _statements(relation: Any, project: Any) -> None:
    queries = Judged()
    row = {column: _EXAMPLES.get(kind, 2) for column, kind in relation.columns.items()}
    key = key_of(relation, project, row)
    evidence = find_evidence(project, relation, relation.numbers, key, row, queries)
    assert not evidence.is_proven, "the search has ended at its first statement"
    for part in evidence.parts:
        core_rows(project, part, 10, queries)
    for raw in raw_parts(project, evidence.parts, "it's", queries):
        raw_rows(raw, as_of_before(), 10, queries)
    table = published_name(relation.node)
    for column in relation.numbers:
        changes_of(table, column, row, key, queries)
    checks([relation.name], ["test.a"], as_of_before(), Queries())


def as_of_before() -> datetime:
    return datetime(2026, 9, 30, tzinfo=UTC)
