# ruff: noqa: S608 - SQL is put together from names of the platform's own, never from data.
"""How new the published tables are, from the books: what each publication holds, not that a task has ended."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from include.freshness.evaluate import Measurement, Publication, Running
from include.freshness.promises import Promise
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.sources import Source

#: What the books say of longer ago is not read.
_MEMORY_DAYS = 100
#: Publications known of each table. What it showed at the last deadlines is among them.
_PUBLICATIONS = 5
#: Runs that say how long a DAG usually takes.
_USUAL_RUNS = 14
#: What a refresh takes as the night left it counts as up to date until a night has been missed: for two days.
_NIGHT_COUNTS = timedelta(days=2)

# Up to when a landing's data reaches: the instant that it looked at (it stands in the batch's name), or when it was extracted,
# if it looked ahead. A landing counts for a publication if it had ended when the run that published began, or is that run's own.
_LANDED = f"""
    select
        source || '.' || table_name as raw_table,
        run_id,
        loaded_at,
        least(parse_timestamp('%Y-%m-%dT%H%M%SZ', split(batch_id, '@')[safe_offset(1)]), coalesce(extracted_at, loaded_at)) as data_at
    from ops.loads
    where loaded_at <= @now and loaded_at > timestamp_sub(@now, interval {_MEMORY_DAYS} day)
"""

#: Common table expressions: what a look reads of publications, landings and runs; `@made_from` and `@now` are its parameters.
EXPRESSIONS = f"""
    made_from as (
        select
            json_value(item, '$.dataset') as dataset,
            json_value(item, '$.table_name') as table_name,
            json_value(item, '$.dag_id') as dag_id,
            json_value(item, '$.raw_table') as raw_table,
            cast(json_value(item, '$.counts_minutes') as int64) as counts_minutes
        from unnest(json_query_array(@made_from)) as item
    ),
    runs as (
        select run_id, dag_id, as_of, state, started_at, finished_at, message, log_url
        from ops.pipeline_runs
        where started_at <= @now and started_at > timestamp_sub(@now, interval {_MEMORY_DAYS} day)
    ),
    published as (
        select dataset, table_name, run_id, as_of, published_at, state
        from ops.publications
        where
            state in ('published', 'dropped')
            and published_at <= @now and published_at > timestamp_sub(@now, interval {_MEMORY_DAYS} day)
        qualify row_number() over (partition by dataset, table_name order by published_at desc) <= {_PUBLICATIONS}
    ),
    begun as (
        select
            published.dataset, published.table_name, published.run_id, published.as_of, published.published_at, published.state,
            made_from.raw_table, made_from.counts_minutes,
            least(coalesce(max(runs.started_at), published.published_at), published.published_at) as began_at
        from published
        inner join made_from on published.dataset = made_from.dataset and published.table_name = made_from.table_name
        left join runs on published.run_id = runs.run_id and runs.dag_id in ('transform', made_from.dag_id)
        group by 1, 2, 3, 4, 5, 6, 7, 8
    ),
    landed as ({_LANDED}),
    held as (
        select
            begun.dataset, begun.table_name, begun.run_id, begun.as_of, begun.published_at, begun.state, begun.raw_table,
            timestamp_add(max(landed.data_at), interval begun.counts_minutes minute) as data_at
        from begun
        left join landed
            on begun.raw_table = landed.raw_table
            and (
                landed.loaded_at <= begun.began_at
                or (landed.run_id = begun.run_id and landed.loaded_at <= begun.published_at)
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

_LANDED_SQL = f"select raw_table, max(data_at) as data_at from ({_LANDED}) group by 1"


def made_from(promises: Iterable[Promise], lineage: Mapping[str, frozenset[str]], sources: Mapping[str, Source]) -> str:
    """What the expressions need to know of the promised tables: the raw tables of each, as JSON text.

    Args:
        promises: what is promised.
        lineage: table → raw tables that it is made from, `<source>.<table>`.
        sources: the sources, which say how often refreshes land what.
    """
    rows = [
        {
            "dataset": promise.dataset,
            "table_name": promise.table,
            "dag_id": promise.refreshed_by,
            "raw_table": raw_table,
            "counts_minutes": _counts(promise, raw_table, sources) // timedelta(minutes=1),
        }
        for promise in promises
        # A table of constants alone is as new as the run that published it.
        for raw_table in sorted(lineage[promise.key]) or [""]
    ]
    return json.dumps(rows)


def _counts(promise: Promise, raw_table: str, sources: Mapping[str, Source]) -> timedelta:
    """For how long a landing of a raw table counts as up to date in a promised one."""
    source, _, name = raw_table.partition(".")
    table = sources[source].tables.get(name) if source in sources else None
    return timedelta(0) if table is None or table.is_landed_every(promise.cadence_interval) else _NIGHT_COUNTS


def measurements(shown: Iterable[Row], promises: Iterable[Promise], since: Mapping[str, datetime]) -> dict[str, Measurement]:
    """What is published of each promised table, and up to when its data reaches.

    A publication's data reaches as far as its oldest raw table does: the newest landing of that table which the run that
    published it could see. It never reaches further than the instant that the run looked at. A raw table that the promise's refresh
    does not land counts as up to date for two days after a landing.

    Args:
        shown: rows of the expression `shown`, newest first.
        promises: what is promised.
        since: table → when its promise was recorded.
    """
    by_table: dict[str, list[Row]] = defaultdict(list)
    for row in shown:
        by_table[f"{row['dataset']}.{row['table_name']}"].append(row)
    return {promise.key: _measurement(by_table[promise.key], since.get(promise.key)) for promise in promises}


def _measurement(rows: list[Row], since: datetime | None) -> Measurement:
    """Of the rows of one table, newest first."""
    taken_away = rows[0]["published_at"] if rows and rows[0]["state"] == "dropped" else None
    publications = (
        Publication(row["run_id"], row["as_of"], row["published_at"], row["data_at"])
        for row in rows
        if row["state"] == "published"
    )
    return Measurement(tuple(publications), since, taken_away)


def landings(now: datetime, client: Client | None = None) -> dict[str, datetime]:
    """Raw table (`<source>.<table>`) → up to when the data reaches that has landed in it by `now`."""
    return {row["raw_table"]: row["data_at"] for row in rows(_LANDED_SQL, {"now": now}, client)}


class Runs:
    """The runs of the platform's DAGs that `ops.pipeline_runs` holds: how each ended, and how long they usually take."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Of rows of the expression `recent_runs`, newest first."""
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._rows[row["dag_id"]].append(row)

    def newest(self, dag_id: str) -> Row | None:
        """The row of the DAG's newest run that did anything; None if it never ran."""
        return next((row for row in self._rows[dag_id] if row["state"] != "skipped"), None)

    def left_out(self, dag_id: str) -> Row | None:
        """The row of the DAG's newest run if that left out its turn, because another run was at work."""
        return next((row for row in self._rows[dag_id][:1] if row["state"] == "skipped"), None)

    def usual_duration(self, dag_id: str) -> timedelta | None:
        """The median of the DAG's last 14 successful runs; None if none has succeeded."""
        taken = [row["finished_at"] - row["started_at"] for row in self._rows[dag_id] if row["state"] == "success"]
        return median(taken) if taken else None

    def running(self, promise: Promise) -> Running | None:
        """The run that is refreshing a table: of the DAG of its cadence, else of the nightly one, which publishes it too."""
        for dag_id in dict.fromkeys((promise.refreshed_by, "transform")):
            row = self.newest(dag_id)
            if row is not None and row["state"] == "running":
                return Running(row["started_at"], row["as_of"])
        return None
