"""A run of `transform` that misses its deadline, in Airflow's own tables.

Uses the scheduler's code to miss the deadline, and the triggerer's code to run the callback.
Run `python -m tests.include.alerts.missed_deadline` with a separate AIRFLOW_HOME.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.models.dagbag import DBDagBag
from airflow.models.deadline import Deadline
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.triggers.callback import CallbackTrigger
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

from include.orchestration import run_is_late
from tests.include.alerts.airflow_tables import register


def missed(minutes: int) -> dict[str, Any]:
    """The arguments that the triggerer gets when a run has not ended by its deadline."""
    deadline = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(minutes=minutes), AsyncCallback(run_is_late))
    with DAG("transform", schedule=None, deadline=deadline) as dag:
        EmptyOperator(task_id="publish")
    register(dag)
    with create_session() as session:
        known = DBDagBag().get_latest_version_of_dag("transform", session=session)
        before = datetime.now(UTC)
        known.create_dagrun(
            run_id="nightly",
            run_after=before,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.QUEUED,
            session=session,
        )
        session.flush()
        (miss,) = session.scalars(select(Deadline)).all()
        assert timedelta(0) <= miss.deadline_time - before - timedelta(minutes=minutes) < timedelta(minutes=1)
        miss.handle_miss(session)
        kwargs: dict[str, Any] = miss.callback.trigger.kwargs
        return kwargs


async def callback_events(trigger: CallbackTrigger) -> list[Any]:
    return [event.payload async for event in trigger.run()]


if __name__ == "__main__":
    payloads = asyncio.run(callback_events(CallbackTrigger(**missed(120))))
    assert [str(payload["state"]) for payload in payloads] == ["running", "success"], payloads
