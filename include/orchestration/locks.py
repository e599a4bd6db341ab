"""Locks: nightly runs and refreshes write the same raw tables and the same build, so only one run may write at a time.

`ops.locks` holds, per resource, the run with the lock. A lock is never released: it ends with its run. A run that finds a lock
of an ended run takes it over. So a killed run blocks no other run, and there is nothing to clean up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.warehouse import client as new_client
from include.warehouse import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: The resource of all tables after raw: staging and conformed views, core, the build of the marts, quarantine, publications.
BUILD = "build"
_ATTEMPTS = 5

# One statement takes all locks, so two concurrent runs cannot both succeed: both change the same rows. If BigQuery cannot
# serialize the two statements, it rejects one, which is then retried.
_TAKE = """
    update ops.locks as wanted
    set dag_id = @dag_id, run_id = @run_id, taken_at = current_timestamp()
    where wanted.resource in unnest(@resources)
        and not exists (
            select 1 from ops.locks as others
            where others.resource in unnest(@resources)
                and others.run_id is not null
                and not (others.dag_id = @dag_id and others.run_id = @run_id)
                and concat(others.dag_id, ' ', others.run_id) not in unnest(@ended)
        )
"""


@dataclass(frozen=True)
class Lock:
    """The lock on a resource, and the run that holds or held it. No run if the lock was never taken."""

    resource: str
    dag_id: str | None
    run_id: str | None

    def __str__(self) -> str:
        return f"{self.dag_id} ({self.run_id}) writes {self.resource}"


def take_lock(
    resources: Iterable[str],
    dag_id: str,
    run_id: str,
    has_ended: Callable[[str, str], bool],
    client: Client | None = None,
) -> Lock | None:
    """Take the locks on all of the resources, or on none. A run keeps the locks that it has already.

    Args:
        resources: `raw_<source>` or `BUILD`.
        dag_id: the DAG that takes the locks.
        run_id: its run.
        has_ended: whether a run, by DAG and run id, has ended; called for the runs that hold a lock.
        client: a BigQuery client; one is made if not given.

    Returns:
        None if this run has the locks now, else the lock of another run that prevents it.
    """
    wanted = sorted(set(resources))
    bq = client or new_client(task="lock")
    found = _locks(bq, wanted)
    for _ in range(_ATTEMPTS):
        others = [lock for lock in found if lock.run_id is not None and (lock.dag_id, lock.run_id) != (dag_id, run_id)]
        if not others and {lock.resource for lock in found if lock.run_id is not None} == set(wanted):
            return None
        for other in others:
            if not has_ended(str(other.dag_id), str(other.run_id)):
                return other
        if {lock.resource for lock in found} != set(wanted):
            _make_rows(bq, wanted)
        ended = sorted({f"{other.dag_id} {other.run_id}" for other in others})
        if execute(_TAKE, {"resources": wanted, "ended": ended, "dag_id": dag_id, "run_id": run_id}, bq).num_dml_affected_rows:
            return None
        found = _locks(bq, wanted)
    raise RuntimeError(f"The lock on {', '.join(wanted)} could not be taken in {_ATTEMPTS} attempts: {found}")


def _make_rows(bq: Client, resources: list[str]) -> None:
    """Insert a free row per resource. Two concurrent runs may insert two rows, which are then always taken together."""
    sql = """
        insert into ops.locks (resource)
        select resource from unnest(@resources) as resource
        where resource not in (select known.resource from ops.locks as known)
    """
    execute(sql, {"resources": resources}, bq)


def _locks(bq: Client, resources: list[str]) -> list[Lock]:
    # Each task that writes looks here. BigQuery bills a query at least 10 MB, and listing the few rows nothing.
    rows = bq.list_rows(bq.get_table("ops.locks"))
    found = {Lock(row["resource"], row["dag_id"], row["run_id"]) for row in rows if row["resource"] in resources}
    return sorted(found, key=lambda lock: lock.resource)
