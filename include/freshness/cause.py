"""Why a table is late or may become so, as far as the books tell: a name, a time and a link, never the words of an exception."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from include.freshness.measure import Runs
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.freshness.promises import Promise

_BLOCKED_SQL = """
    select gate, run_id, relation, expectation, unexpected_count
    from ops.gate_results
    where verdict = 'block' and evaluated_at <= @now
    order by evaluated_at, gate, relation, expectation
"""


@dataclass(frozen=True)
class Cause:
    """The likely cause. Tables that are late for one cause have equal ones.

    Attributes:
        kind: `task_failed`, `gate_blocked`, `running`, `skipped`, `source_late`, `finished_late` or
            `not_started`.
        text: in words.
        run_id, log_url: the run that it is about, and where to look.
    """

    kind: str
    text: str
    run_id: str | None = None
    log_url: str | None = None


class Causes:
    """What the books know about runs, landings and gates at one instant."""

    def __init__(self, runs: Runs, landings: Mapping[str, datetime], now: datetime, client: Client | None = None) -> None:
        self._runs = runs
        self._landings = landings
        self._blocked: dict[str, list[Row]] = defaultdict(list)
        for row in rows(_BLOCKED_SQL, {"now": now}, client):
            self._blocked[row["run_id"]].append(row)

    def of(self, promise: Promise, raw_tables: frozenset[str], data_at: datetime | None, wanted: datetime) -> Cause:
        """The likely cause why the data of an instant is not published, the furthest upstream first.

        Args:
            promise: what is promised.
            raw_tables: what the table is made from.
            data_at: up to when the published data reaches; what happened before then is no cause.
            wanted: up to when it should reach.
        """
        sources = sorted({name.partition(".")[0] for name in raw_tables})
        late = sorted({name.partition(".")[0] for name in raw_tables if not _reaches(self._landings.get(name), wanted)})
        nightly = promise.refreshed_by == "transform"
        # The DAGs of other cadences land their sources themselves.
        ingests = [f"ingest_{source}" for source in [*late, *sorted(set(sources) - set(late))]] if nightly else []
        for dag_id in dict.fromkeys((*ingests, promise.refreshed_by, "transform")):
            cause = self._of_run(dag_id, data_at)
            if cause is not None:
                return cause
        skipped = self._runs.left_out(promise.refreshed_by)
        if skipped is not None and _after(skipped["started_at"], data_at):
            # What follows is said for who has started the run.
            why = (skipped["message"] or "").partition(": ")[2].partition(". ")[0].rstrip(".") or "its log says why"
            text = f"{promise.refreshed_by} left out its turn at {skipped['started_at']:%Y-%m-%d %H:%M} UTC: {why}"
            return Cause("skipped", text, skipped["run_id"], skipped["log_url"])
        for row in (self._runs.newest(dag_id) for dag_id in dict.fromkeys((promise.refreshed_by, "transform"))):
            if row is not None and row["state"] == "success" and _reaches(row["as_of"], wanted):
                text = f"{row['dag_id']} ran from {row['started_at']:%Y-%m-%d %H:%M} to {row['finished_at']:%H:%M} UTC"
                return Cause("finished_late", text, row["run_id"], row["log_url"])
        day = f"{wanted:%Y-%m-%d %H:%M} UTC"
        if nightly and late:
            # All that are silent, not only those of this table: tables that wait for different ones of them have one cause.
            silent = sorted({name.partition(".")[0] for name, at in self._landings.items() if at < wanted} | set(late))
            names = ", ".join(f"ingest_{source}" for source in silent)
            return Cause("source_late", f"nothing of {day} or later has landed, and no failure is known: {names}")
        return Cause("not_started", f"{promise.refreshed_by} has not started for the data of {day}")

    def _of_run(self, dag_id: str, data_at: datetime | None) -> Cause | None:
        row = self._runs.newest(dag_id)
        if row is None or row["state"] == "success" or not _after(row["finished_at"] or row["started_at"], data_at):
            return None
        if row["state"] == "running":
            text = f"{dag_id} has been running since {row['started_at']:%Y-%m-%d %H:%M} UTC"
            usual = self._runs.usual_duration(dag_id)
            if usual is not None:
                text += f"; it usually takes {usual.total_seconds() / 60:.0f} min"
            return Cause("running", text, row["run_id"], row["log_url"])
        if blocked := self._blocked_gate(row):
            return Cause("gate_blocked", blocked, row["run_id"], row["log_url"])
        # The message begins with the task, `dag.task: what the exception said`.
        task = (row["message"] or "").partition(":")[0] or dag_id
        return Cause("task_failed", f"{task} failed at {row['finished_at']:%Y-%m-%d %H:%M} UTC", row["run_id"], row["log_url"])

    def _blocked_gate(self, run: Row) -> str | None:
        """Which gate blocked a run that failed, if one did, and by which rule."""
        # Runs of several DAGs may have one id; a source's own DAG passes no gate but that source's.
        gate = run["dag_id"].replace("ingest_", "raw_", 1)
        found = [row for row in self._blocked[run["run_id"]] if row["gate"] == gate or gate == run["dag_id"]]
        if not found:
            return None
        first = found[0]
        count = "" if first["unexpected_count"] is None else f", {first['unexpected_count']:,} rows"
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return f"gate {first['gate']} blocked: {first['expectation']} on {first['relation']}{count}{more}"


def _reaches(data_at: datetime | None, wanted: datetime) -> bool:
    return data_at is not None and data_at >= wanted


def _after(instant: Any, data_at: datetime | None) -> bool:
    return data_at is None or instant > data_at
