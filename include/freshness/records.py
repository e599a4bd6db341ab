# ruff: noqa: S608 - SQL is put together from names of the platform's own, never from data.
"""Reads all that an evaluation of the freshness SLAs needs. One statement reads it, because BigQuery bills each table of each statement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from include.freshness.attainment import PERIODS
from include.freshness.audit import EVENTS, RECORDED, SLAS, by_table, event_of
from include.freshness.evaluate import FreshnessEvent, Measurement
from include.freshness.measure import EXPRESSIONS, RUNS, SHOWN, Runs, measurements, upstream
from include.freshness.slas import load_freshness_slas, load_lineage
from include.sources import load_sources
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client


def _array(columns: Iterable[str], relation: str) -> str:
    return f"array(select as struct {', '.join(columns)} from {relation}) as {relation.rpartition('.')[2]}"


_SQL = f"""
    with {EXPRESSIONS}, {RECORDED}
    select
        {_array(SLAS, "ops.freshness_slas")}, {_array(EVENTS, "recorded")}, {_array(SHOWN, "shown")}, {_array(RUNS, "recent_runs")}
"""


class Records:
    """The freshness SLAs, and what the audit tables hold about them at one instant, to the minute.

    Attributes:
        now: the instant.
        slas: the freshness SLAs of now, by table.
        lineage: table → the raw tables upstream of it.
        recorded: rows of `ops.freshness_slas`, by table.
        events: the changes of state of the current and the previous week and month, and of each table the last one before; oldest first.
        runs: the runs of the platform's DAGs.
    """

    def __init__(self, now: datetime, client: Client | None = None) -> None:
        """Read them.

        Args:
            now: the instant, with its timezone; seconds are ignored.
            client: a BigQuery client; one is made if not given.

        Raises:
            FreshnessSlaError: a freshness SLA in the manifest is invalid.
        """
        self.now = minute_of(now)
        self.slas, self.lineage = load_freshness_slas(), load_lineage()
        parameters = {
            "now": self.now,
            "start": min(start for _, start, _ in periods(self.now)),
            "upstream": upstream(self.slas.values(), self.lineage, load_sources()),
        }
        (row,) = rows(_SQL, parameters, client)
        self.recorded = {f"{held['dataset']}.{held['table_name']}": held for held in row["freshness_slas"]}
        self.events = sorted(map(event_of, row["recorded"]), key=lambda event: (event.measured_at, event.key))
        self.runs = Runs(_newest_first(row["recent_runs"], "started_at"))
        self._shown = _newest_first(row["shown"], "published_at")

    def measured(self) -> dict[str, Measurement]:
        """The publications of each table with a freshness SLA, and the age of their data."""
        since = {key: held["recorded_at"] for key, held in self.recorded.items()}
        return measurements(self._shown, self.slas.values(), since)

    def previous(self) -> dict[str, FreshnessEvent]:
        """The last change of state of each table that ever had one."""
        return {key: events[-1] for key, events in by_table(self.events).items()}


def periods(now: datetime) -> list[tuple[str, datetime, datetime]]:
    """The current week and month, and the previous ones: period, its start, the start of the next."""
    found = []
    for period, bounds in PERIODS.items():
        current = bounds(now)
        found += [(period, *current), (period, *bounds(current[0] - timedelta(microseconds=1)))]
    return found


def minute_of(moment: datetime) -> datetime:
    """The minute that contains an instant, UTC.

    Raises:
        ValueError: it has no timezone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the instant must carry a timezone, got the naive {moment.isoformat()}")
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _newest_first(rows: Iterable[Row], instant: str) -> list[Row]:
    return sorted(rows, key=lambda row: row[instant], reverse=True)
