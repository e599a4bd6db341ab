"""Several processes insert the same alert at the same moment: one row remains, and one message is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.alerts import deliver
from include.alerts.freshness import from_freshness_event
from include.alerts.outbox import CLAIM, Outbox
from include.alerts.plan import Plan
from include.alerts.routing import load_routing
from include.settings import ROOT
from tests.include.alerts.events import NOW, event
from tests.include.alerts.receivers import Receivers
from tests.warehouse import rows

#: Waits until all processes are ready, then reports the same breach.
PROCESS = """
import sys, time
from pathlib import Path
from include.alerts import notify
from include.alerts.outbox import Outbox
from tests.include.alerts.events import NOW, event
add = Outbox.add
def together(self, *arguments):
    Path(sys.argv[1]).touch()
    while not all(Path(name).exists() for name in sys.argv[1:]):
        time.sleep(0.01)
    add(self, *arguments)
Outbox.add = together
notify([event()], NOW)
"""


@pytest.fixture
def plain_inserts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Insert without a check, because two concurrent insert-only MERGEs of BigQuery do not see each other's rows."""
    append = ops.append

    def insert(*arguments: Any, unless_present: str | None = None, **more: Any) -> int:
        return append(*arguments, **more)

    monkeypatch.setattr(ops, "append", insert)
    yield


def alerts() -> list[Any]:
    """The alerts of one breach: a message for each route."""
    return Plan([], load_routing(), NOW).record([from_freshness_event(event(), {})]).added


def stored(bq: Client) -> list[tuple[object, ...]]:
    return rows("select alert_id, count(*), max(claimed_by), max(next_attempt_at) from ops.alerts group by 1 order by 1", bq)


def expected() -> list[tuple[object, ...]]:
    return sorted((alert.alert_id, 1, None, alert.next_attempt_at) for alert in alerts())


def test_two_processes_insert_one_row(bq: Client, tmp_path: Path) -> None:
    ready = [str(tmp_path / name) for name in ("a", "b")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, *names], env=environment, cwd=ROOT) for names in (ready, ready[::-1])
    ]
    assert [process.wait(120) for process in started] == [0, 0]
    assert stored(bq) == expected()


@pytest.mark.usefixtures("plain_inserts")
def test_concurrent_inserts_leave_one_row(bq: Client) -> None:
    wanted, count = alerts(), 3
    start = Barrier(count)

    def add(_: int) -> None:
        outbox = Outbox()
        start.wait()
        outbox.add(wanted, [], NOW)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(add, range(count)))
    assert stored(bq) == expected()


@pytest.mark.usefixtures("plain_inserts")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_row_remains_in_either_order_of_the_merges(
    bq: Client, monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    """Both insert before either merges. One merge releases its claims, the other deletes its rows."""
    query, waiting = Outbox.query, []

    def later(self: Outbox, sql: str, **parameters: Any) -> Any:
        if "merge ops.alerts" not in sql:
            return query(self, sql, **parameters)
        waiting.append(lambda: query(self, sql, **parameters))
        return []

    monkeypatch.setattr(Outbox, "query", later)
    for _ in range(2):
        Outbox(bq).add(alerts(), [], NOW)
    assert {row[1] for row in stored(bq)} == {2}
    for position in order:
        waiting[position]()
    assert stored(bq) == expected()


def test_the_merge_changes_existing_rows(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """BigQuery serializes only statements that change existing rows. So the second statement must always change some."""
    jobs, query = [], Client.query

    def recorded(self: Client, sql: str, *arguments: Any, **more: Any) -> Any:
        jobs.append(query(self, sql, *arguments, **more))
        return jobs[-1]

    monkeypatch.setattr(Client, "query", recorded)
    Outbox(bq).add(alerts(), [], NOW)
    insert, merge = jobs
    assert "insert" in insert.query
    assert "insert" not in merge.query
    assert merge.num_dml_affected_rows == len(alerts()) > 0


def test_an_alert_is_not_sent_before_its_writer_releases_it(
    bq: Client, received: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Outbox, "query", killed)
        Outbox(bq).add(alerts(), [], NOW)
    deliver(NOW)
    assert received.counts == (0, 0, 0)
    deliver(NOW + CLAIM + timedelta(minutes=1))
    assert received.counts == (1, 1, 0), "the alerts of a killed writer are sent when its claim has expired"


def test_a_delivery_without_due_alerts_only_reads(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    query = Client.query
    monkeypatch.setattr(Client, "query", lambda self, sql, *a, **k: (sent.append(sql), query(self, sql, *a, **k))[1])
    assert deliver(NOW).sent == 0
    assert len(sent) == 1
    assert sent[0].startswith("select")
