"""
### Transform at its deadline

Starts `transform` with the data that has arrived if this day's run has not begun, because a source is late or has failed.

**Upstream** the schedule. **Downstream** `transform`. **On call.** If this DAG starts `transform`, at least one ingest DAG has
not succeeded. Fix that DAG. When its asset arrives, `transform` runs again with all sources.
"""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, get_current_context, task

from include.orchestration import AS_OF_PARAMETER, default_args, record_success, tier_tag
from include.settings import settings
from include.terms import DEADLINE_SCHEDULE, DEADLINE_TIME, TRANSFORM

TIER = "critical"

with DAG(
    dag_id="transform_deadline",
    description=f"Starts transform with the data that has arrived, if it has not begun by {DEADLINE_TIME}.",
    doc_md=__doc__,
    schedule=DEADLINE_SCHEDULE if settings().schedules == "on" else None,
    catchup=False,
    max_active_runs=1,
    default_args=default_args("data_platform", TIER),
    params={"as_of": Param(None, **AS_OF_PARAMETER)},
    tags=["transform", tier_tag(TIER)],
):

    @task.short_circuit(on_success_callback=record_success)
    def run_has_not_begun() -> bool:
        """Whether no run of `transform` for this day is running or has succeeded."""
        from include.orchestration import has_begun
        from include.run_context import RunContext

        return not has_begun(RunContext.of(get_current_context()).as_of)

    run_has_not_begun() >> TriggerDagRunOperator(
        task_id="start_transform",
        trigger_dag_id=TRANSFORM,
        on_success_callback=record_success,
        conf={"as_of": "{{ params.as_of or (dag_run.data_interval_end or dag_run.run_after) | ds }}"},
    )
