"""The run parameter `select`: narrows the build, and skips the tasks of models that it leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from include.settings import settings


def narrow_to_selection(context: Any, operator: Any) -> None:
    """Intersect a layer's selectors with the run's `select` parameter. In dbt, a space is a union, a comma an intersection."""
    wanted = _wanted(context)
    if wanted:
        operator.select = " ".join(f"{part},{word}" for part in operator.select.split() for word in wanted)


def selected_nodes(context: Mapping[str, Any]) -> list[str] | None:
    """The dbt ids of the models, seeds and snapshots that the run's `select` parameter names; None without one.

    Raises:
        ValueError: dbt cannot read the selection, or it names nothing.
    """
    wanted = _wanted(context)
    if not wanted:
        return None
    from dbt.cli.main import dbtRunner

    folder, state = str(settings().dbt_dir), str(settings().state_dir / "dbt")
    options = ["--project-dir", folder, "--profiles-dir", folder, "--target-path", state, "--log-path", state, "--quiet"]
    kinds = [word for kind in ("model", "seed", "snapshot") for word in ("--resource-type", kind)]
    found = dbtRunner().invoke(["ls", "--select", *wanted, *kinds, "--output", "json", "--output-keys", "unique_id", *options])
    if not found.success:
        raise ValueError(f"dbt cannot read the selection {' '.join(wanted)!r}: {found.exception}")
    if not found.result:
        raise ValueError(f"The selection {' '.join(wanted)!r} names no model, seed or snapshot.")
    return [json.loads(line)["unique_id"] for line in found.result]  # type: ignore[union-attr]


def skip_unselected(context: Mapping[str, Any]) -> None:
    """Skip the task of a model that the run's selection leaves out, because the model was not built."""
    node = getattr(context["task"], "model_unique_id", None)
    if node is None or not _wanted(context):
        return
    from airflow.sdk.exceptions import AirflowSkipException

    if node not in context["ti"].xcom_pull(task_ids="prepare")["selected"]:
        raise AirflowSkipException(f"{node} is not part of this run's selection.")


def _wanted(context: Mapping[str, Any]) -> list[str]:
    return str(context["params"].get("select") or "").split()
