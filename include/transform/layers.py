"""Each layer of the dbt project as one Cosmos task group: one `dbt build`, watched by a task for every model and its tests."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from include.manifest import PROFILE, TARGET
from include.settings import settings
from include.transform.node_manifests import manifest_for
from include.transform.reports import keep_reports, send_reports
from include.transform.run_environment import pass_run
from include.transform.seeds import LAYER as SEEDS
from include.transform.selection import narrow_to_selection, skip_unselected

if TYPE_CHECKING:
    from cosmos import DbtTaskGroup, ProfileConfig

#: The layers that a gate of the same name follows. Publishing comes after the last of them; `history` keeps what was published.
GATED = ("staging", "core", "marts")


def layer_selectors() -> Mapping[str, list[str]]:
    """Layer → what dbt's `--select` takes for it, in the order of the pipeline, from the selectors of the dbt project.

    A run's own selection narrows a layer, and dbt does not combine `--select` with the name of a selector.

    Raises:
        ValueError: a selector is something else than paths.
    """
    return _read(settings().dbt_dir / "selectors.yml")


@lru_cache
def _read(path: Path) -> Mapping[str, list[str]]:
    found = {}
    for selector in yaml.safe_load(path.read_text(encoding="utf-8"))["selectors"]:
        layer, definition = selector["name"], selector["definition"]
        parts = definition.get("union", [definition])
        if any(part.keys() != {"method", "value"} or part["method"] != "path" for part in parts):
            remedy = "write `{method: path, value: folder}`, or a `union` of such"
            raise ValueError(f"{path}: selectors: {layer}: definition: a layer is made of folders: {remedy}.")
        found[layer] = [f"path:{part['value']}" for part in parts]
    return found


def rendered_selectors(layer: str, whole: Sequence[str] | None = None) -> list[str]:
    """What of a layer the DAG file is read for, as dbt selectors; empty: nothing. `whole` is what the DAG builds of it, if not all.

    Every model's task reads the file anew, in a process of its own, and needs no other task of it; the task that builds the
    layer knows all its models. Everyone else, such as the scheduler, gets all layers whole.
    """
    from airflow.sdk import get_parsing_context

    task_id = get_parsing_context().task_id
    everything = layer_selectors()[layer] if whole is None else list(whole)
    if task_id is None:
        return everything
    group, _, task = task_id.partition(".")
    if group != layer:
        # The process of `prepare` may skip the seeds' tasks, so it must know them.
        return everything if (layer, task_id) == (SEEDS, "prepare") else []
    if task.startswith("dbt_"):
        return everything
    # Cosmos calls the tasks of a node that has tests `<node>.run` and `<node>.test`, and the task of another `<node>_run`.
    return [task.partition(".")[0] if "." in task else task.rpartition("_")[0]]


def _profile() -> ProfileConfig:
    """dbt's profile. Cosmos asks for its type when a task ends, and would read the file for it each time."""
    from cosmos import ProfileConfig

    class BigQueryProfile(ProfileConfig):  # type: ignore[misc]
        def get_profile_type(self) -> str:
            return "bigquery"

    return BigQueryProfile(
        profile_name=PROFILE,
        target_name=TARGET,
        profiles_yml_filepath=settings().dbt_dir / "profiles.yml",
    )


def _is_one_node(selectors: Sequence[str]) -> bool:
    return len(selectors) == 1 and selectors[0].isidentifier()


def dbt_layer(
    layer: str, selectors: list[str], built: Mapping[str, Collection[str]] | None = None, left_out: Collection[str] = ()
) -> DbtTaskGroup:
    """The task group of what the selectors name in a layer: `dbt_producer_watcher` builds it, a task per model and its tests watches.

    The run's `as_of` and `full_refresh` are what the task `prepare` has decided, its `select` parameter narrows the layer. A
    model whose build failed can be built alone by clearing its task.

    Args:
        layer: one of `layer_selectors()`.
        selectors: dbt selectors, as `rendered_selectors` gives them.
        built: layer → names of the nodes that the DAG builds or finds there, if those are not all.
        left_out: names of data tests that the DAG does not do.
    """
    from cosmos import DbtTaskGroup, ExecutionConfig, ProjectConfig, RenderConfig
    from cosmos.constants import ExecutionMode, LoadMode, TestBehavior

    config = settings()
    manifest = manifest_for(selectors[0]) if _is_one_node(selectors) else config.manifest
    project = ProjectConfig(dbt_project_path=config.dbt_dir, manifest_path=manifest, install_dbt_deps=False)
    # ProjectConfig makes an object-storage path of it, whose first use imports every provider's file system: 1.3 s.
    project.manifest_path = manifest
    with _garbage_later():
        group = DbtTaskGroup(
            group_id=layer,
            project_config=project,
            profile_config=_profile(),
            execution_config=ExecutionConfig(
                execution_mode=ExecutionMode.WATCHER,
                setup_operator_args={
                    # The second try only lets the models' own tasks repair what failed; it never builds twice.
                    "retries": 1,
                    "retry_delay": timedelta(seconds=5),
                    "interceptors": [pass_run, narrow_to_selection, keep_reports],
                    "post_execute": send_reports,
                    # Unit tests guard a change of the code: CI runs them, a night need not. And nobody reads the manifest and the
                    # results that dbt would write: Cosmos has been told by event, `ops.dbt_results` by the hook at the end.
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
                exclude=list(left_out),
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
    _watch_after_build(layer, group, built, left_out)
    return group


@contextmanager
def _garbage_later() -> Iterator[None]:
    """Collect no garbage meanwhile: of the many objects that the manifest becomes none is, and looking takes as long as reading."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _watch_after_build(
    layer: str, group: DbtTaskGroup, built: Mapping[str, Collection[str]] | None, left_out: Collection[str]
) -> None:
    """Start the watching tasks when the build has ended, so that each runs once and none takes the build's cores.

    Without this every one of them starts, finds its model not built yet, defers, and starts again. `none_failed` lets them
    follow a build that failed (its second try is skipped, and the failed models' own tasks repair or report them) and models
    that the run's selection leaves out.
    """
    from airflow.sdk import TriggerRule

    producer = group.children[f"{group.group_id}.dbt_producer_watcher"]
    # The layer before may have been skipped: seeds that are loaded already.
    producer.trigger_rule = TriggerRule.NONE_FAILED
    _expect_only_tests_of(layer, group, producer, built, left_out)
    inside = {task.task_id for task in group.iter_tasks()}
    for task in group.iter_tasks():
        if task is producer:
            continue
        if not task.upstream_task_ids & inside:
            producer >> task
        task.trigger_rule = TriggerRule.NONE_FAILED
        # Showing the other fields, none of which is a template, would take a fifth of a watching task's time.
        task.template_fields = tuple(field for field in task.template_fields if field == "compiled_sql")


def _expect_only_tests_of(
    layer: str, group: DbtTaskGroup, producer: Any, built: Mapping[str, Collection[str]] | None, left_out: Collection[str]
) -> None:
    """Leave tests that compare with what is built later, or are not done at all, out of what this layer's test tasks wait for."""
    so_far = list(layer_selectors())[: list(layer_selectors()).index(layer) + 1]
    folders = [settings().dbt_dir / part.removeprefix("path:") for name in so_far for part in layer_selectors()[name]]
    names = None if built is None else {node for name in so_far for node in built.get(name, ())}

    def is_built(node: Any) -> bool:
        return any(node.file_path.is_relative_to(folder) for folder in folders) if names is None else node.name in names

    def runs_here(test: str) -> bool:
        if test.split(".")[2] in left_out:
            return False
        parents = [group.dbt_graph.nodes[key] for key in group.dbt_graph.nodes[test].depends_on if key in group.dbt_graph.nodes]
        return all(is_built(parent) for parent in parents)

    producer.tests_per_model = {
        model: [test for test in tests if runs_here(test)] for model, tests in producer.tests_per_model.items()
    }
