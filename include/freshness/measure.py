# ruff: noqa: S608 - SQL is put together from names of the platform's own, never from data.
"""Measures the age of published tables from the audit tables: from the data of each publication, not the end of tasks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from include.freshness.evaluate import Measurement, Publication, Running
from include.freshness.slas import FreshnessSla
from include.run_context import BATCH_INSTANT
from include.terms import TRANSFORM
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.sources import Source

#: Older rows of the audit tables are not read.
_READ_DAYS = 100
#: The number of known publications of each table. Those of the last deadlines are among them.
_PUBLICATIONS = 5
#: Runs that say how long a DAG usually takes.
_USUAL_RUNS = 14
#: A raw table that a refresh leaves to the nightly run counts as up to date for two days, so until a nightly run has been missed.
_NIGHTLY_COUNTS = timedelta(days=2)

# Up to when a load's data reaches: its as-of time (part of the batch's id), or the time of extraction if that was earlier.
# A load counts for a publication if it had ended when the publishing run began, or is that run's own.
_LOADED = f"""
    select
        source || '.' || table_name as raw_table,
        run_id,
        loaded_at,
        least(parse_timestamp('{BATCH_INSTANT}', split(batch_id, '@')[safe_offset(1)]), coalesce(extracted_at, loaded_at)) as data_at
    from ops.loads
    where loaded_at <= @now and loaded_at > timestamp_sub(@now, interval {_READ_DAYS} day)
"""

#: Common table expressions: publications, loads and runs; `@upstream` and `@now` are the parameters.
EXPRESSIONS = f"""
    upstream as (
        select
            json_value(item, '$.dataset') as dataset,
            json_value(item, '$.table_name') as table_name,
            json_value(item, '$.dag_id') as dag_id,
            json_value(item, '$.raw_table') as raw_table,
            cast(json_value(item, '$.counts_minutes') as int64) as counts_minutes
        from unnest(json_query_array(@upstream)) as item
    ),
    runs as (
        select run_id, dag_id, as_of, state, started_at, finished_at, message, log_url
        from ops.pipeline_runs
        where started_at <= @now and started_at > timestamp_sub(@now, interval {_READ_DAYS} day)
    ),
    published as (
        select dataset, table_name, run_id, as_of, published_at, state
        from ops.publications
        where
            state in ('published', 'dropped')
            and published_at <= @now and published_at > timestamp_sub(@now, interval {_READ_DAYS} day)
        qualify row_number() over (partition by dataset, table_name order by published_at desc) <= {_PUBLICATIONS}
    ),
    begun as (
        select
            published.dataset, published.table_name, published.run_id, published.as_of, published.published_at, published.state,
            upstream.raw_table, upstream.counts_minutes,
            least(coalesce(max(runs.started_at), published.published_at), published.published_at) as began_at
        from published
        inner join upstream on published.dataset = upstream.dataset and published.table_name = upstream.table_name
        left join runs on published.run_id = runs.run_id and runs.dag_id in ('transform', upstream.dag_id)
        group by 1, 2, 3, 4, 5, 6, 7, 8
    ),
    loaded as ({_LOADED}),
    held as (
        select
            begun.dataset, begun.table_name, begun.run_id, begun.as_of, begun.published_at, begun.state, begun.raw_table,
            timestamp_add(max(loaded.data_at), interval begun.counts_minutes minute) as data_at
        from begun
        left join loaded
            on begun.raw_table = loaded.raw_table
            and (
                loaded.loaded_at <= begun.began_at
                or (loaded.run_id = begun.run_id and loaded.loaded_at <= begun.published_at)
            )
        group by begun.dataset, begun.table_name, begun.run_id, begun.as_of, begun.published_at, begun.state, begun.raw_table,
            begun.counts_minutes
    ),
    shown as (
        select
            dataset, table_name, run_id, as_of, published_at, state,
            if(
                countif(data_at is null and raw_table != '') > 0, null, least(coalesce(min(data_at), as_of), as_of)
            ) as data_at
        from held
        group by 1, 2, 3, 4, 5, 6
    ),
    recent_runs as (
        select * from runs
        where true
        qualify row_number() over (partition by dag_id, state order by started_at desc) <= {_USUAL_RUNS}
    )
"""
SHOWN = ("dataset", "table_name", "run_id", "as_of", "published_at", "state", "data_at")
RUNS = ("run_id", "dag_id", "as_of", "state", "started_at", "finished_at", "message", "log_url")

_LOADED_UP_TO = f"select raw_table, max(data_at) as data_at from ({_LOADED}) group by 1"


def upstream(slas: Iterable[FreshnessSla], lineage: Mapping[str, frozenset[str]], sources: Mapping[str, Source]) -> str:
    """The raw tables upstream of each table with a freshness SLA, as JSON text for the expressions.

    Args:
        slas: the freshness SLAs.
        lineage: table → the raw tables upstream of it, `<source>.<table>`.
        sources: the sources, which state how often refreshes load each table.
    """
    rows = [
        {
            "dataset": sla.dataset,
            "table_name": sla.table,
            "dag_id": sla.refreshed_by,
            "raw_table": raw_table,
            "counts_minutes": _counts(sla, raw_table, sources) // timedelta(minutes=1),
        }
        for sla in slas
        # A table of constants only is as new as the run that published it.
        for raw_table in sorted(lineage[sla.key]) or [""]
    ]
    return json.dumps(rows)


def _counts(sla: FreshnessSla, raw_table: str, sources: Mapping[str, Source]) -> timedelta:
    """For how long a load of a raw table counts as up to date in a table with a freshness SLA."""
    source, _, name = raw_table.partition(".")
    table = sources[source].tables.get(name) if source in sources else None
    return timedelta(0) if table is None or table.is_loaded_every(sla.cadence_interval) else _NIGHTLY_COUNTS


def measurements(shown: Iterable[Row], slas: Iterable[FreshnessSla], since: Mapping[str, datetime]) -> dict[str, Measurement]:
    """The publications of each table with a freshness SLA, and up to when their data reaches.

    The oldest raw table of a publication counts, with the newest load of it that the publishing run could see. The as-of
    time of that run is the limit. A raw table that the table's refresh does not load counts as up to date for two days after a load.

    Args:
        shown: rows of the expression `shown`, newest first.
        slas: the freshness SLAs.
        since: table → when its freshness SLA was recorded.
    """
    by_table: dict[str, list[Row]] = defaultdict(list)
    for row in shown:
        by_table[f"{row['dataset']}.{row['table_name']}"].append(row)
    return {sla.key: _measurement(by_table[sla.key], since.get(sla.key)) for sla in slas}


def _measurement(rows: list[Row], since: datetime | None) -> Measurement:
    """The measurement of one table, from its rows, newest first."""
    dropped_at = rows[0]["published_at"] if rows and rows[0]["state"] == "dropped" else None
    publications = (
        Publication(row["run_id"], row["as_of"], row["published_at"], row["data_at"])
        for row in rows
        if row["state"] == "published"
    )
    return Measurement(tuple(publications), since, dropped_at)


def loaded_up_to(now: datetime, client: Client | None = None) -> dict[str, datetime]:
    """Raw table (`<source>.<table>`) → up to when the data reaches that it holds at `now`."""
    return {row["raw_table"]: row["data_at"] for row in rows(_LOADED_UP_TO, {"now": now}, client)}


class Runs:
    """The runs in `ops.pipeline_runs`: how each ended, and how long the runs of a DAG usually take."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """From rows of the expression `recent_runs`, newest first."""
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._rows[row["dag_id"]].append(row)

    def newest(self, dag_id: str) -> Row | None:
        """The row of the DAG's newest run that was not skipped; None if there is none."""
        return next((row for row in self._rows[dag_id] if row["state"] != "skipped"), None)

    def skipped(self, dag_id: str) -> Row | None:
        """The row of the DAG's newest run if that run was skipped."""
        return next((row for row in self._rows[dag_id][:1] if row["state"] == "skipped"), None)

    def usual_duration(self, dag_id: str) -> timedelta | None:
        """The median of the DAG's last 14 successful runs; None if none has succeeded."""
        taken = [row["finished_at"] - row["started_at"] for row in self._rows[dag_id] if row["state"] == "success"]
        return median(taken) if taken else None

    def running(self, sla: FreshnessSla) -> Running | None:
        """The run that is refreshing a table: of the DAG of its cadence, else of `transform`, which publishes it too."""
        for dag_id in dict.fromkeys((sla.refreshed_by, TRANSFORM)):
            row = self.newest(dag_id)
            if row is not None and row["state"] == "running":
                return Running(row["started_at"], row["as_of"])
        return None
