"""What Airflow's components do when they start: import once what every process that they fork would import again.

On two cores Great Expectations alone takes five seconds, and a fifth more if garbage is looked for meanwhile.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib import import_module

from include.local.gc_workaround import collect_between_instructions

#: What reading a DAG file imports.
_FOR_DAGS = (
    "airflow.providers.standard.decorators.python",
    "cosmos.airflow.task_group",
    "cosmos.operators.watcher",
    "pydantic_settings.main",
)
#: What tasks import besides: the scheduler's executor forks a process for each.
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
#: Of the platform itself.
_PLATFORM = (
    "include.ingestion.landing",
    "include.ops",
    "include.orchestration",
    "include.publish",
    "include.quality",
    "include.sources",
    "include.transform",
)
#: Objects that were made and not freed again, until the young among them are looked at; and how many such looks until the next older.
_SELDOM = (50_000, 20, 50)


def preload(arguments: Sequence[str], platform: bool) -> None:
    """Prepare one of Airflow's components.

    Args:
        arguments: its command line.
        platform: whether the platform's own code is imported too; tasks then do not see what is edited meanwhile.
    """
    gc.disable()
    if "dag-processor" in arguments:
        _import(_FOR_DAGS)
    if "scheduler" in arguments:
        niceness = os.getpriority(os.PRIO_PROCESS, 0) + 5
        os.register_at_fork(after_in_child=lambda: _be_a_task(niceness))
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


def _be_a_task(niceness: int) -> None:
    """Make way for those that hand out the next tasks, and look for garbage seldom: what dbt and dlt make stays until the end."""
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    gc.set_threshold(*_SELDOM)
