"""The publication that shows a figure, and the one before; the time that a query may take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.bigquery import Client, QueryJobConfig

from include.explain.history import publications
from include.explain.project import ExplainError
from include.explain.queries import Queries
from tests.include.mcp.published import PUBLISHED_AT, record
from tests.warehouse import connected

TABLE = "marts.mart_nrr_summary"


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as client:
        yield client


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (("published",), [0]),
        (("published", "published", "published"), [2, 1]),
        # A table that was dropped in between has a publication before, too.
        (("published", "dropped", "published"), [2, 0]),
        (("published", "published", "publishing"), [1, 0]),
    ],
)
def test_the_last_two_publications(bq: Client, states: tuple[str, ...], shown: list[int]) -> None:
    for day, state in enumerate(states):
        record(bq, TABLE, state, PUBLISHED_AT + timedelta(days=day))
    record(bq, "marts.mart_churn_risk", "dropped", PUBLISHED_AT + timedelta(days=9))
    found = publications(TABLE, Queries(bq))
    assert [each.published_at for each in found] == [PUBLISHED_AT + timedelta(days=day) for day in shown]


@pytest.mark.parametrize("states", [(), ("published", "dropped")])
def test_a_table_that_is_not_published(bq: Client, states: tuple[str, ...]) -> None:
    for day, state in enumerate(states):
        record(bq, TABLE, state, PUBLISHED_AT + timedelta(days=day))
    with pytest.raises(ExplainError, match="is not published yet"):
        publications(TABLE, Queries(bq))


@pytest.mark.parametrize(("timeout", "limit"), [(2.5, "2500"), (None, None)])
def test_a_query_ends_in_time(bq: Client, monkeypatch: pytest.MonkeyPatch, timeout: float | None, limit: str | None) -> None:
    given = []
    query = Client.query

    def recorded(self: Client, sql: str, config: QueryJobConfig, **options: Any) -> Any:
        given.append(config.job_timeout_ms)
        return query(self, sql, config, **options)

    monkeypatch.setattr(Client, "query", recorded)
    assert Queries(bq, timeout=timeout).rows("select 1 as n") == [{"n": 1}]
    assert given == [limit]
