"""What identifies one run of the pipeline: passed from the DAGs to everything that writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


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

    def batch_id(self, source: str) -> str:
        """The deterministic id of this run's load of one source, for example `crm@2026-10-01T000000Z`."""
        return f"{source}@{self.as_of:%Y-%m-%dT%H%M%SZ}"
