"""The run parameter `select`: narrows the build, and skips the tasks of models that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.run_context import words_of_selection


def narrow_to_selection(context: Any, operator: Any) -> None:
    """Intersect a layer's selectors with the run's `select` parameter. In dbt, a space is a union, a comma an intersection."""
    wanted = words_of_selection(context)
    if wanted:
        operator.select = " ".join(f"{part},{word}" for part in operator.select.split() for word in wanted)


def skip_unselected(context: Mapping[str, Any]) -> None:
    """Skip the task of a model that the run's selection leaves out, because the model was not built."""
    node = getattr(context["task"], "model_unique_id", None)
    if node is None or not words_of_selection(context):
        return
    from airflow.sdk.exceptions import AirflowSkipException

    if node not in context["ti"].xcom_pull(task_ids="prepare")["selected"]:
        raise AirflowSkipException(f"{node} is not part of this run's selection.")
