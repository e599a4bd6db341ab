"""
### Refresh the tables of one cadence

Updates the tables whose freshness SLA is shorter than a day. A run loads their frequently changing source tables, builds the
models downstream, checks them, and publishes only these tables. It uses the code of the nightly run, and never runs at the same
time.

| | |
|---|---|
| **Defined by** | `meta.sla.cadence` of the dbt models: one DAG per cadence but `daily`. dbt lineage and the sources' files give its models and tables |
| **Starts** | at each instant of its cadence, or by hand with an optional as-of instant |
| **Upstream** | the source systems, and the last nightly run or slower refresh: it loads the tables whose `refresh_every` is longer than the cadence |
| **Skips** | its scheduled run if a nightly run or another refresh is running, or if there is no complete nightly run to build on |
| **Downstream** | its tables in `marts` and `metrics`. It emits no asset, so nightly runs do not wait for it |

**On call.**

- *A run is skipped.* This is no failure. The log of `prepare` and `ops.pipeline_runs` give the reason; see the runbook
  `refresh-skipped`.
- *A run failed.* The published tables are unchanged. Fix the cause that the failed task names, then wait for the next run. A
  blocked `gate_…` names the expectation, the table and the rows.
- *Refreshes must stop.* Pause this DAG.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, chain, get_current_context, get_parsing_context, task

from include.dbt_project import layer_selectors
from include.orchestration import BUILD, INSTANT_PARAMETER, Refresh, default_args, refreshes, tier_tag
from include.settings import settings
from include.sources import Source
from include.terms import GATED
from include.transform import dbt_layer, rendered_selectors

OWNER = "data_platform"


def refresh_dag(refresh: Refresh) -> DAG:
    with DAG(
        dag_id=refresh.dag_id,
        description=f"Refreshes {', '.join(refresh.models)}: {refresh.cadence}.",
        doc_md=__doc__,
        schedule=refresh.schedule if settings().schedules == settings().refreshes == "on" else None,
        catchup=False,
        max_active_runs=1,
        # A longer run would block later refreshes and the nightly run.
        dagrun_timeout=min(2 * refresh.interval, timedelta(hours=1)),
        default_args=default_args(OWNER, refresh.tier),
        params={"as_of": Param(None, **INSTANT_PARAMETER)},
        tags=["refresh", tier_tag(refresh.tier)],
    ) as dag:
        written = [BUILD, *(source.dataset for source in refresh.sources.values())]

        @task.short_circuit
        def prepare() -> dict[str, Any] | None:
            """Take the locks and record the start. Skip this run if a lock is held or no nightly run can be built on."""
            from include.ops import ensure_tables
            from include.orchestration import open_run, skip_loaded_seeds, skip_run, try_lock

            context = get_current_context()
            ensure_tables()
            if other := try_lock(context, written):
                skip_run(context, f"Run skipped: {other}.")
                return None
            return skip_loaded_seeds(context, open_run(context, refresh.reused))

        def load_task(source: Source) -> Any:
            @task(task_id=f"load_{source.name}")
            def load() -> dict[str, Any]:
                """Load the new rows into raw."""
                from include.orchestration import load_task as load_source
                from include.orchestration import wait_for_lock
                from include.run_context import run_of

                # Here and below: if a task is cleared by hand, another run may hold the lock by now.
                wait_for_lock(get_current_context(), written)
                return load_source(source, run_of(get_current_context())).summary()

            return load()

        def gate(name: str, gates: list[str]) -> Any:
            @task(task_id=f"gate_{name}")
            def check() -> str:
                """Check the tables of this run with the rules of the gate that apply to them."""
                from include.orchestration import gate_task, wait_for_lock
                from include.quality import Scope
                from include.run_context import run_of

                wait_for_lock(get_current_context(), written)
                context = get_current_context()
                scope = Scope(refresh.sources, refresh.relations, refresh.reused)
                return gate_task(gates, run_of(context), scope, log_url=context["ti"].log_url)

            return check()

        @task
        def publish() -> int:
            """Clone the checked tables into the published datasets: all or none."""
            from include.orchestration import publish_task, wait_for_lock
            from include.run_context import run_of

            wait_for_lock(get_current_context(), written)
            return publish_task(refresh.dag_id, run_of(get_current_context()), refresh.tables)

        @task
        def finish() -> None:
            """Mark the run as successful in `ops.pipeline_runs`."""
            from include.ops import finish_run
            from include.run_context import run_of

            finish_run(run_of(get_current_context()), dag_id=refresh.dag_id, state="success")

        steps: list[Any] = [prepare()]
        if refresh.sources:
            steps.append([load_task(source) for source in refresh.sources.values()])
            # One task for all raw gates: it runs a hundred times a day and writes all results in one statement.
            steps.append(gate("raw", [source.dataset for source in refresh.sources.values()]))
        for layer in layer_selectors():
            if layer not in refresh.layers:
                continue
            # `prepare` skips all later tasks, so its process must parse all of them.
            whole = refresh.selectors[layer]
            skips = get_parsing_context().task_id == "prepare"
            selectors = whole if skips else rendered_selectors(layer, whole)
            steps += [dbt_layer(layer, selectors, refresh.upstream, refresh.excluded_tests)] if selectors else []
            steps += [gate(layer, [layer])] if layer in GATED else []
        chain(*steps, publish(), finish())
    return dag


for _refresh in refreshes().values():
    if get_parsing_context().dag_id in (None, _refresh.dag_id):
        globals()[_refresh.dag_id] = refresh_dag(_refresh)
