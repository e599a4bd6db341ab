"""One Cosmos task group per layer of the dbt project: one task runs `dbt build`, and a task per model reports its result."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from include.dbt_project import SEEDS, layer_selectors
from include.manifest import PROFILE, TARGET
from include.settings import settings
from include.transform.node_manifests import manifest_for
from include.transform.reports import keep_reports, send_reports
from include.transform.run_environment import pass_run
from include.transform.selection import narrow_to_selection, skip_unselected

if TYPE_CHECKING:
    from cosmos import DbtTaskGroup, ProfileConfig


def rendered_selectors(layer: str, whole: Sequence[str] | None = None) -> list[str]:
    """The part of a layer that this process must parse, as dbt selectors. Empty: nothing.

    Every task parses the DAG file in its own process. The task of a model needs only itself. The task that builds a layer needs
    all models of the layer. All other processes, such as the scheduler, need all layers.

    Args:
        layer: one of `layer_selectors()`.
        whole: the dbt selectors of what the DAG builds in the layer, if that is not all.
    """
    from airflow.sdk import get_parsing_context

    task_id = get_parsing_context().task_id
    everything = layer_selectors()[layer] if whole is None else list(whole)
    if task_id is None:
        return everything
    group, _, task = task_id.partition(".")
    if group != layer:
        # `prepare` may skip the seeds' tasks, so its process must parse them.
        return everything if (layer, task_id) == (SEEDS, "prepare") else []
    if task.startswith("dbt_"):
        return everything
    # Cosmos names the tasks of a node with tests `<node>.run` and `<node>.test`, and the task of a node without tests
    # `<node>_run`.
    return [task.partition(".")[0] if "." in task else task.rpartition("_")[0]]


def _profile() -> ProfileConfig:
    from cosmos import ProfileConfig

    return ProfileConfig(
        profile_name=PROFILE,
        target_name=TARGET,
        profiles_yml_filepath=settings().dbt_dir / "profiles.yml",
    )


def _is_one_node(selectors: Sequence[str]) -> bool:
    return len(selectors) == 1 and selectors[0].isidentifier()


def dbt_layer(
    layer: str, selectors: list[str], built: Mapping[str, Collection[str]] | None = None, excluded_tests: Collection[str] = ()
) -> DbtTaskGroup:
    """The task group of a layer: the task `dbt_producer_watcher` builds it, and a task per model reports the result.

    The task `prepare` decides `as_of` and `full_refresh`. The run's `select` parameter narrows the layer. To build one failed
    model again, clear its task.

    Args:
        layer: one of `layer_selectors()`.
        selectors: dbt selectors, from `rendered_selectors`.
        built: layer → names of the nodes that the DAG builds or reuses there, if those are not all.
        excluded_tests: names of data tests that the DAG does not run.
    """
    from cosmos import DbtTaskGroup, ExecutionConfig, ProjectConfig, RenderConfig
    from cosmos.constants import ExecutionMode, LoadMode, TestBehavior

    config = settings()
    manifest = manifest_for(selectors[0]) if _is_one_node(selectors) else config.manifest
    project = ProjectConfig(dbt_project_path=config.dbt_dir, manifest_path=manifest, install_dbt_deps=False)
    # ProjectConfig has converted the path to an object-storage path. Using that imports every provider's file system.
    project.manifest_path = manifest
    group = DbtTaskGroup(
        group_id=layer,
        project_config=project,
        profile_config=_profile(),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            setup_operator_args={
                # A retry does not build again: it lets the models' own tasks build what failed.
                "retries": 1,
                "retry_delay": timedelta(seconds=5),
                "interceptors": [pass_run, narrow_to_selection, keep_reports],
                "post_execute": send_reports,
                # CI runs the unit tests. dbt's JSON files are not read: Cosmos gets the results as events, and the on-run-end
                # hook writes `ops.dbt_results`.
                "dbt_cmd_flags": [
                    "--threads",
                    str(config.dbt_threads),
                    "--exclude-resource-type",
                    "unit_test",
                    "--no-write-json",
                ],
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=selectors,
            exclude=list(excluded_tests),
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
        ),
        operator_args={
            "interceptors": [pass_run],
            "append_env": True,
            "pre_execute": skip_unselected,
            "poke_interval": 3,
            "dbt_cmd_flags": ["--threads", str(config.dbt_threads)],
        },
    )
    _watch_after_build(layer, group, built, excluded_tests)
    return group


def _watch_after_build(
    layer: str, group: DbtTaskGroup, built: Mapping[str, Collection[str]] | None, excluded_tests: Collection[str]
) -> None:
    """Start the models' tasks after the build, so that each runs once and none takes the build's CPU.

    Without this, each task starts during the build, defers, and starts again. The trigger rule `none_failed` lets the tasks run
    after a failed build, whose retry is skipped, and after models that the run's selection leaves out.
    """
    from airflow.sdk import TriggerRule

    producer = group.children[f"{group.group_id}.dbt_producer_watcher"]
    # The previous layer may have been skipped: the seeds, if they are loaded already.
    producer.trigger_rule = TriggerRule.NONE_FAILED
    _expect_only_tests_of(layer, group, producer, built, excluded_tests)
    inside = {task.task_id for task in group.iter_tasks()}
    for task in group.iter_tasks():
        if task is producer:
            continue
        if not task.upstream_task_ids & inside:
            producer >> task
        task.trigger_rule = TriggerRule.NONE_FAILED


def _expect_only_tests_of(
    layer: str, group: DbtTaskGroup, producer: Any, built: Mapping[str, Collection[str]] | None, excluded_tests: Collection[str]
) -> None:
    """Do not let this layer's test tasks wait for excluded tests, nor for tests that also read a later layer."""
    layers = layer_selectors()
    so_far = list(layers)[: list(layers).index(layer) + 1]
    folders = [settings().dbt_dir / part.removeprefix("path:") for name in so_far for part in layers[name]]
    names = None if built is None else {node for name in so_far for node in built.get(name, ())}

    def is_built(node: Any) -> bool:
        return any(node.file_path.is_relative_to(folder) for folder in folders) if names is None else node.name in names

    def runs_here(test: str) -> bool:
        if test.split(".")[2] in excluded_tests:
            return False
        parents = [group.dbt_graph.nodes[key] for key in group.dbt_graph.nodes[test].depends_on if key in group.dbt_graph.nodes]
        return all(is_built(parent) for parent in parents)

    producer.tests_per_model = {
        model: [test for test in tests if runs_here(test)] for model, tests in producer.tests_per_model.items()
    }
