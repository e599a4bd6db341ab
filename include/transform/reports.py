"""What a build reports of its nodes, kept until it has ended.

Cosmos sends every dbt event of a node to Airflow while dbt waits: four requests for a model and four for each of its tests.
Nobody reads them before the build has ended, and then only the last of each kind, so they are sent then. What a failed build
had to report is kept by Cosmos itself, and sent by the task's second try.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Where the reports wait: an attribute of the running task instance.
_KEPT = "_reports_kept"
#: How the keys of reports on nodes begin: with the kind of the node.
_NODES = ("model__", "seed__", "snapshot__", "test__")


def keep_reports(context: Mapping[str, Any], operator: Any) -> None:
    """Keep what the task pushes to XCom about nodes, the last value by key. To be called before the build starts."""
    task_instance = context["ti"]
    push, kept = task_instance.xcom_push, {}

    def keep(key: str, value: Any) -> None:
        if key.startswith(_NODES):
            kept[key] = value
        else:
            push(key=key, value=value)

    # The task instance is a pydantic model, which refuses attributes that it does not declare.
    object.__setattr__(task_instance, _KEPT, kept)
    object.__setattr__(task_instance, "xcom_push", keep)


def send_reports(context: Mapping[str, Any], result: Any = None) -> None:
    """Push what was kept; events of single tests are left out, since a model's task watches all its tests as one."""
    task_instance = context["ti"]
    vars(task_instance).pop("xcom_push", None)
    for key, value in vars(task_instance).pop(_KEPT, {}).items():
        if not (key.startswith("test__") and key.endswith("_dbt_event")):
            task_instance.xcom_push(key=key, value=value)
