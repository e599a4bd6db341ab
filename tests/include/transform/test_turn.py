"""Whose turn it is, in a real warehouse, asked by several at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.cloud.bigquery import Client

from include.transform.turn import BUILD, Turn, take_turn
from include.warehouse import client
from tests.warehouse import connected, rows

CRM, SUPPORT = "raw_crm", "raw_support"


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as made:
        yield made


def never(dag_id: str, run_id: str) -> bool:
    """Every run that is in the way is still at work."""
    return False


def test_one_has_the_turn_until_its_run_has_ended(bq: Client) -> None:
    ended: set[tuple[str, str]] = set()

    def has_ended(dag_id: str, run_id: str) -> bool:
        return (dag_id, run_id) in ended

    assert take_turn([BUILD], "transform", "night", has_ended) is None
    assert take_turn([BUILD], "transform", "night", has_ended) is None, "a task that is run again keeps its turn"
    in_the_way = take_turn([BUILD], "refresh_hourly", "night", has_ended)
    assert in_the_way == Turn(BUILD, "transform", "night"), "run ids of two DAGs may be the same"
    assert str(in_the_way) == "transform (night) writes build"
    ended.add(("transform", "night"))
    assert take_turn([BUILD], "refresh_hourly", "night", has_ended) is None
    assert take_turn([BUILD], "transform", "next", has_ended) == Turn(BUILD, "refresh_hourly", "night")


def test_all_or_none(bq: Client) -> None:
    assert take_turn([SUPPORT], "ingest_support", "a", never) is None
    assert take_turn([BUILD, CRM, SUPPORT], "refresh_hourly", "b", never) == Turn(SUPPORT, "ingest_support", "a")
    assert take_turn([CRM], "ingest_crm", "a", never) is None, "the refresh holds none of what it could have had"
    assert take_turn([BUILD], "transform", "a", never) is None, "sources land side by side with each other and with a build"
    assert take_turn([BUILD, CRM, SUPPORT], "refresh_hourly", "b", lambda *_: True) is None
    assert rows(bq, "select resource, dag_id from ops.turns order by 1") == [
        (BUILD, "refresh_hourly"), (CRM, "refresh_hourly"), (SUPPORT, "refresh_hourly")
    ]  # fmt: skip


@pytest.mark.parametrize("attempt", range(3))
def test_of_many_who_ask_at_once_one_gets_it(bq: Client, attempt: int) -> None:
    count = 6
    start = Barrier(count)

    def ask(number: int) -> Turn | None:
        own = client()
        start.wait()
        return take_turn([BUILD, CRM], f"refresh_{number}", "r", never, own)

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(ask, range(count)))
    winners = [number for number, answer in enumerate(answers) if answer is None]
    assert len(winners) == 1
    assert {answer.dag_id for answer in answers if answer} == {f"refresh_{winners[0]}"}
    assert {row[0] for row in rows(bq, "select dag_id from ops.turns")} == {f"refresh_{winners[0]}"}


def test_a_turn_is_taken_in_one_change(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refreshes take a hundred turns a day, and BigQuery allows a table 1,500 changes."""
    assert take_turn([BUILD, CRM, SUPPORT], "transform", "a", never) is None
    sent: list[str] = []
    query = Client.query
    monkeypatch.setattr(Client, "query", lambda self, sql, *a, **k: (sent.append(sql.split()[0]), query(self, sql, *a, **k))[1])
    assert take_turn([BUILD, CRM, SUPPORT], "refresh_hourly", "b", lambda *_: True, client()) is None
    assert sent == ["select", "update", "select"]
