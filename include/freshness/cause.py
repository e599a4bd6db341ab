"""The likely cause why a table is late or at risk, from the audit tables: a name, a time and a link, never the text of an exception."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from include.freshness.measure import Runs
from include.terms import TRANSFORM
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.freshness.slas import FreshnessSla

_BLOCKED_SQL = """
    select gate, run_id, relation, expectation, unexpected_count
    from ops.gate_results
    where verdict = 'block' and evaluated_at <= @now
    order by evaluated_at, gate, relation, expectation
"""


@dataclass(frozen=True)
class Cause:
    """The likely cause. Tables with the same cause have equal objects.

    Attributes:
        kind: `task_failed`, `gate_blocked`, `running`, `skipped`, `source_late`, `finished_late` or
            `not_started`.
        text: in words.
        run_id, log_url: the run that it concerns, and the link to its log.
    """

    kind: str
    text: str
    run_id: str | None = None
    log_url: str | None = None


class Causes:
    """The records of runs, loads and gates in the audit tables at one instant."""

    def __init__(self, runs: Runs, loaded: Mapping[str, datetime], now: datetime, client: Client | None = None) -> None:
        self._runs = runs
        self._loaded = loaded
        self._blocked: dict[str, list[Row]] = defaultdict(list)
        for row in rows(_BLOCKED_SQL, {"now": now}, client):
            self._blocked[row["run_id"]].append(row)

    def of(self, sla: FreshnessSla, raw_tables: frozenset[str], data_at: datetime | None, data_due: datetime) -> Cause:
        """The likely cause why the data that is due is not published. The cause furthest upstream comes first.

        Args:
            sla: the freshness SLA.
            raw_tables: the raw tables upstream of the table.
            data_at: up to when the published data reaches. Earlier events are no cause.
            data_due: up to when it should reach.
        """
        sources = sorted({name.partition(".")[0] for name in raw_tables})
        late = sorted({name.partition(".")[0] for name in raw_tables if not _reaches(self._loaded.get(name), data_due)})
        nightly = sla.refreshed_by == TRANSFORM
        # Refreshes load their sources themselves.
        ingests = [f"ingest_{source}" for source in [*late, *sorted(set(sources) - set(late))]] if nightly else []
        for dag_id in dict.fromkeys((*ingests, sla.refreshed_by, TRANSFORM)):
            cause = self._of_run(dag_id, data_at)
            if cause is not None:
                return cause
        skipped = self._runs.skipped(sla.refreshed_by)
        if skipped is not None and _after(skipped["started_at"], data_at):
            # The rest of the message concerns only the person who triggered the run.
            why = (skipped["message"] or "").partition(": ")[2].partition(". ")[0].rstrip(".") or "its log says why"
            text = f"{sla.refreshed_by} skipped its run at {skipped['started_at']:%Y-%m-%d %H:%M} UTC: {why}"
            return Cause("skipped", text, skipped["run_id"], skipped["log_url"])
        for row in (self._runs.newest(dag_id) for dag_id in dict.fromkeys((sla.refreshed_by, TRANSFORM))):
            if row is not None and row["state"] == "success" and _reaches(row["as_of"], data_due):
                text = f"{row['dag_id']} ran from {row['started_at']:%Y-%m-%d %H:%M} to {row['finished_at']:%H:%M} UTC"
                return Cause("finished_late", text, row["run_id"], row["log_url"])
        day = f"{data_due:%Y-%m-%d %H:%M} UTC"
        if nightly and late:
            # All sources without a load, not only those of this table: so tables that wait for different sources have one cause.
            missing = sorted({name.partition(".")[0] for name, at in self._loaded.items() if at < data_due} | set(late))
            names = ", ".join(f"ingest_{source}" for source in missing)
            return Cause("source_late", f"no data of {day} or later is loaded, and no failure is known: {names}")
        return Cause("not_started", f"{sla.refreshed_by} has not started for the data of {day}")

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


def _reaches(data_at: datetime | None, data_due: datetime) -> bool:
    return data_at is not None and data_at >= data_due


def _after(instant: Any, data_at: datetime | None) -> bool:
    return data_at is None or instant > data_at
