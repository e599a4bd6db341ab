# ruff: noqa: S608 - SQL is put together from names of the platform's own, never from data.
"""How new the published tables are, from the books: what each publication holds, not that a task has ended."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from include.ops import read
from include.sla.evaluate import Measurement, Publication, Running
from include.sla.promises import Promise

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

Row = dict[str, Any]

#: Publications known of each table. What it showed at the last deadlines is among them.
_PUBLICATIONS = 5
#: Runs that say how long a DAG usually takes.
_USUAL_RUNS = 14

# Up to when a landing's data reaches: the instant that it looked at (it stands in the batch's name), or when it was extracted,
# if it looked ahead. A landing counts for a publication if it had ended when the run that published began, or is that run's own.
_LANDED = """
    select
        source || '.' || table_name as raw_table,
        run_id,
        loaded_at,
        least(parse_timestamp('%Y-%m-%dT%H%M%SZ', split(batch_id, '@')[safe_offset(1)]), coalesce(extracted_at, loaded_at)) as data_at
    from ops.loads
    where loaded_at <= @now
"""

_PUBLISHED_SQL = f"""
    with made_from as (
        select
            json_value(item, '$.dataset') as dataset,
            json_value(item, '$.table_name') as table_name,
            json_value(item, '$.dag_id') as dag_id,
            json_value(item, '$.raw_table') as raw_table
        from unnest(json_query_array(@made_from)) as item
    ),
    shown as (
        select dataset, table_name, run_id, as_of, published_at, state
        from ops.publications
        where state in ('published', 'dropped') and published_at <= @now
        qualify row_number() over (partition by dataset, table_name order by published_at desc) <= {_PUBLICATIONS}
    ),
    begun as (
        select
            shown.dataset, shown.table_name, shown.run_id, shown.as_of, shown.published_at, shown.state, made_from.raw_table,
            least(coalesce(max(runs.started_at), shown.published_at), shown.published_at) as began_at
        from shown
        inner join made_from on shown.dataset = made_from.dataset and shown.table_name = made_from.table_name
        left join ops.pipeline_runs as runs
            on shown.run_id = runs.run_id and runs.dag_id in ('transform', made_from.dag_id)
        group by 1, 2, 3, 4, 5, 6, 7
    ),
    landed as ({_LANDED}),
    held as (
        select
            begun.dataset, begun.table_name, begun.run_id, begun.as_of, begun.published_at, begun.state, begun.raw_table,
            max(landed.data_at) as data_at
        from begun
        left join landed
            on begun.raw_table = landed.raw_table
            and (
                landed.loaded_at <= begun.began_at
                or (landed.run_id = begun.run_id and landed.loaded_at <= begun.published_at)
            )
        group by 1, 2, 3, 4, 5, 6, 7
    )
    select
        dataset, table_name, run_id, as_of, published_at, state,
        if(
            countif(data_at is null and raw_table != '') > 0, null, least(coalesce(min(data_at), as_of), as_of)
        ) as data_at
    from held
    group by 1, 2, 3, 4, 5, 6
    order by published_at desc
"""

_LANDED_SQL = f"select raw_table, max(data_at) as data_at from ({_LANDED}) group by 1"

_RUNS_SQL = """
    select run_id, dag_id, as_of, state, started_at, finished_at, message, log_url
    from ops.pipeline_runs
    where started_at <= @now
    qualify row_number() over (partition by dag_id, state order by started_at desc) <= @kept
    order by started_at desc
"""


def measure(
    promises: Iterable[Promise],
    lineage: Mapping[str, frozenset[str]],
    since: Mapping[str, datetime],
    now: datetime,
    client: Client | None = None,
) -> dict[str, Measurement]:
    """What is published of each promised table at `now`, and up to when its data reaches.

    A publication's data reaches as far as its oldest raw table does: the newest landing of that table which the run that
    published it could see. It never reaches further than the instant that the run looked at.

    Args:
        promises: what is promised.
        lineage: table → raw tables that it is made from, `<source>.<table>`.
        since: table → when its promise was recorded.
        now: the instant to look at.
        client: a BigQuery client; one is made if not given.
    """
    wanted = {promise.key: promise for promise in promises}
    made_from = [
        {"dataset": promise.dataset, "table_name": promise.table, "dag_id": promise.refreshed_by, "raw_table": raw_table}
        for key, promise in wanted.items()
        # A table of constants alone is as new as the run that published it.
        for raw_table in sorted(lineage[key]) or [""]
    ]
    rows = read(_PUBLISHED_SQL, client, now=("TIMESTAMP", now), made_from=("STRING", json.dumps(made_from)))
    by_table: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_table[f"{row['dataset']}.{row['table_name']}"].append(row)
    return {key: _measurement(by_table[key], since.get(key)) for key in wanted}


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
    return {row["raw_table"]: row["data_at"] for row in read(_LANDED_SQL, client, now=("TIMESTAMP", now))}


class Runs:
    """The runs of the platform's DAGs that `ops.pipeline_runs` holds: how each ended, and how long they usually take."""

    def __init__(self, now: datetime, client: Client | None = None) -> None:
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in read(_RUNS_SQL, client, now=("TIMESTAMP", now), kept=("INT64", _USUAL_RUNS)):
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
