"""Locks in a real warehouse, taken by several runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.cloud.bigquery import Client

from include.orchestration.locks import BUILD, Lock, take_lock
from include.warehouse import client
from tests.warehouse import connected, rows

CRM, SUPPORT = "raw_crm", "raw_support"


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as made:
        yield made


def never(dag_id: str, run_id: str) -> bool:
    """All other runs are still running."""
    return False


def test_a_run_holds_the_lock_until_it_has_ended(bq: Client) -> None:
    ended: set[tuple[str, str]] = set()

    def has_ended(dag_id: str, run_id: str) -> bool:
        return (dag_id, run_id) in ended

    assert take_lock([BUILD], "transform", "nightly", has_ended) is None
    assert take_lock([BUILD], "transform", "nightly", has_ended) is None, "a task that is run again keeps its lock"
    other = take_lock([BUILD], "refresh_hourly", "nightly", has_ended)
    assert other == Lock(BUILD, "transform", "nightly"), "run ids of two DAGs may be the same"
    assert str(other) == "transform (nightly) writes build"
    ended.add(("transform", "nightly"))
    assert take_lock([BUILD], "refresh_hourly", "nightly", has_ended) is None
    assert take_lock([BUILD], "transform", "next", has_ended) == Lock(BUILD, "refresh_hourly", "nightly")


def test_all_or_none(bq: Client) -> None:
    assert take_lock([SUPPORT], "ingest_support", "a", never) is None
    assert take_lock([BUILD, CRM, SUPPORT], "refresh_hourly", "b", never) == Lock(SUPPORT, "ingest_support", "a")
    assert take_lock([CRM], "ingest_crm", "a", never) is None, "the refresh took none of the free locks"
    assert take_lock([BUILD], "transform", "a", never) is None, "ingestion runs do not block each other or a build"
    assert take_lock([BUILD, CRM, SUPPORT], "refresh_hourly", "b", lambda *_: True) is None
    assert rows("select resource, dag_id from ops.locks order by 1", bq) == [
        (BUILD, "refresh_hourly"), (CRM, "refresh_hourly"), (SUPPORT, "refresh_hourly")
    ]  # fmt: skip


@pytest.mark.parametrize("attempt", range(3))
def test_one_of_many_concurrent_runs_gets_the_lock(bq: Client, attempt: int) -> None:
    count = 6
    start = Barrier(count)

    def ask(number: int) -> Lock | None:
        own = client()
        start.wait()
        return take_lock([BUILD, CRM], f"refresh_{number}", "r", never, own)

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(ask, range(count)))
    winners = [number for number, answer in enumerate(answers) if answer is None]
    assert len(winners) == 1
    assert {answer.dag_id for answer in answers if answer} == {f"refresh_{winners[0]}"}
    assert {row[0] for row in rows("select dag_id from ops.locks", bq)} == {f"refresh_{winners[0]}"}


def test_all_locks_are_taken_in_one_change(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refreshes take locks a hundred times a day, and BigQuery allows 1,500 changes of a table per day."""
    assert take_lock([BUILD, CRM, SUPPORT], "transform", "a", never) is None
    sent: list[str] = []
    query = Client.query
    monkeypatch.setattr(Client, "query", lambda self, sql, *a, **k: (sent.append(sql.split()[0]), query(self, sql, *a, **k))[1])
    assert take_lock([BUILD, CRM, SUPPORT], "refresh_hourly", "b", lambda *_: True, client()) is None
    assert sent == ["update"], "locks are listed, which BigQuery does not bill"
