"""Shows the progress of a nightly run: each DAG with its state, layer, number of tasks and elapsed time."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from rich.console import Console
from rich.live import Live
from rich.table import Table

from include.local.airflow import Api
from include.local.errors import StackError
from include.local.processes import Processes
from include.terms import TRANSFORM

#: Without a terminal, a line is printed at most every so many seconds, and only if it has changed.
LINE_SECONDS = 5.0
POLL_SECONDS = 2.0
#: The longest delay between the timestamp of a task's change and its commit, after which the API shows it.
COMMIT_DELAY = timedelta(seconds=10)
DONE = {"success", "skipped"}
ENDED = {"success", "failed"}
#: Tasks that Cosmos adds. They are not counted, but their failures are reported.
INTERNAL = ("dbt_producer_watcher", "dbt_producer_watcher_done")


@dataclass
class DagProgress:
    """The last known state of a DAG run."""

    dag_id: str
    state: str = "waiting"
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    now: str = ""
    seen: datetime | None = None
    _tasks: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The run's task instances, as of the last update."""
        return list(self._tasks.values())

    def update(self, api: Api, run_id: str, elapsed: float) -> None:
        """Get the state of the run and of its tasks; during the run, only of tasks that may have changed since the last update."""
        now = datetime.now(UTC)
        run = api.get(f"dags/{self.dag_id}/dagRuns/{run_id}")
        self.state = run["state"]
        self.seconds = run.get("duration") or elapsed
        changed_since = None if self.seen is None or self.state in ENDED else self.seen - COMMIT_DELAY
        self._tasks |= {task["task_id"]: task for task in api.tasks(self.dag_id, run_id, changed_since)}
        self.seen = now
        tasks = self.tasks
        counted = [task for task in tasks if not task["task_id"].endswith(INTERNAL)]
        self.total = len(counted)
        self.done = sum(task["state"] in DONE for task in counted)
        open_groups = [_group(task["task_id"]) for task in tasks if task["state"] in {"running", "queued", "deferred"}]
        self.now = Counter(open_groups).most_common(1)[0][0] if open_groups and self.state not in ENDED else ""

    def line(self) -> str:
        return f"{self.dag_id:<18} {self.state:<8} {self.done:>3}/{self.total:<3} {self.seconds:4.0f} s  {self.now}"


def _group(task_id: str) -> str:
    return task_id.split(".", 1)[0]


class Watch:
    """Follows the ingest runs and the transform run of one nightly run."""

    def __init__(self, api: Api, processes: Processes, console: Console, runs: dict[str, str]) -> None:
        self.api = api
        self.processes = processes
        self.console = console
        self.run_ids: dict[str, str | None] = dict(runs.items()) | {TRANSFORM: None}
        self.progress = {dag: DagProgress(dag) for dag in self.run_ids}
        self.known_transforms = {run["dag_run_id"] for run in api.runs(TRANSFORM)}
        self.started = time.monotonic()

    def follow(self, timeout: float) -> dict[str, str]:
        """Wait until every run has ended, and show the progress. Returns DAG id → run id.

        Raises:
            StackError: a run has failed (with the message of the failed task), or has not ended within `timeout` seconds.
        """
        live = Live(console=self.console, refresh_per_second=4) if self.console.is_terminal else None
        last_line, next_line = "", 0.0
        if live:
            live.start()
        try:
            while not self._poll():
                if live:
                    live.update(self._table())
                elif (line := self._line()) != last_line and time.monotonic() >= next_line:
                    self.console.print(f"  {time.monotonic() - self.started:4.0f} s  {line}", highlight=False, soft_wrap=True)
                    last_line, next_line = line, time.monotonic() + LINE_SECONDS
                if time.monotonic() - self.started > timeout:
                    raise StackError(
                        f"The nightly run has not ended within {timeout / 60:.0f} minutes; the logs are in .local/logs."
                    )
                time.sleep(POLL_SECONDS)
            if live:
                live.update(self._table())
        finally:
            if live:
                live.stop()
        self._raise_failures()
        return {dag: run for dag, run in self.run_ids.items() if run}

    def _poll(self) -> bool:
        """Update the progress once. Returns whether every run has ended; False if the server is being restarted."""
        known = len(self.processes.crashes)
        self.processes.check()
        for crash in self.processes.crashes[known:]:
            self.console.print(f"  {crash}", highlight=False, soft_wrap=True)
        try:
            return self._update()
        except (requests.ConnectionError, requests.Timeout):
            return False
        except requests.HTTPError as error:
            # The server answers so while its database stops or starts. If that has ended, the next check says so.
            if error.response.status_code < 500:
                raise
            return False

    def _update(self) -> bool:
        if self.run_ids[TRANSFORM] is None:
            new = [run for run in self.api.runs(TRANSFORM) if run["dag_run_id"] not in self.known_transforms]
            self.run_ids[TRANSFORM] = new[-1]["dag_run_id"] if new else None
        for dag_id, run_id in self.run_ids.items():
            progress = self.progress[dag_id]
            if run_id is None or progress.state in ENDED:
                continue
            progress.update(self.api, run_id, time.monotonic() - self.started)
        ingests = [progress for dag_id, progress in self.progress.items() if dag_id != TRANSFORM]
        if all(progress.state in ENDED for progress in ingests) and any(progress.state == "failed" for progress in ingests):
            return True
        return all(progress.state in ENDED for progress in self.progress.values())

    def _raise_failures(self) -> None:
        failures = []
        for dag_id, progress in self.progress.items():
            for task in progress.tasks:
                if task["state"] == "failed":
                    message = self.api.error(dag_id, str(self.run_ids[dag_id]), task)
                    failures.append(f"{dag_id}.{task['task_id']} failed after {task['try_number']} tries: {message}")
        if failures:
            raise StackError("\n".join(failures + self.processes.crashes))
        if failed := [dag_id for dag_id, progress in self.progress.items() if progress.state != "success"]:
            states = Counter(str(task["state"]) for dag_id in failed for task in self.progress[dag_id].tasks)
            message = f"{', '.join(failed)} did not succeed, tasks: {dict(states)}; run `make up` and see Airflow's web UI."
            raise StackError("\n".join([message, *self.processes.crashes]))

    def _line(self) -> str:
        shown = [p for p in self.progress.values() if p.state not in {"waiting"} | ENDED] or list(self.progress.values())[-1:]
        parts = [f"{p.dag_id} {p.done}/{p.total}{' ' + p.now if p.now else ''}" for p in shown]
        return " · ".join(parts)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for title, justify in (("DAG", "left"), ("state", "left"), ("tasks", "right"), ("elapsed", "right"), ("now", "left")):
            table.add_column(title, justify=justify)  # type: ignore[arg-type]
        colours = {"success": "green", "failed": "red", "running": "cyan", "queued": "yellow"}
        for progress in self.progress.values():
            colour = colours.get(progress.state, "dim")
            state = f"[{colour}]{progress.state}[/]"
            table.add_row(progress.dag_id, state, f"{progress.done}/{progress.total}", f"{progress.seconds:.0f} s", progress.now)
        return table
