"""What one run of `transform` is told: its instant, and whether incremental tables must be rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from include.runs import RunContext, run_page

DAG_ID = "transform"


def open_run(context: Mapping[str, Any]) -> dict[str, Any]:
    """Open the books of a run of `transform`, and say what every layer needs to know.

    A run that looks at an earlier instant than the last published one rebuilds incremental tables: they already hold what
    came later.

    Returns:
        `as_of` (ISO 8601), `full_refresh`, and the dbt ids `selected` (None: all).

    Raises:
        ValueError: the selection cannot be read, or names nothing.
    """
    from include.ops import last_as_of, start_run
    from include.transform.selection import selected_nodes

    run = RunContext.of(context)
    published = last_as_of()
    if published is not None and run.as_of < published:
        run = replace(run, full_refresh=True)
    start_run(run, dag_id=DAG_ID, log_url=run_page(context))
    return {"as_of": run.as_of.isoformat(), "full_refresh": run.full_refresh, "selected": selected_nodes(context)}


def run_of(context: Mapping[str, Any]) -> RunContext:
    """The run as `open_run` decided it."""
    prepared = context["ti"].xcom_pull(task_ids="prepare")
    return RunContext(context["run_id"], datetime.fromisoformat(prepared["as_of"]), prepared["full_refresh"])


def has_begun(as_of: datetime) -> bool:
    """Whether a run of `transform` that looks at this instant is under way or has succeeded."""
    from include.ops import runs

    return any(row["as_of"] == as_of and row["state"] in {"running", "success"} for row in runs(DAG_ID, limit=50))
