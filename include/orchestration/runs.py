"""What one run of `transform` or of a refresh is told: its instant, and whether incremental tables must be rebuilt."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from include.run_context import RunContext, run_page

log = logging.getLogger(__name__)

DAG_ID = "transform"
#: How much later than the last night a refresh may look: so far do the calendars reach that it takes from it, `calendar_days_ahead` in dbt_project.yml.
NIGHT_LASTS = timedelta(days=7)


def open_run(context: Mapping[str, Any], taken: Collection[str] = ()) -> dict[str, Any] | None:
    """Open the books of a run of `transform` or of a refresh, and say what every layer needs to know.

    A run that looks at an earlier day than the last published one rebuilds incremental tables: they already hold what
    came later. Within a day it does not: the night looks at the midnight that refreshes have gone past since, and incremental
    models converge whatever the order.

    Args:
        context: Airflow's context of the run's first task.
        taken: what a refresh takes as the last night left it.

    Returns:
        `as_of` (ISO 8601), `full_refresh`, the dbt ids `selected` (None: all), and whether its `seeds_loaded` are, so that it need not.
        None for a refresh that cannot take what it needs, which is noted as skipped.

    Raises:
        ValueError: the selection cannot be read, or names nothing.
    """
    from include.ops import last_as_of, runs_so_far, start_run
    from include.transform.seeds import Seeds
    from include.transform.selection import selected_nodes

    dag_id = context["dag_run"].dag_id
    ran = runs_so_far()
    if taken and (reason := why_not_after(last_night(ran), RunContext.of(context).as_of)):
        skip_run(
            context,
            f"Scheduled run skipped: {reason}. It takes {len(taken)} tables and views from the night, such as {min(taken)}.",
        )
        return None
    # Refreshes are all among the runs so far; a nightly run may lie further back than those.
    published = max((r["as_of"] for r in ran if r["state"] == "success"), default=None) if taken else last_as_of()
    run, selected = looking_back(RunContext.of(context), published), selected_nodes(context)
    seeds = Seeds.of_project()
    loaded = selected is None and not run.full_refresh and seeds.are_loaded(ran)
    note = seeds.note(loaded, whole=dag_id == DAG_ID, selected=selected)
    start_run(run, dag_id=dag_id, log_url=run_page(context), seeds=note)
    return {"as_of": run.as_of.isoformat(), "full_refresh": run.full_refresh, "selected": selected, "seeds_loaded": loaded}


def last_night(ran: Iterable[Mapping[str, Any]]) -> datetime | None:
    """The instant that the last whole run of `transform` which succeeded looked at; None if there was none.

    Args:
        ran: the runs so far, newest first, as the books hold them.
    """
    from include.ops import SOME_SEEDS

    # A run that was narrowed to some models has not touched all seeds.
    whole = (run for run in ran if run["dag_id"] == DAG_ID and run["state"] == "success")
    return next((run["as_of"] for run in whole if run["seeds"] not in (None, SOME_SEEDS)), None)


def why_not_after(night: datetime | None, as_of: datetime) -> str | None:
    """Why a refresh cannot take from a night what it does not build; None if it can."""
    if night is None:
        return "no whole run of transform has succeeded yet"
    if as_of < night:
        return f"it looks at {as_of:%Y-%m-%d %H:%M} UTC, and the last run of transform at a later instant, {night:%Y-%m-%d %H:%M}"
    if as_of - night > NIGHT_LASTS:
        return f"the last whole run of transform that succeeded looked at {night:%Y-%m-%d %H:%M} UTC, more than {NIGHT_LASTS.days} days earlier"
    return None


def skip_run(context: Mapping[str, Any], message: str) -> None:
    """Say in the log and in the books that a run of a refresh does nothing, and why."""
    from include import telemetry
    from include.ops import finish_run

    dag_id = context["dag_run"].dag_id
    log.warning("%s", message)
    finish_run(RunContext.of(context), dag_id=dag_id, state="skipped", message=message)
    telemetry.skipped(dag_id)


def looking_back(run: RunContext, published: datetime | None) -> RunContext:
    """The run, as a full refresh if it looks at an earlier day than what was last published."""
    if published is not None and run.as_of.date() < published.date():
        return replace(run, full_refresh=True)
    return run


def has_begun(as_of: datetime) -> bool:
    """Whether a run of `transform` that looks at this instant is under way or has succeeded."""
    from include.ops import runs

    return any(row["as_of"] == as_of and row["state"] in {"running", "success"} for row in runs(DAG_ID, limit=50))
