# ruff: noqa: S608 - SQL is put together from names of the platform's own, never from data.
"""One look at the books: all that judging the promises takes, read by one statement, since BigQuery bills for every table of each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from include.freshness.attainment import PERIODS
from include.freshness.evaluate import Measurement, SlaEvent
from include.freshness.ledger import EVENTS, NOTED, PROMISES, by_table, event_of
from include.freshness.measure import EXPRESSIONS, RUNS, SHOWN, Runs, made_from, measurements
from include.freshness.promises import load_lineage, load_promises
from include.sources import load_sources
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client


def _array(columns: Iterable[str], relation: str) -> str:
    return f"array(select as struct {', '.join(columns)} from {relation}) as {relation.rpartition('.')[2]}"


_SQL = f"""
    with {EXPRESSIONS}, {NOTED}
    select
        {_array(PROMISES, "ops.sla_promises")}, {_array(EVENTS, "noted")}, {_array(SHOWN, "shown")}, {_array(RUNS, "recent_runs")}
"""


class Look:
    """What is promised and what the books say of it at one instant, to the minute.

    Attributes:
        now: the instant.
        promises: what is promised now, by table.
        lineage: table → raw tables that it is made from.
        recorded: rows of `ops.sla_promises`, by table.
        events: the changes of state noted in the running and the last week and month, and of each table the last one before; oldest first.
        runs: the runs of the platform's DAGs.
    """

    def __init__(self, now: datetime, client: Client | None = None) -> None:
        """Read it.

        Args:
            now: the instant, with its timezone; seconds do not count.
            client: a BigQuery client; one is made if not given.

        Raises:
            PromiseError: a promise in the manifest is wrong.
        """
        self.now = minute_of(now)
        self.promises, self.lineage = load_promises(), load_lineage()
        parameters = {
            "now": self.now,
            "start": min(start for _, start, _ in periods(self.now)),
            "made_from": made_from(self.promises.values(), self.lineage, load_sources()),
        }
        (row,) = rows(_SQL, parameters, client)
        self.recorded = {f"{held['dataset']}.{held['table_name']}": held for held in row["sla_promises"]}
        self.events = sorted(map(event_of, row["noted"]), key=lambda event: (event.measured_at, event.key))
        self.runs = Runs(_newest_first(row["recent_runs"], "started_at"))
        self._shown = _newest_first(row["shown"], "published_at")

    def measured(self) -> dict[str, Measurement]:
        """What is published of each promised table, and how new it is."""
        since = {key: held["recorded_at"] for key, held in self.recorded.items()}
        return measurements(self._shown, self.promises.values(), since)

    def previous(self) -> dict[str, SlaEvent]:
        """The last change of state of each table that ever had one."""
        return {key: events[-1] for key, events in by_table(self.events).items()}


def periods(now: datetime) -> list[tuple[str, datetime, datetime]]:
    """The week and the month that an instant lies in, and the ones before: period, first instant, first of the next."""
    spans = []
    for period, bounds in PERIODS.items():
        current = bounds(now)
        spans += [(period, *current), (period, *bounds(current[0] - timedelta(microseconds=1)))]
    return spans


def minute_of(moment: datetime) -> datetime:
    """The minute that an instant lies in, UTC.

    Raises:
        ValueError: it has no timezone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the instant must carry a timezone, got the naive {moment.isoformat()}")
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _newest_first(rows: Iterable[Row], instant: str) -> list[Row]:
    return sorted(rows, key=lambda row: row[instant], reverse=True)
