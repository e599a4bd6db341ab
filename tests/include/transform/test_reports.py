"""A build's node events reach Airflow once, when the build has ended."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.execution_time import task_runner

from include.transform.reports import keep_reports, send_reports


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The keys and values that the task has pushed to Airflow."""
    found: list[tuple[str, Any]] = []
    monkeypatch.setattr(task_runner, "_xcom_push", lambda _, key, value: found.append((key, value)))
    return found


def test_the_last_event_of_a_node_is_sent_when_the_build_has_ended(pushed: list[tuple[str, Any]]) -> None:
    task_instance = task_runner.RuntimeTaskInstance.model_construct()
    context = {"ti": task_instance}
    keep_reports(context, None)
    for status in ("started", "success"):
        task_instance.xcom_push(key="model__shop__a_dbt_event", value=status)
        task_instance.xcom_push(key="test__shop__a_is_unique_dbt_event", value=status)
    task_instance.xcom_push(key="model__shop__a_tests_status", value="pass")
    assert pushed == []
    task_instance.xcom_push(key="task_status", value="completed")
    assert pushed == [("task_status", "completed")]
    pushed.clear()
    send_reports(context)
    assert pushed == [("model__shop__a_dbt_event", "success"), ("model__shop__a_tests_status", "pass")]
    task_instance.xcom_push(key="model__shop__b_status", value="late")
    assert pushed[-1] == ("model__shop__b_status", "late")


def test_a_task_without_buffered_events_sends_none(pushed: list[tuple[str, Any]]) -> None:
    send_reports({"ti": task_runner.RuntimeTaskInstance.model_construct()})
    assert pushed == []
