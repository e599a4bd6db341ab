"""Locks of nightly runs and refreshes in a real Airflow: waiting, skipping, and the end of a lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from google.cloud.bigquery import Client

from include.orchestration import take_lock
from include.settings import ROOT, settings
from tests.warehouse import connected, rows

SHOP = {
    "description": "A shop.",
    "owner": "data_platform",
    "tier": "low",
    "schedule": "0 2 * * *",
    "connection": "shop",
    "freshness": {"warn_after": "26h", "error_after": "2d"},
    "reader": {"type": "files", "formats": ["csv"]},
    "tables": {
        "items": {
            "description": "One row per item.",
            "primary_key": ["id"],
            "event_time": "none",
            "glob": "items.csv",
            "columns": {"id": {"type": "string", "description": "Identifies it."}},
        }
    },
}
#: Runs DAGs as `airflow dags test` does. `other` is a triggered run that waits for a scheduler.
SCRIPT = """
    import json, os, sys, threading, time
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType

    folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    DagBundlesManager().sync_bundles_to_db()
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
    assert not bag.import_errors, bag.import_errors
    sync_bag_to_db(bag, "dags-folder", None)
    played, other = sys.argv[1:3]
    trigger_dag(other, triggered_by=DagRunTriggeredByType.TEST, run_id="other")

    def end_when_awaited():
        while True:
            time.sleep(0.5)
            with create_session() as session:
                if session.query(TaskInstance).filter_by(dag_id=played, state="up_for_reschedule").first():
                    session.query(DagRun).filter_by(dag_id=other, run_id="other").update({"state": DagRunState.FAILED})
                    return print("ENDED", flush=True)

    if sys.argv[3] == "ends":
        threading.Thread(target=end_when_awaited, daemon=True).start()
    run = bag.dags[played].test(run_conf=json.loads(sys.argv[4]))
    for ti in run.get_task_instances():
        print("TASK", ti.task_id, ti.state, flush=True)
    print("RUN", run.state)
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables of an Airflow with its own database."""
    home = tmp_path_factory.mktemp("airflow")
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "PLATFORM_SCHEDULES": "off",
    }
    command = [str(Path(sys.prefix) / "bin" / "airflow"), "db", "migrate"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return environment


@pytest.fixture
def play(
    airflow: dict[str, str], manifest: Path, bq: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., list[str]]]:
    """A function that runs a DAG while a run of another DAG is triggered. It returns the lines of the output."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shop.yml").write_text(yaml.safe_dump(SHOP))
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "items.csv").write_text("id\na\nb\n")
    mine = {
        "PLATFORM_SOURCES_DIR": str(tmp_path / "sources"),
        "PLATFORM_GX_DIR": str(tmp_path / "gx"),
        "PLATFORM_STATE_DIR": str(tmp_path / "state"),
        "AIRFLOW_CONN_SHOP": f'{{"conn_type": "generic", "extra": {{"url": "{(tmp_path / "landing").as_uri()}"}}}}',
        "TASK_RETRY_DELAY_SECONDS": "1",
    }

    def run(dag_id: str, other: str, how: str = "", **conf: str) -> list[str]:
        command = [sys.executable, "-c", textwrap.dedent(SCRIPT), dag_id, other, how, json.dumps(conf)]
        environment = {**os.environ, **airflow, **warehouse_variables(), **mine}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
        assert "\nRUN " in done.stdout, done.stdout[-4000:] + done.stderr[-4000:]
        return (done.stdout + done.stderr).splitlines()

    yield run


def warehouse_variables() -> dict[str, str]:
    """The variables that point at the tests' warehouse, set by `connected`."""
    return {name: value for name, value in os.environ.items() if name.startswith(("BIGQUERY_", "GOOGLE_"))}


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "raw_shop") as client:
        yield client
    settings.cache_clear()


def test_a_refresh_is_skipped_while_a_nightly_run_holds_the_lock(play: Callable[..., list[str]], bq: Client) -> None:
    assert take_lock(["build"], "transform", "other", lambda *_: False, bq) is None
    output = play("refresh_hourly", "transform")
    assert "RUN success" in output, "\n".join(output[-80:])
    states = dict(line.split()[1:] for line in output if line.startswith("TASK "))
    assert states.pop("prepare") == "success"
    assert len(states) > 10 and set(states.values()) == {"skipped"}
    message = "Run skipped: transform (other) writes build."
    assert any(message in line for line in output)
    assert rows("select dag_id, state, message from ops.pipeline_runs", bq) == [("refresh_hourly", "skipped", message)]
    assert rows("select dag_id from ops.locks where run_id is not null", bq) == [("transform",)]


def test_an_ingestion_run_waits_until_a_refresh_has_ended(play: Callable[..., list[str]], bq: Client) -> None:
    assert take_lock(["raw_shop"], "refresh_hourly", "other", lambda *_: False, bq) is None
    output = play("ingest_shop", "refresh_hourly", "ends")
    assert "RUN success" in output, "\n".join(output[-80:])
    waited = [n for n, line in enumerate(output) if "Waiting for a lock: refresh_hourly (other) writes raw_shop" in line]
    ended = output.index("ENDED")
    assert waited and waited[0] < ended
    assert rows("select table_name, rows_loaded from ops.loads", bq) == [("items", 2)]
    assert rows("select dag_id from ops.locks where resource = 'raw_shop'", bq) == [("ingest_shop",)]


def test_a_deleted_run_counts_as_ended(play: Callable[..., list[str]], bq: Client) -> None:
    assert take_lock(["raw_shop"], "refresh_hourly", "deleted", lambda *_: False, bq) is None
    output = play("ingest_shop", "maintenance")
    assert "RUN success" in output, "\n".join(output[-80:])
    assert not any("Waiting for a lock" in line for line in output)


def test_a_month_is_closed_after_the_run_that_publishes(play: Callable[..., list[str]], bq: Client) -> None:
    figure = "'r' as run_id, timestamp '2026-10-01' as as_of, timestamp '2026-10-01' as published_at, 'nrr' as metric, 'acme' as organization_id"
    columns = "run_id, as_of, published_at, metric, organization_id, month, part, value"
    bq.query(f"insert into ops.published_figures ({columns}) select {figure}, date '2026-09-01', 'total', 98").result()
    assert take_lock(["build"], "refresh_every_15_minutes", "other", lambda *_: False, bq) is None
    output = play("close_month", "refresh_every_15_minutes", "ends", month="2026-09", by="ann")
    assert "RUN success" in output, "\n".join(output[-80:])
    waited = [n for n, line in enumerate(output) if "Waiting for a lock: refresh_every_15_minutes (other) writes build" in line]
    assert waited and waited[0] < output.index("ENDED")
    assert rows("select organization_id, event, event_by from ops.period_closes", bq) == [("acme", "closed", "ann")]
