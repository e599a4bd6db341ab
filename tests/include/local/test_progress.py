"""The message about a failed run: the failed task (also one of Cosmos's own), its exception, and crashed processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from include.local.airflow import Api
from include.local.errors import StackError
from include.local.home import Ports
from include.local.processes import Processes
from include.local.progress import DagProgress, Watch

BUILD = "marts.dbt_producer_watcher"
RUN = "dags/transform/dagRuns/nightly"


def logged(*events: dict[str, Any]) -> dict[str, Any]:
    return {"content": list(events)}


RAISED = {"event": "Task failed", "error_detail": [{"exc_type": "ConnectError", "exc_value": "Connection refused"}]}
ANSWERS: dict[str, dict[str, Any]] = {
    "dags/transform/dagRuns": {"dag_runs": []},
    RUN: {"state": "failed", "duration": 342.0},
    f"{RUN}/taskInstances": {
        "total_entries": 3,
        "task_instances": [
            {"task_id": BUILD, "state": "failed", "try_number": 2},
            {"task_id": "marts.mart_a.run", "state": "upstream_failed", "try_number": 0},
            {"task_id": "publish", "state": "upstream_failed", "try_number": 0},
        ],
    },
    # The retry of a build builds nothing and has no exception.
    f"{RUN}/taskInstances/{BUILD}/logs/1": logged({"event": "dbt build"}, RAISED),
    f"{RUN}/taskInstances/{BUILD}/logs/2": logged({"event": "one"}, {"event": "two"}, {"event": "three"}, {"event": "four"}),
}


@pytest.fixture
def asked() -> list[str]:
    """The paths, with queries, that were requested from Airflow's REST API."""
    return []


@pytest.fixture
def answers(asked: list[str]) -> Iterator[tuple[dict[str, dict[str, Any]], int]]:
    """Responses of Airflow's REST API by path, and the port of the server."""
    given = dict(ANSWERS)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(given[self.path.partition("?")[0].removeprefix("/api/v2/")]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep requests out of the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield given, server.server_address[1]
    server.shutdown()
    server.server_close()


def failure(port: int, logs: Path, *crashes: str) -> str:
    """The message about a run that has failed."""
    processes = Processes(logs)
    processes.crashes += crashes
    api = Api(Ports(*[port] * len(fields(Ports))))
    watch = Watch(api, processes, Console(file=StringIO()), {})
    watch.run_ids["transform"] = "nightly"
    with pytest.raises(StackError) as failed:
        watch.follow(timeout=10)
    return str(failed.value)


def test_the_build_of_a_layer_is_named_with_the_exception_of_an_earlier_try(
    answers: tuple[dict[str, dict[str, Any]], int], tmp_path: Path
) -> None:
    message = failure(answers[1], tmp_path, "airflow-api-server stopped with exit code -11 and was restarted")
    assert message.splitlines() == [
        f"transform.{BUILD} failed after 2 tries: ConnectError: Connection refused",
        "airflow-api-server stopped with exit code -11 and was restarted",
    ]


def test_without_an_exception_the_end_of_the_log_is_shown(answers: tuple[dict[str, dict[str, Any]], int], tmp_path: Path) -> None:
    answers[0][f"{RUN}/taskInstances/{BUILD}/logs/1"] = logged()
    assert "its log, which ends with: two | three | four" in failure(answers[1], tmp_path)


def test_a_run_without_a_failed_task_shows_the_states(answers: tuple[dict[str, dict[str, Any]], int], tmp_path: Path) -> None:
    tasks = [task | {"state": "upstream_failed"} for task in ANSWERS[f"{RUN}/taskInstances"]["task_instances"]]
    answers[0][f"{RUN}/taskInstances"] = {"total_entries": 3, "task_instances": tasks}
    assert "transform did not succeed, tasks: {'upstream_failed': 3}" in failure(answers[1], tmp_path)


def test_during_a_run_only_changed_tasks_are_requested(answers: tuple[dict[str, dict[str, Any]], int], asked: list[str]) -> None:
    given, port = answers
    api, progress = Api(Ports(*[port] * len(fields(Ports)))), DagProgress("transform")

    def update(state: str, *tasks: tuple[str, str]) -> bool:
        """Whether only changed tasks were requested."""
        found = [{"task_id": name, "state": its, "try_number": 1} for name, its in tasks]
        given[RUN] = {"state": state, "duration": 1.0}
        given[f"{RUN}/taskInstances"] = {"total_entries": len(found), "task_instances": found}
        progress.update(api, "nightly", elapsed=1.0)
        return "updated_at_gte=" in asked[-1]

    assert not update("running", ("prepare", "success"), (BUILD, "running"), ("publish", "none"))
    assert (progress.done, progress.total, progress.now) == (1, 2, "marts")
    assert update("running", ("publish", "success"))
    assert (progress.done, progress.total) == (2, 2)
    assert not update("success", ("prepare", "success"), (BUILD, "success"), ("publish", "success")), "at the end, all tasks"
    assert [task["state"] for task in progress.tasks] == ["success"] * 3
