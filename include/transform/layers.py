"""Each layer of the dbt project as one Cosmos task group: one `dbt build`, watched by a task for every model and its tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from include.settings import settings

if TYPE_CHECKING:
    from cosmos import DbtTaskGroup

#: Layer → dbt selectors. The order is that of the pipeline; a gate of the same name follows each.
LAYERS: dict[str, list[str]] = {
    "staging": ["path:seeds", "path:models/staging"],
    "core": ["path:models/intermediate", "path:models/core", "path:snapshots"],
    "marts": ["path:models/marts", "path:models/metrics"],
}

_PREPARED = "ti.xcom_pull(task_ids='prepare')"


def dbt_layer(layer: str) -> DbtTaskGroup:
    """The task group of one layer, with `dbt_producer_watcher` building and a task per model and its tests watching it.

    The run's `as_of` and `full_refresh` come from the task `prepare`, its `select` parameter narrows the layer. A model
    whose build failed can be built alone by clearing its task.
    """
    from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
    from cosmos.constants import ExecutionMode, LoadMode, TestBehavior

    config = settings()
    manifest = config.dbt_dir / "target" / "manifest.json"
    project = ProjectConfig(dbt_project_path=config.dbt_dir, manifest_path=manifest, install_dbt_deps=False)
    # ProjectConfig makes an object-storage path of it, whose first use imports every provider's file system: 1.3 s.
    project.manifest_path = manifest
    return DbtTaskGroup(
        group_id=layer,
        project_config=project,
        profile_config=ProfileConfig(
            profile_name="customer_intelligence",
            target_name="warehouse",
            profiles_yml_filepath=config.dbt_dir / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            setup_operator_args={
                # The second try only lets the models' own tasks repair what failed; it never builds twice.
                "retries": 1,
                "retry_delay": timedelta(seconds=5),
                "interceptors": [narrow_to_selection],
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=LAYERS[layer],
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
        ),
        operator_args={
            "vars": {
                "as_of": "{{ %s['as_of'] }}" % _PREPARED,
                "run_id": "{{ run_id }}",
                "layer": layer,
            },
            "full_refresh": "{{ %s['full_refresh'] }}" % _PREPARED,
            "append_env": True,
            "poke_interval": 3,
            "dbt_cmd_flags": ["--threads", str(config.dbt_threads)],
        },
    )


def narrow_to_selection(context: Any, operator: Any) -> None:
    """Intersect a layer's selectors with the run's `select` parameter, as dbt reads it: words are a union, commas narrow."""
    wanted = (context["params"].get("select") or "").split()
    if wanted:
        operator.select = " ".join(f"{part},{word}" for part in operator.select.split() for word in wanted)
