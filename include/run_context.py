"""The identity of one run of the pipeline. DAGs pass it to all code that writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

#: Prefix of the ids of refresh DAGs. Their as-of time is the scheduled instant; that of other DAGs is midnight of that day.
REFRESH_PREFIX = "refresh_"
BATCH_INSTANT = "%Y-%m-%dT%H%M%SZ"


def latest_as_of() -> datetime:
    """The latest as-of time of a load: a day from now. The day after is not over anywhere, and its rows are not known."""
    return datetime.now(UTC) + timedelta(days=1)


@dataclass(frozen=True)
class RunContext:
    """One run.

    Attributes:
        run_id: Airflow's run id; the run writes it to each of its rows in `ops`.
        as_of: the as-of time, UTC: the run reports on events before this instant.
        full_refresh: rebuild incremental tables from scratch.
    """

    run_id: str
    as_of: datetime
    full_refresh: bool = False

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise ValueError(f"as_of must carry a timezone, got the naive {self.as_of.isoformat()}")
        object.__setattr__(self, "as_of", self.as_of.astimezone(UTC))

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> RunContext:
        """The run of an Airflow task's context.

        `as_of` is the first of these that exists:

        1. the parameter `as_of`;
        2. the run's partition key, which comes from the assets that started the run;
        3. midnight of the scheduled day, so that all ingestion runs and the nightly run of a day share it. A refresh takes
           its scheduled instant, to the second.

        Raises:
            ValueError: the parameter is neither a date nor an instant.
        """
        parameters = context.get("params") or {}
        dag_run = context["dag_run"]
        wanted = parameters.get("as_of") or getattr(dag_run, "partition_key", None)
        if wanted:
            as_of = datetime.fromisoformat(str(wanted))
            as_of = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
        else:
            moment = dag_run.data_interval_end or dag_run.run_after
            as_of = moment.astimezone(UTC).replace(microsecond=0)
            if not str(getattr(dag_run, "dag_id", "")).startswith(REFRESH_PREFIX):
                as_of = as_of.replace(hour=0, minute=0, second=0)
        return cls(dag_run.run_id, as_of, bool(parameters.get("full_refresh")))

    @property
    def partition_key(self) -> str:
        """The partition key of the assets that this run emits, for example `2026-10-01T00:00:00+00:00`."""
        return self.as_of.isoformat()

    def batch_id(self, source: str) -> str:
        """The deterministic id of this run's load of one source, for example `crm@2026-10-01T000000Z`."""
        return f"{source}@{self.as_of:{BATCH_INSTANT}}"


def run_of(context: Mapping[str, Any]) -> RunContext:
    """The run of a task in `transform` or a refresh, as its first task `prepare` decided it."""
    prepared = context["ti"].xcom_pull(task_ids="prepare")
    return RunContext(context["run_id"], datetime.fromisoformat(prepared["as_of"]), prepared["full_refresh"])


def words_of_selection(context: Mapping[str, Any]) -> list[str]:
    """The words of the run's parameter `select`: a dbt selection. Empty for a run that builds everything."""
    return str(context["params"].get("select") or "").split()


def run_page(context: Mapping[str, Any]) -> str:
    """The page of a task's run in Airflow's web UI."""
    page, _, _ = str(context["ti"].log_url).partition("/tasks/")
    return page


def batch_instant(batch_id: str) -> datetime:
    """The as-of time of an ingestion run, parsed from its batch id."""
    return datetime.strptime(batch_id.partition("@")[2], BATCH_INSTANT).replace(tzinfo=UTC)
