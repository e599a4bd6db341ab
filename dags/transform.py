"""
### Transform, check, publish

Builds the dbt project layer by layer, with gates after the conformed views, core and marts. Publishes the marts only if the last gate passes.
Then it updates the snapshots of the published marts.

| | |
|---|---|
| **Starts** | when every source has emitted its asset for the same as-of day; by `transform_deadline` if one is late; or by hand |
| **Parameters** | `as_of`: the day to report on · `full_refresh`: rebuild incremental tables · `select`: build, check and publish only these dbt models |
| **Upstream** | the assets `loaded` and `raw_*` of the ingest DAGs; waits until a running refresh has ended |
| **Downstream** | `marts` and `metrics`, which analysts read; emits the asset `published` |
| **Deadline** | the owner is notified of a run that takes more than two hours (`NIGHTLY_DEADLINE_MINUTES`) |

**On call.**

- *A gate is blocked.* The run stops and the published tables are unchanged. The message names the expectation, the table and
  the rows: see `ops.gate_results` and `quarantine.quarantined_rows`.
- *A model failed.* The log of its task has dbt's message. Clear that task to build only the model, or trigger the DAG again:
  every task may run twice.

`ops.publications` says which run each published table shows. `ops.input_report` says what each run found in the raw tables.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, PartitionedAssetTimetable, chain, get_current_context, task
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from include.dbt_project import layer_selectors
from include.orchestration import (
    AS_OF_PARAMETER,
    BUILD,
    LOADED_ASSET,
    PUBLISHED_ASSET,
    default_args,
    raw_assets,
    run_is_late,
    tier_tag,
)
from include.settings import settings
from include.terms import GATED, TRANSFORM
from include.transform import dbt_layer, rendered_selectors

OWNER, TIER = "data_platform", "critical"

_all_sources: Any = Asset(LOADED_ASSET)
for _name in raw_assets():
    _all_sources = _all_sources & Asset(_name)

with DAG(
    dag_id=TRANSFORM,
    description="Builds the dbt layers, with gates after the conformed views, core and marts; publishes the marts if the last gate passes.",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=_all_sources),
    catchup=False,
    max_active_runs=1,
    default_args=default_args(OWNER, TIER),
    # This deadline concerns the run. The strictest daily freshness SLAs are due two hours after the start of the nightly run.
    deadline=DeadlineAlert(
        name="nightly",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=settings().nightly_deadline_minutes),
        callback=AsyncCallback(run_is_late),
    ),
    params={
        "as_of": Param(None, **AS_OF_PARAMETER),
        "full_refresh": Param(
            False, type="boolean", title="Full refresh", description="Rebuild incremental tables from scratch."
        ),
        "select": Param(
            None,
            type=["null", "string"],
            pattern=r"^[\w.:+@*/ -]*$",
            title="Select",
            description="dbt selection to narrow the run to, such as `+mart_ticket_sla_compliance`. Empty: everything.",
        ),
    },
    tags=["transform", tier_tag(TIER)],
):

    @task
    def prepare() -> dict[str, Any] | None:
        """Record the start, undo an unfinished publication, and decide the parameters of all layers."""
        from include.ops import ensure_tables
        from include.orchestration import open_run, skip_loaded_seeds, wait_for_lock
        from include.publish import recover

        ensure_tables()
        wait_for_lock(get_current_context(), [BUILD])
        recover()
        return skip_loaded_seeds(get_current_context(), open_run(get_current_context()))

    @task
    def input_report() -> dict[str, int]:
        """Write what the raw tables hold, lack and break to `ops.input_report`. Nothing waits for it, so it blocks nothing."""
        from include.check_data.nightly import write_input_report
        from include.run_context import run_of

        return write_input_report(run_of(get_current_context()))

    @task
    def publish() -> int:
        """Clone the checked build into the published datasets, all tables or none. A run with `select` publishes only the selected ones."""
        from include.orchestration import publish_task, selected_tables, wait_for_lock
        from include.run_context import run_of

        context = get_current_context()
        wait_for_lock(context, [BUILD])
        return publish_task(TRANSFORM, run_of(context), selected_tables(context))

    @task(trigger_rule="all_done")
    def data_docs() -> str:
        """Render the gates' results as web pages; also after a blocked gate."""
        from include.quality import build_data_docs

        return str(build_data_docs())

    @task(outlets=[Asset(PUBLISHED_ASSET)], trigger_rule="none_failed")
    def finish() -> None:
        """Mark the run as successful in `ops.pipeline_runs`."""
        from include.ops import finish_run
        from include.run_context import run_of

        finish_run(run_of(get_current_context()), dag_id=TRANSFORM, state="success")

    def gate(layer: str) -> Any:
        # The trigger rule also lets the gate run after a layer that is skipped by `select`.
        @task(task_id=f"gate_{layer}", trigger_rule="none_failed")
        def check() -> str:
            from include.orchestration import gate_task, scope_of_selection, wait_for_lock
            from include.run_context import run_of

            context = get_current_context()
            # If a gate is cleared by hand, a refresh may hold the lock by now.
            wait_for_lock(context, [BUILD])
            return gate_task(layer, run_of(context), scope_of_selection(context), log_url=context["ti"].log_url)

        return check()

    steps: list[Any] = [prepare()]
    steps[0] >> input_report()
    for layer in layer_selectors():
        steps += [dbt_layer(layer, selectors)] if (selectors := rendered_selectors(layer)) else []
        steps += [gate(layer)] if layer in GATED else []
        if layer == GATED[-1]:
            steps += [publish()]
            # The publication writes the page of restatements, which the data docs link to.
            steps[-1] >> data_docs()
    chain(*steps, finish())
