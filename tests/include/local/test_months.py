"""`make restatements` and `make close`: what they print, whom they wait for, and their errors."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.local import stack
from include.local.__main__ import main
from include.local.home import Company, Ports, local_home, only_one
from include.orchestration import BUILD, take_lock
from include.settings import settings
from tests.include.restatements.test_close import publish
from tests.warehouse import connected, rows

CLOSED = "select organization_id, event, event_by from ops.period_closes order by event_at"
Make = Callable[..., tuple[int, str]]


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """The warehouse of the last company, in which 100 of acme's revenue in September is published."""
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "local"))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(stack, "warehouse_of", lambda *_: nullcontext({}))
    with connected(monkeypatch) as client:
        ops.ensure_tables(client=client)
        Company("2026-10-01").save()
        publish(client, acme=100)
        yield client


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Make]:
    """A function that runs a command. It returns the exit code and the output."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["include.local", *words])
        code = main()
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def unfinished(bq: Client) -> Iterator[list[dict[str, str]]]:
    """The unfinished runs that the Airflow of `make up` reports."""
    runs: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.answer({"access_token": "token"})

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            assert path == "/api/v2/dags/~/dagRuns" and "state=queued&state=running" in query
            self.answer({"dag_runs": runs})

        def log_message(self, *_: object) -> None:
            """Keep requests out of the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = Ports(*[server.server_address[1]] * len(fields(Ports)))
    record = {"company": asdict(Company("2026-10-01")), "ports": asdict(ports), "pids": {"airflow-scheduler": os.getpgrp()}}
    (local_home() / "up.json").write_text(json.dumps(record))
    yield runs
    server.shutdown()
    server.server_close()


def test_a_month_is_closed_and_opened_again(bq: Client, make: Make) -> None:
    assert make("close", "2026-09", "--by", "ann") == (0, "acme: 2026-09 is closed; figures: 1.\n")
    assert make("close", "2026-09", "--by", "bob", "--organization", "acme", "--reopen") == (0, "acme: 2026-09 is open again.\n")
    assert rows(CLOSED, bq) == [("acme", "closed", "ann"), ("acme", "reopened", "bob")]


def test_restatements_are_printed_and_written_as_a_page(bq: Client, make: Make) -> None:
    code, output = make("restatements")
    assert code == 0 and output.startswith("No publication has changed a figure of an ended month.\nAs a page: ")
    assert "<h1>Restatements</h1>" in Path(output.split("As a page: ")[1].strip()).read_text()


def test_a_month_is_not_closed_while_a_run_may_publish(bq: Client, make: Make, unfinished: list[dict[str, str]]) -> None:
    assert take_lock([BUILD], "transform", "nightly", lambda *_: False, bq) is None
    unfinished.append({"dag_id": "transform", "dag_run_id": "nightly"})
    code, output = make("close", "2026-09", "--by", "ann")
    assert code == 1
    assert output == (
        "Failed 2026-09 stays as it is, because a publication may be in progress: transform (nightly) writes build. "
        "Repeat it after that run.\n"
    )
    assert rows(CLOSED, bq) == []
    unfinished.clear()
    assert make("close", "2026-09", "--by", "ann")[0] == 0
    assert rows("select dag_id from ops.locks where resource = 'build'", bq) == [("close_month",)]
    assert take_lock([BUILD], "transform", "next", lambda *_: True, bq) is None, "the lock has ended with the command"


def test_a_month_is_not_closed_during_another_command(bq: Client, make: Make) -> None:
    with only_one("run"):
        code, output = make("close", "2026-09", "--by", "ann")
    assert code == 1 and "Another command uses" in output and "make run" in output


@pytest.mark.parametrize("words", [("close", "2026-09", "--by", "ann"), ("restatements",)])
def test_a_statement_that_the_warehouse_refuses_is_one_sentence(bq: Client, make: Make, words: tuple[str, ...]) -> None:
    bq.query("create or replace view ops.closed_and_current as select 1 as one").result()
    try:
        code, output = make(*words)
    finally:
        bq.query("drop view ops.closed_and_current").result()
        ops.ensure_tables(client=bq)
    assert code == 1 and output.count("\n") == 1 + output.count("No publication")
    assert "Failed The warehouse refused a statement: " in output and "has_changed" in output


def test_wrong_figures_are_one_sentence(bq: Client, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "figures.yml").write_text("figures: 1\nrows: {}\n")
    monkeypatch.setenv("PLATFORM_GX_DIR", str(tmp_path))
    settings.cache_clear()
    code, output = make("close", "2026-09", "--by", "ann")
    assert (code, output) == (1, f"Failed {tmp_path}/figures.yml: figures: Input should be a valid tuple\n")


def test_a_wrong_month_is_one_sentence(bq: Client, make: Make) -> None:
    assert make("close", "September") == (
        1,
        "Failed The month must be YYYY-MM, for example 2026-09; it is 'September'.\n",
    )
