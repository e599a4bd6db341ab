"""A late source in the real Airflow: scheduler, triggerer and servers, with a mail server and a webhook that receive the alerts.

The dbt project is minimal: one source with one table, one conformed view, one mart with a freshness SLA.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from google.cloud.bigquery import Client, QueryJobConfig, ScalarQueryParameter

from include.freshness import monitor
from include.local import airflow
from include.local.postgres import Postgres
from include.local.processes import Processes
from include.manifest import PROFILE, TARGET
from include.settings import ROOT, settings
from include.sources import load_sources
from include.sources.generated import write
from tests.dags.test_locks import SHOP
from tests.include.alerts.receivers import MAIL_PASSWORD, ROUTING_KEY, TOKEN, Receivers, receiving
from tests.pipeline.nightly_runs import free_ports
from tests.warehouse import connected, empty, rows

DAGS = ("ingest_shop", "transform", "freshness_monitor")
DATASETS = ("core", "conformed", "marts_build", "marts")
RUNBOOKS = "https://runbooks.example.com"
#: Longer than the test, so that a failed task waits for its retry until the test clears it.
RETRY_DELAY_SECONDS = 1800
MINUTE = timedelta(minutes=1)
FRESHNESS_SLA = {"cadence": "daily", "fresh_within": "1h", "criticality": "high"}
FILES = {
    "seeds/shop_settings.csv": "setting,value\nopen,yes",
    "seeds/shop_settings.yml": yaml.safe_dump(
        {"version": 2, "seeds": [{"name": "shop_settings", "columns": [{"name": "setting", "data_tests": ["unique"]}]}]}
    ),
    "models/conformed/shared/conformed_items.sql": "with source as ({{ latest_rows('shop', 'items') }}) select id from source",
    "models/marts/mart_items.sql": "select count(*) as item_count from {{ ref('conformed_items') }}",
    "models/marts/mart_items.yml": yaml.safe_dump(
        {"version": 2, "models": [{"name": "mart_items", "config": {"group": "finance", "meta": {"sla": FRESHNESS_SLA}}}]}
    ),
}
GATES = {
    "conformed": ("conformed.conformed_items", "id is null"),
    "core": ("conformed.conformed_items", "id = ''"),
    "marts": ("marts_build.mart_items", "item_count = 0"),
}


def make_project(folder: Path) -> dict[str, str]:
    """Write the source file, the gates and the dbt project, and parse it. Returns the environment variables that point there."""
    sources, dbt, gates = (folder / name for name in ("sources", "dbt", "gx"))
    sources.mkdir()
    (sources / "shop.yml").write_text(yaml.safe_dump(SHOP))
    for name, (relation, wrong) in GATES.items():
        rule = {"name": f"{name}_is_right", "relation": relation, "action": "block", "reason": "The value is wrong."}
        path = gates / "gates" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"gate": name, "rules": [rule | {"rows": f"select * from {relation} where {wrong}"}]}))
    shutil.copytree(ROOT / "dbt" / "macros", dbt / "macros")
    for name in (
        "dbt_project.yml",
        "selectors.yml",
        "profiles.yml",
        "models/_groups.yml",
        "models/conformed/_quarantine__sources.yml",
    ):
        (dbt / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "dbt" / name, dbt / name)
    write(load_sources(sources), dbt)
    for name, text in FILES.items():
        (dbt / name).parent.mkdir(parents=True, exist_ok=True)
        (dbt / name).write_text(text + "\n")
    command = [str(Path(sys.prefix) / "bin" / "dbt"), "parse", "--project-dir", str(dbt), "--profiles-dir", str(dbt)]
    done = subprocess.run([*command, "--profile", PROFILE, "--target", TARGET], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return {"PLATFORM_SOURCES_DIR": str(sources), "PLATFORM_DBT_DIR": str(dbt), "PLATFORM_GX_DIR": str(gates)}


@dataclass
class Platform:
    """A running platform.

    Attributes:
        home: its folder, with Airflow's logs.
        landing: the folder that the source delivers to. It does not exist yet.
        metadata_url: the URL of Airflow's database.
        monitored: the instant of the monitor's last run.
    """

    home: Path
    landing: Path
    api: airflow.Api
    processes: Processes
    received: Receivers
    bq: Client
    metadata_url: str
    monitored: datetime

    def wait_for(self, what: str, found: Callable[[], Any], timeout: float = 300.0) -> Any:
        """Wait until `found` returns a true value, and return it."""
        deadline = time.monotonic() + timeout
        while not (value := found()):
            self.processes.check()
            assert time.monotonic() < deadline, f"{what}: not within {timeout:.0f} s"
            time.sleep(0.3)
        return value

    def wait_for_success(self, dag_id: str, run_id: str | None = None) -> str:
        """Wait until a run, by default the latest, has succeeded. Fails as soon as a task fails. Returns the run id."""

        def ended() -> str | None:
            for run in self.api.runs(dag_id):
                if run_id in (None, run["dag_run_id"]):
                    for task in self.api.tasks(dag_id, run["dag_run_id"]):
                        wrong = task["state"] in {"failed", "up_for_retry"}
                        assert not wrong, f"{task['task_id']}: {self.api.error(dag_id, run['dag_run_id'], task)}"
                    return str(run["dag_run_id"]) if run["state"] == "success" else None
            return None

        return str(self.wait_for(f"the success of {dag_id}", ended))

    def monitor(self) -> None:
        """Run the monitor for the next full minute."""
        self.monitored = max(self.monitored, datetime.now(UTC).replace(second=0, microsecond=0)) + MINUTE
        run_id = f"monitor_{self.monitored:%H:%M}"
        self.api.trigger("freshness_monitor", run_id, {"now": self.monitored.isoformat()})
        self.wait_for_success("freshness_monitor", run_id)

    def post(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Send a request as the web UI does."""
        answer = self.api._session.request(method, f"{self.api.address}/api/v2/{path}", json=body, timeout=60)
        assert answer.ok, answer.text


@pytest.fixture(scope="module")
def platform(local_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything is started. The freshness SLA applies since the beginning of yesterday."""
    folder, home, ports = tmp_path_factory.mktemp("late"), local_home / "late", free_ports()
    landing = folder / "landing"
    with pytest.MonkeyPatch.context() as patch, receiving() as received, connected(patch, *DATASETS) as bq:
        variables = received.connections() | {
            "LOCAL_HOME": str(home),
            "AIRFLOW_CONN_SHOP": f'{{"conn_type": "generic", "extra": {{"url": "{landing.as_uri()}"}}}}',
            "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": '{"conn_type": "google_cloud_platform", "extra": {"project": "local"}}',
            "PLATFORM_STATE_DIR": str(folder / "state"),
            "TASK_RETRY_DELAY_SECONDS": str(RETRY_DELAY_SECONDS),
            "RUNBOOKS_URL": RUNBOOKS,
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        postgres, processes, api = Postgres(home / "postgres", ports.postgres), Processes(home / "logs"), airflow.Api(ports)
        postgres.start()
        try:
            postgres.ensure_database("airflow")
            options = {**os.environ, **airflow.environment(ports, postgres.url("airflow"), nightly=False)}
            with ThreadPoolExecutor() as pool:
                migrated = pool.submit(airflow.migrate, processes, options)
                project = make_project(folder)
                migrated.result()
            for name, value in project.items():
                patch.setenv(name, value)
            settings.cache_clear()
            airflow.start(processes, options | project)
            yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
            assert monitor(yesterday, bq) == []
            api.wait(processes)
            api.wait_for_dags(set(DAGS), processes)
            yield Platform(home, landing, api, processes, received, bq, postgres.url("airflow"), yesterday)
        finally:
            processes.stop()
            postgres.stop()
            empty(bq, *DATASETS)


def test_a_late_source_causes_one_alert_and_its_arrival_another(platform: Platform) -> None:
    api, received = platform.api, platform.received
    due, today = platform.monitored, datetime.now(UTC).date()
    api.trigger("ingest_shop", "nightly", {"as_of": today.isoformat()})
    platform.wait_for("a failed try", lambda: [t for t in api.tasks("ingest_shop", "nightly") if t["state"] == "up_for_retry"])

    platform.monitor()
    assert received.counts == (1, 1, 0)
    (slack,), ((recipients, mail),) = received.slack, received.mails
    assert slack["text"] == mail["subject"] == "Late: marts.mart_items (high)"
    assert recipients == ["finance@example.com"]
    text = mail.get_body(("plain",))
    assert text is not None
    for message in (str(slack["blocks"]), " ".join(text.get_content().split())):
        for part in (
            "marts.mart_items",
            "finance",
            f"new data within 1 h, due {due.day} {due:%b %Y} 03:00 UTC",
            "nothing published yet",
            "ingest_shop has been running since",
            f"{api.address}/dags/ingest_shop/runs/nightly",
            f"{RUNBOOKS}/freshness-breached.md",
        ):
            assert part in message
    platform.monitor()
    assert received.counts == (1, 1, 0), "one alert per breach"

    platform.landing.mkdir()
    (platform.landing / "items.csv").write_text("id\na\nb\n")
    clear = {"dag_run_id": "nightly", "task_ids": ["load"], "only_failed": False, "dry_run": False}
    platform.post("POST", "dags/ingest_shop/clearTaskInstances", clear)
    platform.wait_for_success("ingest_shop", "nightly")
    assert "asset_triggered" in platform.wait_for_success("transform")
    assert rows("select item_count from marts.mart_items", platform.bq) == [(2,)]

    for _ in range(2):
        platform.monitor()
        assert received.counts == (2, 2, 0)
    assert received.slack[1]["text"] == received.mails[1][1]["subject"] == "On time again: marts.mart_items (high)"
    assert f"data up to {today.day} {today:%b %Y} 00:00 UTC" in str(received.slack[1]["blocks"])
    states = rows("select state from ops.freshness_events where table_name = 'mart_items' order by measured_at", platform.bq)
    assert states == [("breached",), ("recovered",), ("on_time",)]
    assert rows("select distinct state from ops.alerts where channel is not null", platform.bq) == [("sent",)]


def test_a_model_is_built_alone_when_its_task_is_cleared(platform: Platform) -> None:
    """The cleared task runs dbt with the parameters of its nightly run."""
    (nightly,) = [run["dag_run_id"] for run in platform.api.runs("transform") if run["run_type"] == "asset_triggered"]
    task_id = "marts.mart_items_run"
    clear = {"dag_run_id": nightly, "task_ids": [task_id], "only_failed": False, "dry_run": False}
    platform.post("POST", "dags/transform/clearTaskInstances", clear)

    def built() -> bool:
        tasks = {task["task_id"]: task for task in platform.api.tasks("transform", nightly)}
        return (tasks[task_id]["state"], tasks[task_id]["try_number"]) == ("success", 2)

    platform.wait_for("the model built by its own task", built)
    sql = "select distinct invocation_id, as_of from ops.dbt_results where name = 'mart_items' and run_id = @run"
    found = platform.bq.query(sql, QueryJobConfig(query_parameters=[ScalarQueryParameter("run", "STRING", nightly)])).result()
    builds, instants = zip(*((row["invocation_id"], row["as_of"]) for row in found), strict=True)
    assert len(set(builds)) == 2
    assert len(set(instants)) == 1 and instants[0] is not None


def test_seeds_that_have_not_changed_are_neither_loaded_nor_tested_again(platform: Platform) -> None:
    """The first nightly run has loaded them. The next one skips their tasks and runs all later tasks."""
    sql = "select distinct name from ops.dbt_results where layer = 'seeds' and run_id = '{}'"
    (nightly,) = [run["dag_run_id"] for run in platform.api.runs("transform") if run["run_type"] == "asset_triggered"]
    assert len(rows(sql.format(nightly), platform.bq)) == 2
    platform.api.trigger("transform", "again", {})
    platform.wait_for_success("transform", "again")
    states = {task["task_id"]: task["state"] for task in platform.api.tasks("transform", "again")}
    assert {name.partition(".")[2] for name, state in states.items() if state == "skipped"} == {
        *("dbt_producer_watcher", "dbt_producer_watcher_done", "shop_settings.seed", "shop_settings.test")
    }
    assert states["marts.mart_items_run"] == states["publish"] == "success"
    assert rows(sql.format("again"), platform.bq) == []


def test_a_nightly_run_that_misses_its_deadline_causes_an_alert(platform: Platform) -> None:
    """The test sets the deadline to now; scheduler and triggerer detect the miss."""
    platform.post("PATCH", "dags/transform", {"is_paused": True})
    platform.api.trigger("transform", "held_up", {})
    with psycopg2.connect(platform.metadata_url) as connection, connection.cursor() as cursor:
        cursor.execute("update deadline set deadline_time = now() where not missed and deadline_time > now()")
        assert cursor.rowcount >= 1
    connection.close()
    sql = "select distinct severity, subject from ops.alerts where kind = 'deadline' and json_value(body_json, '$.step') = '0'"
    found = platform.wait_for("the alert", lambda: rows(sql, platform.bq))
    assert found == [("critical", "Taking too long: transform (critical)")]
    assert "runs/held_up" in str(rows("select body_json from ops.alerts where kind = 'deadline'", platform.bq))


def test_no_secret_is_written_anywhere(platform: Platform) -> None:
    """Neither to the outbox nor to any log of Airflow."""
    alerts = str(rows("select to_json_string(alert) from ops.alerts as alert", platform.bq))
    files = [path for path in platform.home.rglob("*.log") if "postgres" not in path.parts]
    logs = "\n".join(path.read_text(errors="replace") for path in files)
    assert "Late: marts.mart_items" in alerts and "Sent by slack through" in logs
    assert not [secret for secret in (TOKEN, MAIL_PASSWORD, ROUTING_KEY) if secret in alerts or secret in logs]
