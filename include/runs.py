"""What identifies one run of the pipeline: passed from the DAGs to everything that writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: The runs of DAGs whose id begins so look at the instant that they are for; those of all others at that day's midnight.
REFRESH_PREFIX = "refresh_"
_BATCH_INSTANT = "%Y-%m-%dT%H%M%SZ"


@dataclass(frozen=True)
class RunContext:
    """One run.

    Attributes:
        run_id: Airflow's run id; stamps every row that the run writes to `ops`.
        as_of: the instant that the run looks at the world, UTC: it sees what happened before it.
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

        Its `as_of` is, first that holds: the `as_of` parameter; the night that the assets which started the run belong to
        (the run's partition key); midnight of the day that the run is for. All runs of one night so share one instant. A
        refresh looks at the very instant that it is for, to the second.

        Raises:
            ValueError: the parameter is not a date or an instant.
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
    def night(self) -> str:
        """The key under which the assets of this run meet, for example `2026-10-01T00:00:00+00:00`."""
        return self.as_of.isoformat()

    def batch_id(self, source: str) -> str:
        """The deterministic id of this run's load of one source, for example `crm@2026-10-01T000000Z`."""
        return f"{source}@{self.as_of:{_BATCH_INSTANT}}"


def run_page(context: Mapping[str, Any]) -> str:
    """The page of a task's run in Airflow's web UI."""
    page, _, _ = str(context["ti"].log_url).partition("/tasks/")
    return page


def batch_instant(batch_id: str) -> datetime:
    """The instant that a landing looked at, by its batch id."""
    return datetime.strptime(batch_id.partition("@")[2], _BATCH_INSTANT).replace(tzinfo=UTC)
