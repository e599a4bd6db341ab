"""Imports modules when an Airflow component starts, so that the processes that it forks need not import them.

docs/private-apis.md says what it saves. The garbage collector is off meanwhile, because it slows imports down.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib import import_module

from include.local.gc_workaround import collect_between_instructions

#: Modules that a DAG file imports.
_FOR_DAGS = (
    "airflow.providers.standard.decorators.python",
    "cosmos.airflow.task_group",
    "cosmos.operators.watcher",
    "pydantic_settings.main",
)
#: Modules that tasks import as well. The scheduler's executor forks a process for each task.
_FOR_TASKS = (
    "airflow.sdk.definitions.decorators",
    "airflow.providers.google.cloud.hooks.bigquery",
    "dbt.adapters.bigquery",
    "dbt.cli.main",
    "dlt.destinations",
    "great_expectations.expectations",
    "pyarrow.parquet",
    "upath.implementations.local",
)
#: Modules of the platform itself.
_PLATFORM = (
    "include.ingestion.loading",
    "include.ops",
    "include.orchestration",
    "include.publish",
    "include.quality",
    "include.sources",
    "include.transform",
)
#: The thresholds of `gc.set_threshold` for tasks: collect seldom.
_TASK_GC_THRESHOLDS = (50_000, 20, 50)


def preload(arguments: Sequence[str], platform: bool) -> None:
    """Import the modules that an Airflow component needs.

    Args:
        arguments: the command line of the component.
        platform: whether to import the platform's own code too. Tasks then do not see later edits.
    """
    gc.disable()
    if "dag-processor" in arguments:
        _import(_FOR_DAGS)
    if "scheduler" in arguments:
        niceness = os.getpriority(os.PRIO_PROCESS, 0) + 5
        os.register_at_fork(after_in_child=lambda: _set_up_task(niceness))
        _import(_FOR_DAGS + _FOR_TASKS + (_PLATFORM if platform else ()))
        if platform:
            from include.settings import settings

            settings()
    gc.enable()
    if "api-server" in arguments:
        collect_between_instructions()


def _import(names: Sequence[str]) -> None:
    for name in names:
        import_module(name)


def _set_up_task(niceness: int) -> None:
    """Give a task a lower priority than the scheduler, and collect garbage seldom: most objects of dbt and dlt stay in use."""
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    gc.set_threshold(*_TASK_GC_THRESHOLDS)
