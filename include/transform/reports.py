"""Buffers the node events that Cosmos pushes to XCom during a build, and sends them when the build has ended.

Cosmos pushes every dbt event of a node while dbt waits: four requests for a model and four for each of its tests. The models'
tasks read only the last event of each kind, after the build. If the build fails, Cosmos saves the events itself and sends them
when the task is retried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The attribute of the running task instance that holds the buffered events.
_KEPT = "_reports_kept"
#: Prefixes of the XCom keys of node events: the kind of the node.
_NODES = ("model__", "seed__", "snapshot__", "test__")


def keep_reports(context: Mapping[str, Any], operator: Any) -> None:
    """Buffer the node events that the task pushes to XCom: the last value per key. Called before the build starts."""
    task_instance = context["ti"]
    push, kept = task_instance.xcom_push, {}

    def keep(key: str, value: Any) -> None:
        if key.startswith(_NODES):
            kept[key] = value
        else:
            push(key=key, value=value)

    # The task instance is a pydantic model, which rejects undeclared attributes.
    object.__setattr__(task_instance, _KEPT, kept)
    object.__setattr__(task_instance, "xcom_push", keep)


def send_reports(context: Mapping[str, Any], result: Any = None) -> None:
    """Push the buffered events, without those of single tests: a model's task reads one result for all its tests."""
    task_instance = context["ti"]
    vars(task_instance).pop("xcom_push", None)
    for key, value in vars(task_instance).pop(_KEPT, {}).items():
        if not (key.startswith("test__") and key.endswith("_dbt_event")):
            task_instance.xcom_push(key=key, value=value)
