"""Two DAG runs in Airflow's own task runner: a task fails at its second and last try, and a gate blocks.

Run `python -m tests.include.alerts.failing_run` with a separate AIRFLOW_HOME.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.orchestration import default_args
from include.quality import GateBlocked, GateVerdict, Outcome
from tests.include.alerts.airflow_tables import register

BROKEN = Outcome(
    name="keys_are_unique",
    relation="conformed.conformed_deals",
    action="block",
    reason="Each deal counts once.",
    expectation_type="unexpected_rows_expectation",
    column=None,
    key=("organization_id", "deal_id"),
    query="select 1",
    success=False,
    unexpected_count=2,
    observed="2",
    samples=("org-1|deal-7",),
)

arguments = default_args("finance", "high") | {"retries": 1, "retry_delay": timedelta(0), "max_retry_delay": timedelta(seconds=1)}

with DAG("ingest_billing", schedule=None, default_args=arguments, tags=["tier:high"]) as failing:

    @task
    def load() -> None:
        raise RuntimeError(f"no answer at try {get_current_context()['ti'].try_number}")

    load()

with DAG("transform", schedule=None, default_args=arguments, tags=["tier:critical"]) as blocking:

    @task
    def gate_conformed() -> None:
        try:
            raise GateBlocked(GateVerdict("conformed", (BROKEN,)))
        except GateBlocked as blocked:
            raise AirflowFailException(str(blocked)) from blocked

    gate_conformed()

if __name__ == "__main__":
    register(failing, blocking)
    for dag in (failing, blocking):
        assert dag.test().state == "failed"
