"""The platform's metrics: a real task process sends them by StatsD to a UDP socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from google.cloud.bigquery import Client

from include.settings import ROOT
from tests.warehouse import connected

#: A DAG whose tasks call the functions of the platform's gate and publish tasks.
DAG_FILE = """
    from datetime import UTC, datetime

    from airflow.sdk import DAG, task

    from include import telemetry
    from include.orchestration import gate_task, publish_task
    from include.run_context import RunContext

    RUN = RunContext("r", datetime(2026, 10, 1, 10, 15, tzinfo=UTC))

    with DAG("metrics"):

        @task
        def gate_and_publish():
            gate_task("core", RUN)
            publish_task("refresh_hourly", RUN, ["marts.mart_a"])
            telemetry.skipped("refresh_hourly")
            telemetry.freshness("marts.mart_a", 12.5, 120)

        @task
        def blocked():
            gate_task("marts", RUN)

        gate_and_publish() >> blocked()
"""
#: Airflow's own supervisor and task processes, with an API server that accepts every request.
SUPERVISOR = """
    from uuid import uuid4

    import httpx
    from airflow.executors.workloads.base import BundleInfo
    from airflow.sdk.api.client import Client
    from airflow.sdk.api.datamodels._generated import TaskInstance
    from airflow.sdk.execution_time.supervisor import supervise_task

    INSTANT = "2026-10-01T10:15:00Z"
    NOTHING = ("data_interval_start", "data_interval_end", "end_date", "partition_key")
    DAG_RUN = dict.fromkeys(NOTHING) | dict.fromkeys(("logical_date", "start_date", "run_after"), INSTANT)
    DAG_RUN |= {"dag_id": "metrics", "run_id": "r", "run_type": "manual", "state": "running", "consumed_asset_events": []}

    def answer(request):
        start = request.url.path.endswith("/run")
        body = {"dag_run": DAG_RUN, "max_tries": 0, "should_retry": False} if start else {"ok": True}
        return httpx.Response(200, json=body)

    for task_id in ("gate_and_publish", "blocked"):
        ti = TaskInstance(
            id=uuid4(), task_id=task_id, dag_id="metrics", run_id="r", try_number=1, dag_version_id=uuid4(), queue="default"
        )
        supervise_task(
            ti=ti,
            bundle_info=BundleInfo(name="dags-folder", version=None),
            dag_rel_path="metrics.py",
            token="",
            client=Client(base_url=None, dry_run=True, token="", transport=httpx.MockTransport(answer)),
            subprocess_logs_to_stdout=True,
        )
"""


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.5)
        yield bound


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    for name in ("PLATFORM_GX_DIR", "PLATFORM_SOURCES_DIR", "PLATFORM_STATE_DIR", "PLATFORM_DBT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with connected(monkeypatch, "core", "marts_build", "marts") as client:
        yield client


def received(receiver: socket.socket) -> dict[str, str]:
    """All received metrics: name → value and kind."""
    found = {}
    try:
        while True:
            for line in receiver.recv(65536).decode().splitlines():
                name, _, value = line.partition(":")
                found[name] = value
    except TimeoutError:
        return found


def test_a_monitor_receives_gates_publications_and_freshness(bq: Client, receiver: socket.socket, tmp_path: Path) -> None:
    bq.query("create table core.t as select -1 as value; create table marts_build.mart_a as select -1 as value").result()
    gates = Path(os.environ["PLATFORM_GX_DIR"]) / "gates"
    gates.mkdir(parents=True)
    for gate, relation, action in (("core", "core.t", "warn"), ("marts", "marts_build.mart_a", "block")):
        rule = {"name": "not_negative", "relation": relation, "action": action, "reason": "A value counts things."}
        rule["rows"] = f"select * from {relation} where value < 0"
        (gates / f"{gate}.yml").write_text(yaml.safe_dump({"gate": gate, "rules": [rule]}))
    (tmp_path / "metrics.py").write_text(textwrap.dedent(DAG_FILE))

    environment = os.environ | {
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path),
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(receiver.getsockname()[1]),
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": '{"conn_type": "google_cloud_platform", "extra": {"project": "local"}}',
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SUPERVISOR)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    found = received(receiver)
    ours = {name: value for name, value in found.items() if name.startswith("airflow.platform.")}
    assert ours == {
        "airflow.platform.gate.warn.core": "1|c",
        "airflow.platform.gate.failed_expectations.core": "1|g",
        "airflow.platform.gate.quarantined_rows.core": "0|g",
        "airflow.platform.publish.tables.refresh_hourly": "1|g",
        "airflow.platform.publish.publications.refresh_hourly": "1|c",
        "airflow.platform.refresh.skipped.refresh_hourly": "1|c",
        "airflow.platform.freshness.age_minutes.marts.mart_a": "12.5|g",
        "airflow.platform.freshness.sla_minutes.marts.mart_a": "120|g",
        "airflow.platform.gate.block.marts": "1|c",
        "airflow.platform.gate.failed_expectations.marts": "1|g",
        "airflow.platform.gate.quarantined_rows.marts": "0|g",
    }, done.stdout[-3000:] + done.stderr[-3000:]
    assert "airflow.ti.finish.metrics.gate_and_publish.success" in found, "Airflow's own metrics arrive the same way"
