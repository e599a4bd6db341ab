"""The start of a run of `transform` or of a refresh: its as-of time, and whether it is a full refresh."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from include.orchestration.seeds import Seeds
from include.orchestration.selection import selected_nodes
from include.run_context import REFRESH_PREFIX, RunContext, run_page
from include.terms import TRANSFORM

log = logging.getLogger(__name__)

#: The longest time between the as-of time of a nightly run and that of a refresh that reuses its tables. The reused calendars
#: end then: see `calendar_days_ahead` in dbt_project.yml.
NIGHTLY_RUN_MAX_AGE = timedelta(days=7)


def open_run(context: Mapping[str, Any], reused: Collection[str] = ()) -> dict[str, Any] | None:
    """Record the start of a run of `transform` or of a refresh, and decide the parameters of its layers.

    A backfill of an earlier day is a full refresh, because incremental tables already hold later rows. An earlier as-of time on
    the same day is not: a nightly run reports on midnight, which refreshes have passed since. Incremental models give the same
    result in any order.

    Args:
        context: Airflow's context of the run's first task.
        reused: the relations that a refresh reuses from the last nightly run.

    Returns:
        `as_of` (ISO 8601), `full_refresh`, the dbt ids `selected` (None: all), and `seeds_loaded`: whether the run may skip the
        seeds. None for a refresh without a nightly run to build on. It is recorded as skipped.

    Raises:
        ValueError: dbt cannot read the selection, or it names nothing.
    """
    from include.ops import last_as_of, runs_so_far, start_run

    dag_id = context["dag_run"].dag_id
    ran = runs_so_far()
    if reused and (reason := reason_to_skip(last_nightly_as_of(ran), RunContext.of(context).as_of)):
        skip_run(
            context,
            f"Run skipped: {reason}. It reuses {len(reused)} tables and views of the nightly run, such as {min(reused)}.",
        )
        return None
    # The runs so far contain all refreshes, but a nightly run may be older.
    built = (r["as_of"] for r in ran if r["state"] == "success" and builds_tables(r["dag_id"]))
    published = max(built, default=None) if reused else last_as_of()
    run, selected = full_refresh_if_backfill(RunContext.of(context), published), selected_nodes(context)
    seeds = Seeds.of_project()
    loaded = selected is None and not run.full_refresh and seeds.are_loaded(ran)
    note = seeds.note(loaded, whole=dag_id == TRANSFORM, selected=selected)
    start_run(run, dag_id=dag_id, log_url=run_page(context), seeds=note)
    return {"as_of": run.as_of.isoformat(), "full_refresh": run.full_refresh, "selected": selected, "seeds_loaded": loaded}


def builds_tables(dag_id: str) -> bool:
    """Whether the runs of a DAG build dbt's tables. The other DAGs load raw, watch or prune."""
    return dag_id == TRANSFORM or dag_id.startswith(REFRESH_PREFIX)


def last_nightly_as_of(ran: Iterable[Mapping[str, Any]]) -> datetime | None:
    """The as-of time of the last complete run of `transform` that succeeded; None if there was none.

    Args:
        ran: rows of `ops.pipeline_runs`, newest first.
    """
    from include.ops import SOME_SEEDS

    # A run with a selection has not loaded all seeds.
    whole = (run for run in ran if run["dag_id"] == TRANSFORM and run["state"] == "success")
    return next((run["as_of"] for run in whole if run["seeds"] not in (None, SOME_SEEDS)), None)


def reason_to_skip(nightly: datetime | None, as_of: datetime) -> str | None:
    """Why a refresh cannot build on the last nightly run; None if it can.

    Args:
        nightly: the as-of time of the last complete nightly run.
        as_of: the as-of time of the refresh.
    """
    if nightly is None:
        return "no complete run of transform has succeeded yet"
    if as_of < nightly:
        return (
            f"its as-of time is {as_of:%Y-%m-%d %H:%M} UTC, "
            f"earlier than that of the last run of transform, {nightly:%Y-%m-%d %H:%M}"
        )
    if as_of - nightly > NIGHTLY_RUN_MAX_AGE:
        return (
            f"the as-of time of the last complete run of transform is {nightly:%Y-%m-%d %H:%M} UTC, "
            f"more than {NIGHTLY_RUN_MAX_AGE.days} days earlier"
        )
    return None


def skip_run(context: Mapping[str, Any], message: str) -> None:
    """Record in the log and in `ops.pipeline_runs` that a run of a refresh is skipped, and why."""
    from include import telemetry
    from include.ops import finish_run

    dag_id = context["dag_run"].dag_id
    log.warning("%s", message)
    finish_run(RunContext.of(context), dag_id=dag_id, state="skipped", message=message)
    telemetry.skipped(dag_id)


def full_refresh_if_backfill(run: RunContext, published: datetime | None) -> RunContext:
    """The run, as a full refresh if its day is earlier than that of the last publication."""
    if published is not None and run.as_of.date() < published.date():
        return replace(run, full_refresh=True)
    return run


def has_begun(as_of: datetime) -> bool:
    """Whether a run of `transform` with this as-of time is running or has succeeded."""
    from include.ops import runs

    return any(row["as_of"] == as_of and row["state"] in {"running", "success"} for row in runs(TRANSFORM, limit=50))
