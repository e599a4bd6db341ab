"""The DAGs as Airflow sees them: their ids, the policy for each DAG, and the cost of importing them."""

from __future__ import annotations

import ast
import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset, AssetAll
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager
from airflow.serialization.serialized_objects import DagSerialization

from include.dbt_project import layer_selectors
from include.manifest import read_manifest
from include.orchestration import refreshes
from include.orchestration.defaults import LONGEST_WAIT, RETRIES
from include.settings import settings
from include.sources import load_sources
from include.transform.node_manifests import manifest_for

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {path.stem for path in (ROOT / "include/sources").glob("*.yml")}
REFRESHES = {"refresh_hourly", "refresh_every_15_minutes"}
DAG_IDS = (
    {f"ingest_{name}" for name in SOURCES}
    | {"transform", "transform_deadline", "maintenance", "freshness_monitor", "close_month", "account_identity"}
    | REFRESHES
)
# DAGs whose parameter is an instant; that of all others is a day.
BY_INSTANT = {"freshness_monitor": "now"} | dict.fromkeys(REFRESHES, "as_of")
# Owners are the groups of the dbt project.
OWNERS = {group["name"] for group in yaml.safe_load((ROOT / "dbt/models/_groups.yml").read_text())["groups"]}
HEAVY = {"dlt", "great_expectations", "pandas", "pyarrow", "dbt", "duckdb", "sqlalchemy", "google"}


@pytest.fixture(scope="session")
def bag(manifest: Path) -> DagBag:
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(autouse=True)
def parse_whole_files() -> Iterator[None]:
    """Unset the variables that Airflow's parsing context manager leaves behind."""
    yield
    for kind in ("DAG", "TASK"):
        os.environ.pop(f"_AIRFLOW_PARSING_CONTEXT_{kind}_ID", None)


def test_every_file_imports(bag: DagBag) -> None:
    assert bag.dags, "an empty bag has no import errors"
    assert bag.import_errors == {}


def test_exactly_these_dags(bag: DagBag) -> None:
    assert set(bag.dags) == DAG_IDS


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_policy(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert dag.doc_md and dag.doc_md.strip().startswith("### "), "doc_md is the module docstring, with a heading"
    assert "on call" in dag.doc_md.lower(), "doc_md has instructions for on-call"
    assert dag.description
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    tiers = [tag for tag in dag.tags if tag.startswith("tier:")]
    assert len(tiers) == 1 and tiers[0] in {"tier:critical", "tier:high", "tier:medium"}
    by_hand = {"close_month": "month", "account_identity": "account"}
    parameter = dag.params.get_param(by_hand.get(dag_id) or BY_INSTANT.get(dag_id, "as_of")).schema
    assert parameter["type"] == ["null", "string"]
    if dag_id not in by_hand:
        assert parameter["format"] == ("date-time" if dag_id in BY_INSTANT else "date")
    policy = RETRIES[tiers[0].removeprefix("tier:")]
    for task in dag.tasks:
        if task.task_type == "EmptyOperator":
            continue
        assert task.owner in OWNERS, f"{task.task_id} is owned by {task.owner}"
        # A layer's build is retried once. Then the models' own tasks build the failed models.
        builds = task.task_id.endswith(".dbt_producer_watcher")
        assert task.retries == (1 if builds else policy.attempts - 1), f"{task.task_id} does not have the retries of its tier"
        assert task.retry_exponential_backoff == 2.0, f"{task.task_id} has no backoff"
        assert builds or task.max_retry_delay == task.retry_delay * policy.longest_wait
        assert task.execution_timeout == policy.timeout, f"{task.task_id} has no timeout of its tier"
        assert task.on_failure_callback, f"no alert is sent if {task.task_id} fails"


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_no_cycles_and_serializable(bag: DagBag, dag_id: str) -> None:
    bag.dags[dag_id].check_cycle()
    json.dumps(DagSerialization.to_dict(bag.dags[dag_id]))


def test_a_higher_tier_has_no_fewer_attempts() -> None:
    order = ["low", "medium", "high", "critical"]
    assert set(RETRIES) == set(order)
    for milder, stricter in pairwise(order):
        assert RETRIES[milder].attempts <= RETRIES[stricter].attempts
        assert RETRIES[milder].timeout <= RETRIES[stricter].timeout
    assert RETRIES["low"].attempts >= 2


def test_refreshes_follow_the_freshness_slas(bag: DagBag, manifest: Path) -> None:
    nodes = read_manifest(manifest)["nodes"].values()
    cadences = {
        node["name"]: node["config"]["meta"]["sla"]["cadence"]
        for node in nodes
        if node["resource_type"] == "model" and "sla" in node["config"].get("meta", {})
    }
    for dag_id in REFRESHES:
        cadence = dag_id.removeprefix("refresh_").replace("_", " ")
        models = {name for name, stated in cadences.items() if stated == cadence}
        assert models
        dag = bag.dags[dag_id]
        assert {task_id.split(".")[1] for task_id in dag.task_ids if task_id.startswith("marts.mart_")} == models
        assert dag.schedule == {"refresh_hourly": "7 * * * *", "refresh_every_15_minutes": "*/15 * * * *"}[dag_id]
        assert dag.dagrun_timeout < LONGEST_WAIT, "a nightly run waits longer than a refresh can run"
        assert not any(task.outlets for task in dag.tasks), "a refresh starts no nightly run"


def test_a_refresh_loads_and_builds_only_needed_tables(bag: DagBag) -> None:
    dag = bag.dags["refresh_every_15_minutes"]
    loaded = {task_id.removeprefix("load_") for task_id in dag.task_ids if task_id.startswith("load_")}
    assert loaded == {"support"}
    for name in loaded:
        assert dag.get_task(f"load_{name}").upstream_task_ids == {"prepare"}
    assert dag.get_task("gate_raw").upstream_task_ids == {f"load_{name}" for name in loaded}
    assert dag.get_task("seeds.dbt_producer_watcher").upstream_task_ids == {"gate_raw"}
    assert {task_id.split(".")[0] for task_id in dag.get_task("conformed.dbt_producer_watcher").upstream_task_ids} == {"seeds"}
    for layer, names in refreshes()[dag.dag_id].layers.items():
        nodes = {
            task.model_unique_id.split(".")[2]
            for task in dag.tasks
            if task.task_id.startswith(f"{layer}.") and hasattr(task, "model_unique_id")
        }
        assert nodes == set(names), "Cosmos and the gates select the same tables"
    built = {task_id.split(".")[1].removesuffix("_run") for task_id in dag.task_ids if task_id.startswith("core.")}
    assert {"fct_tickets", "int_support__tickets"} <= built
    assert not built & {"fct_deals", "dim_products", "snap_accounts", "fct_leads", "dim_facilities", "dim_open_time"}
    assert {task_id.split(".")[0] for task_id in dag.get_task("gate_core").upstream_task_ids} == {"core"}
    assert dag.get_task("publish").upstream_task_ids == {"gate_marts"}
    assert dag.get_task("finish").upstream_task_ids == {"publish"}
    # The run does not wait for tests that compare with tables that it neither builds nor reads.
    tests = dag.get_task("core.dbt_producer_watcher").tests_per_model
    waited = " ".join(test for found in tests.values() for test in found)
    assert "fct_tickets_rows_are_valid" in waited
    assert "dim_contacts" not in waited and "dim_products" not in waited
    # Nor does it wait for a test with `refresh_every: 24h`.
    assert "business_minutes_are_the_overlap_with_opening_hours" not in waited
    left_out = dag.get_task("core.dbt_producer_watcher").exclude
    assert "business_minutes_are_the_overlap_with_opening_hours" in left_out
    assert "relationships_fct_tickets_facility_key" in left_out


@pytest.mark.parametrize("dag_id", sorted(REFRESHES))
def test_the_process_of_prepare_parses_all_tasks_that_it_may_skip(bag: DagBag, dag_id: str) -> None:
    with _airflow_parsing_context_manager(dag_id=dag_id, task_id="prepare"):
        part = DagBag(dag_folder=str(ROOT / "dags/refresh.py"))
    assert part.dags[dag_id].get_task("prepare").get_flat_relative_ids(upstream=False) == set(bag.dags[dag_id].task_ids) - {
        "prepare"
    }


@pytest.mark.parametrize(
    ("variable", "quiet"),
    [("PLATFORM_SCHEDULES", DAG_IDS - {"transform"}), ("PLATFORM_REFRESHES", REFRESHES | {"close_month", "account_identity"})],
)
def test_schedules_can_be_switched_off(manifest: Path, monkeypatch: pytest.MonkeyPatch, variable: str, quiet: set[str]) -> None:
    monkeypatch.setenv(variable, "off")
    settings.cache_clear()
    try:
        bag = DagBag(dag_folder=str(ROOT / "dags"))
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert set(bag.dags) == DAG_IDS
    assert {dag_id for dag_id, dag in bag.dags.items() if dag.schedule is None} == quiet


def test_schedules(bag: DagBag) -> None:
    for name in SOURCES:
        assert bag.dags[f"ingest_{name}"].schedule == load_sources()[name].schedule
    assert load_sources()["crm"].schedule == "0 2 * * *"
    assert bag.dags["transform_deadline"].schedule == "0 4 * * *"
    assert bag.dags["freshness_monitor"].schedule == "*/5 * * * *"
    assert _names(bag.dags["transform"].timetable.asset_condition) == {"loaded"} | {f"raw_{name}" for name in SOURCES}


def test_the_nightly_run_has_a_deadline(bag: DagBag) -> None:
    (alert,) = _as_list(bag.dags["transform"].deadline)
    assert alert.interval == timedelta(hours=2)
    assert alert.callback.path == "include.orchestration.defaults.run_is_late"
    assert all(not _as_list(dag.deadline) for name, dag in bag.dags.items() if name != "transform")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _names(condition: Any) -> set[str]:
    """The names of the assets in a condition that requires all of them."""
    if isinstance(condition, Asset):
        return {condition.name}
    assert isinstance(condition, AssetAll)
    return set().union(*(_names(part) for part in condition.objects))


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_an_ingest_dag_ends_in_its_gate_and_emits_its_asset(bag: DagBag, name: str) -> None:
    dag = bag.dags[f"ingest_{name}"]
    assert [task.task_id for task in dag.topological_sort()] == ["load", "gate"]
    assert [asset.name for asset in dag.get_task("load").outlets] == ["loaded"]
    assert [asset.name for asset in dag.get_task("gate").outlets] == [f"raw_{name}"]


def test_layers_and_gates_alternate(bag: DagBag) -> None:
    dag = bag.dags["transform"]
    gates = ["gate_conformed", "gate_core", "gate_marts"]
    for layer, gate in zip(["conformed", "core", "marts"], gates, strict=True):
        upstream = {task_id.split(".")[0] for task_id in dag.get_task(gate).upstream_task_ids}
        assert upstream == {layer}
    assert dag.get_task("publish").upstream_task_ids == {"gate_marts"}
    # Nothing waits for the input report, so it blocks nothing.
    report = dag.get_task("input_report")
    assert (report.upstream_task_ids, report.downstream_task_ids) == ({"prepare"}, set())
    # The docs link to the page of restatements, which a company's first publication writes.
    assert dag.get_task("data_docs").upstream_task_ids == {"publish"}
    assert {task_id.split(".")[0] for task_id in dag.get_task("finish").upstream_task_ids} == {"history"}
    assert dag.get_task("seeds.dbt_producer_watcher").upstream_task_ids == {"prepare"}
    assert {task_id.split(".")[0] for task_id in dag.get_task("conformed.dbt_producer_watcher").upstream_task_ids} == {"seeds"}
    snapshots = {task.task_id for task in dag.tasks if "publish" in task.upstream_task_ids} - {"data_docs"}
    assert snapshots and all(task_id.startswith("history.") for task_id in snapshots)
    first_models = {task.task_id for task in dag.tasks if "gate_conformed" in task.upstream_task_ids}
    assert first_models and all(task_id.startswith("core.") for task_id in first_models)


def test_every_model_and_its_tests_are_tasks(bag: DagBag, manifest: Path) -> None:
    nodes = read_manifest(manifest)["nodes"].values()
    built = {n["name"] for n in nodes if n["resource_type"] in {"model", "seed", "snapshot"} and n["config"]["enabled"]}
    ephemeral = {n["name"] for n in nodes if n["config"].get("materialized") == "ephemeral"}
    shown = " ".join(task.task_id for task in bag.dags["transform"].tasks)
    assert [name for name in built - ephemeral if name not in shown] == []
    assert "mart_ticket_sla_compliance.test" in shown


def test_dbts_selectors_and_the_task_groups_name_the_same_nodes(bag: DagBag, tmp_path: Path) -> None:
    from dbt.cli.main import dbtRunner

    folder = str(ROOT / "dbt")
    options = [
        "--project-dir",
        folder,
        "--profiles-dir",
        folder,
        "--target-path",
        str(tmp_path),
        "--log-path",
        str(tmp_path),
        "--quiet",
    ]
    parsed = dbtRunner().invoke(["parse", *options]).result
    kinds = [word for kind in ("model", "seed", "snapshot") for word in ("--resource-type", kind)]
    watched: dict[str, set[str]] = {}
    for task in bag.dags["transform"].tasks:
        if (node := getattr(task, "model_unique_id", None)) is not None:
            watched.setdefault(task.task_id.partition(".")[0], set()).add(node)
    assert (
        list(layer_selectors()) == ["seeds", "conformed", "core", "marts", "history"]
        and watched.keys() == layer_selectors().keys()
    )
    for layer, nodes in watched.items():
        found = dbtRunner(manifest=parsed).invoke(["ls", "--selector", layer, *kinds, "--output", "json", *options])
        listed = map(json.loads, found.result)
        # An ephemeral model is an empty task: nothing is built.
        assert {node["unique_id"] for node in listed if node["config"]["materialized"] != "ephemeral"} == nodes


@pytest.mark.parametrize("dag_id", ["transform", "refresh_hourly"])
def test_a_process_that_runs_one_task_parses_only_that_task(bag: DagBag, manifest: Path, dag_id: str) -> None:
    """For one task of each kind and layer: its process must parse the same task as the scheduler."""
    whole = bag.dags[dag_id]
    examples = {
        (task.task_id.split(".")[0], type(task)): task for task in whole.tasks if "." in task.task_id or task.task_id == "publish"
    }
    assert len(examples) >= (4 if dag_id == "transform" else 3) * 3
    assert manifest_for("mart_ticket_sla_compliance") != manifest, "the tasks of models read a reduced manifest"
    for task in examples.values():
        with _airflow_parsing_context_manager(dag_id=dag_id, task_id=task.task_id):
            part = DagBag(dag_folder=str(whole.fileloc))
        assert part.import_errors == {}
        assert set(part.dags) == {dag_id}
        found = part.dags[dag_id].task_dict[task.task_id]
        assert (type(found), found.trigger_rule, found.retries) == (type(task), task.trigger_rule, task.retries)
        assert getattr(found, "model_unique_id", None) == getattr(task, "model_unique_id", None)
        assert getattr(found, "tests_per_model", None) == getattr(task, "tests_per_model", None), (
            "the build task knows all models of its layer"
        )
        if not task.task_id.split(".")[-1].startswith("dbt_"):
            models = {task_id.split(".")[1] for task_id in part.dags[dag_id].task_ids if "." in task_id}
            assert len({name for name in models if not name.startswith("dbt_")}) == ("." in task.task_id)


@pytest.mark.parametrize("full_refresh", [False, True])
def test_every_dbt_command_gets_the_parameters_of_its_run(bag: DagBag, full_refresh: bool) -> None:
    """The command and the environment of one task of each kind and layer."""
    prepared = {"as_of": "2026-10-01T00:00:00+00:00", "full_refresh": full_refresh, "selected": None}
    instance = SimpleNamespace(xcom_pull=lambda task_ids: {"prepare": prepared}[task_ids])
    context = {"ti": instance, "run_id": "nightly", "params": {}}
    tasks = {(task.task_id.split(".")[0], type(task)): task for task in bag.dags["transform"].tasks if hasattr(task, "build_cmd")}
    rebuilds: dict[str, set[bool]] = {}
    for task in map(copy.copy, tasks.values()):
        task.interceptors = [interceptor for interceptor in task.interceptors if interceptor.__name__ != "keep_reports"]
        task.invoke_interceptors(context)
        command, environment = task.build_cmd(context, task.add_cmd_flags())
        assert (environment["DBT_AS_OF"], environment["DBT_RUN_ID"]) == (prepared["as_of"], "nightly")
        rebuilds.setdefault(task.base_cmd[0], set()).add("--full-refresh" in command)
    # `dbt test` and `dbt snapshot` do not have this option.
    expected = {full_refresh}
    assert rebuilds == {"build": expected, "run": expected, "seed": expected, "test": {False}, "snapshot": {False}}


def test_transform_takes_typed_parameters(bag: DagBag) -> None:
    schemas = {name: bag.dags["transform"].params.get_param(name).schema for name in ("as_of", "full_refresh", "select")}
    assert schemas["full_refresh"]["type"] == "boolean"
    assert schemas["select"]["pattern"]


def test_dag_files_import_no_heavy_library() -> None:
    for path in (ROOT / "dags").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & HEAVY, f"{path.name} imports {names}"


def test_no_dag_file_is_named_like_a_dbt_plugin() -> None:
    assert not list((ROOT / "dags").glob("dbt_*.py"))


def test_parsing_is_light(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Parses dags/ in a new process, prints the time, and checks that no heavy library is imported besides Airflow's own."""
    script = (
        "import sys, time\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        "start = time.monotonic()\n"
        f"bag = DagBag(dag_folder={str(ROOT / 'dags')!r})\n"
        "seconds = time.monotonic() - start\n"
        "assert not bag.import_errors, bag.import_errors\n"
        f"loaded = sorted({HEAVY - {'sqlalchemy', 'google'}!r} & set(sys.modules))\n"
        "print('RESULT', seconds, ','.join(loaded))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    _, seconds, *loaded = next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()
    with capsys.disabled():
        print(f"\ndags/ parsed in {float(seconds):.2f} s (target: under 2 s)")
    assert loaded == [], "import these heavy libraries inside the tasks"
