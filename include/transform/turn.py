"""Whose turn it is: nightly runs and refreshes write the same raw tables and the same build, one run at a time.

`ops.turns` holds, per resource, the run that has the turn. Nobody gives a turn back: it ends with the run, and whoever finds that
the run has ended may take it. So a run that was killed keeps nobody waiting, and there is nothing to clean up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.warehouse import client as new_client
from include.warehouse import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: Everything between raw and publishing: staging's views, core, the marts' build, quarantine, the publication.
BUILD = "build"
_ATTEMPTS = 5

# One statement, so that of two runs which ask at once one finds what the other wrote. Both change the same rows: where the
# warehouse cannot put them in an order by itself, it refuses one of them, which is then run again.
_TAKE = """
    update ops.turns as wanted
    set dag_id = @dag_id, run_id = @run_id, taken_at = current_timestamp()
    where wanted.resource in unnest(@resources)
        and not exists (
            select 1 from ops.turns as others
            where others.resource in unnest(@resources)
                and others.run_id is not null
                and not (others.dag_id = @dag_id and others.run_id = @run_id)
                and concat(others.dag_id, ' ', others.run_id) not in unnest(@ended)
        )
"""


@dataclass(frozen=True)
class Turn:
    """That a run has, or had, the turn to write a resource; of a resource that nobody has written yet, no run."""

    resource: str
    dag_id: str | None
    run_id: str | None

    def __str__(self) -> str:
        return f"{self.dag_id} ({self.run_id}) writes {self.resource}"


def take_turn(
    resources: Iterable[str],
    dag_id: str,
    run_id: str,
    has_ended: Callable[[str, str], bool],
    client: Client | None = None,
) -> Turn | None:
    """Take the turn to write all of the resources, or none of them. A run that has it already keeps it.

    Args:
        resources: `raw_<source>` or `BUILD`.
        dag_id: the DAG that asks.
        run_id: its run.
        has_ended: whether a run, by DAG and run id, has ended; asked of the runs that are in the way.
        client: a BigQuery client; one is made if not given.

    Returns:
        None if it is this run's turn now, else who is in the way.
    """
    wanted = sorted(set(resources))
    bq = client or new_client(task="turn")
    found = _turns(bq, wanted)
    for _ in range(_ATTEMPTS):
        others = [turn for turn in found if turn.run_id is not None and (turn.dag_id, turn.run_id) != (dag_id, run_id)]
        if not others and {turn.resource for turn in found if turn.run_id is not None} == set(wanted):
            return None
        for other in others:
            if not has_ended(str(other.dag_id), str(other.run_id)):
                return other
        if {turn.resource for turn in found} != set(wanted):
            _make_rows(bq, wanted)
        ended = sorted({f"{other.dag_id} {other.run_id}" for other in others})
        if _query(bq, _TAKE, wanted, ended, dag_id=dag_id, run_id=run_id).num_dml_affected_rows:
            return None
        found = _turns(bq, wanted)
    raise RuntimeError(f"The turn for {', '.join(wanted)} could not be taken in {_ATTEMPTS} attempts: {found}")


def _make_rows(bq: Client, resources: list[str]) -> None:
    """A row per resource, nobody's. Two runs that make it at once make two, which are then taken and freed together."""
    sql = """
        insert into ops.turns (resource)
        select resource from unnest(@resources) as resource
        where resource not in (select known.resource from ops.turns as known)
    """
    _query(bq, sql, resources)


def _turns(bq: Client, resources: list[str]) -> list[Turn]:
    sql = """
        select distinct resource, dag_id, run_id from ops.turns
        where resource in unnest(@resources)
        order by resource
    """
    return [Turn(row["resource"], row["dag_id"], row["run_id"]) for row in _query(bq, sql, resources)]


def _query(bq: Client, sql: str, resources: list[str], ended: Sequence[str] = (), **names: str) -> Any:
    from google.cloud import bigquery

    parameters: list[Any] = [bigquery.ArrayQueryParameter("resources", "STRING", resources)]
    parameters += [bigquery.ArrayQueryParameter("ended", "STRING", list(ended))]
    parameters += [bigquery.ScalarQueryParameter(name, "STRING", value) for name, value in names.items()]
    return execute(bq, sql, bigquery.QueryJobConfig(query_parameters=parameters)).result()
