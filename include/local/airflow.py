"""The local Airflow: its configuration as environment variables, its components, and its REST API."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from include.local.errors import StackError
from include.local.home import HOST, Ports, local_home, secret
from include.local.processes import Processes
from include.settings import ROOT

ADMIN = "admin"
# The content of airflow_local_settings.py, which Airflow imports when a component starts.
LOCAL_SETTINGS = """
import sys

from include.local.preload import preload

preload(sys.argv, platform={platform})
"""
EXECUTABLE = Path(sys.prefix) / "bin" / "airflow"


def environment(ports: Ports, metadata_url: str, nightly: bool) -> dict[str, str]:
    """Airflow's configuration.

    Args:
        ports: the ports of the stack.
        metadata_url: the URL of Airflow's database.
        nightly: whether the scheduler starts nightly runs and tasks see edited code, as in `make up`.
    """
    home = local_home() / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({ADMIN: secret("admin_password")[:16]}))
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "airflow_local_settings.py").write_text(LOCAL_SETTINGS.format(platform=not nightly))
    address = f"http://{HOST}:{ports.airflow}"
    fernet_key = base64.urlsafe_b64encode(hashlib.sha256(secret("fernet").encode()).digest()).decode()
    options = {
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "8",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": fernet_key,
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": metadata_url.replace("postgresql://", "postgresql+psycopg2://"),
        "API__HOST": HOST,
        "API__PORT": str(ports.airflow),
        "API__BASE_URL": address,
        "API__WORKERS": "1",
        "API__EXPOSE_CONFIG": "False",
        "API__SECRET_KEY": secret("api"),
        "API_AUTH__JWT_SECRET": secret("jwt"),
        # On two busy cores a response may take longer than the default five seconds. A crashed server is up again after about
        # thirty. Tasks wait for it instead of failing.
        "WORKERS__EXECUTION_API_TIMEOUT": "60",
        "WORKERS__EXECUTION_API_RETRIES": "12",
        "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "10",
        # A supervisor that has read a task's last output before the process ended checks again after this many seconds.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        # A task whose supervisor was killed is tried again after this many seconds without a heartbeat. Airflow's default is 300.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
        # The executor notices ended tasks in the scheduler's loop, so a long sleep delays the next tasks.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        # Cosmos saves the events of a build when the build fails, not after each event.
        "COSMOS__ENABLE_WATCHER_RELIABLE_RETRY": "False",
        # Every task reads the manifest, and orjson is faster.
        "COSMOS__ENABLE_ORJSON_PARSER": "True",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "SCHEDULER__MAX_TIS_PER_QUERY": "64",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "300",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # On busy cores, the file of the transform takes longer than the default 50 seconds. It would be tried again only after the interval.
        "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "240",
        "CORE__DAGBAG_IMPORT_TIMEOUT": "240",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    variables = {f"AIRFLOW__{name}": value for name, value in options.items()}
    return variables | {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PLATFORM_SCHEDULES": "on" if nightly else "off",
        # Off by default: a refresh reports on the current time, but the demo company ends at its as-of day. They also load the
        # CPU.
        "PLATFORM_REFRESHES": os.environ.get("PLATFORM_REFRESHES", "off"),
        "PYTHONFAULTHANDLER": "1",
        "NO_PROXY": "*",
    }


def migrate(processes: Processes, variables: dict[str, str]) -> None:
    """Create or upgrade Airflow's metadata tables, once per Airflow version and database."""
    from importlib.metadata import version

    stamp = local_home() / "airflow" / "migrated"
    database = hashlib.sha256(variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].encode()).hexdigest()
    wanted = f"{version('apache-airflow')} {database}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    processes.run("airflow-db-migrate", [str(EXECUTABLE), "db", "migrate"], variables)
    stamp.write_text(wanted)


#: The components that a run needs at once, and later. Starting all of them together takes half as long again.
FIRST, LATER = ("api-server", "scheduler", "dag-processor"), ("triggerer",)
#: These components serve the logs of their tasks on every network interface. Here the api-server reads the log folder instead.
_LOG_SERVERS = ("scheduler", "triggerer")


def start(processes: Processes, variables: dict[str, str], components: Sequence[str] = FIRST + LATER) -> None:
    """Start components, by default all."""
    for component in components:
        command = [str(EXECUTABLE), component, *(["--skip-serve-logs"] if component in _LOG_SERVERS else [])]
        processes.start(f"airflow-{component}", command, variables, cwd=ROOT, may_restart=True)


class Api:
    """A client of Airflow's public REST API, as the admin of this stack."""

    def __init__(self, ports: Ports) -> None:
        self.address = f"http://{HOST}:{ports.airflow}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._since = datetime.now(UTC)

    def wait(self, processes: Processes, timeout: float = 120.0) -> None:
        """Wait until the API answers, and log in."""
        deadline = time.monotonic() + timeout
        while True:
            processes.check()
            try:
                body = {"username": ADMIN, "password": secret("admin_password")[:16]}
                answer = self._session.post(f"{self.address}/auth/token", json=body, timeout=10)
                if answer.ok:
                    self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > deadline:
                raise StackError(f"Airflow did not answer within {timeout:.0f} s; see {processes.log('airflow-api-server')}.")
            time.sleep(0.25)

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = self._session.get(f"{self.address}/api/v2/{path}", params=parameters, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    def wait_for_dags(self, dag_ids: set[str], processes: Processes, timeout: float = 300.0) -> None:
        """Wait until the scheduler knows the DAGs; report import errors at once. Those of an earlier start do not count."""
        deadline = time.monotonic() + timeout
        while True:
            processes.check()
            known: set[str] = set()
            with suppress(requests.RequestException):
                self._raise_import_errors()
                known = {dag["dag_id"] for dag in self.get("dags", limit=100)["dags"] if not dag["is_stale"]}
            if dag_ids <= known:
                return
            if time.monotonic() > deadline:
                raise StackError(f"Airflow has not found the DAGs {sorted(dag_ids - known)} in {timeout:.0f} s.")
            time.sleep(0.25)

    def _raise_import_errors(self) -> None:
        for error in self.get("importErrors")["import_errors"]:
            if datetime.fromisoformat(error["timestamp"]) >= self._since:
                raise StackError(f"{error['filename']} does not import:\n{error['stack_trace']}")

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        """Start a run.

        Raises:
            StackError: Airflow refuses it.
        """
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        answer = self._session.post(f"{self.address}/api/v2/dags/{dag_id}/dagRuns", json=body, timeout=60)
        if not answer.ok:
            raise StackError(f"Airflow refused to start {dag_id}: {answer.text}")

    def runs(self, dag_id: str, **parameters: Any) -> list[dict[str, Any]]:
        return list(self.get(f"dags/{dag_id}/dagRuns", limit=50, order_by="-id", **parameters)["dag_runs"])

    def cancel_unfinished(self, dag_ids: set[str]) -> None:
        """Mark as failed the unfinished runs that an interrupted command has left, so that they do not delay this one."""
        for dag_id in dag_ids:
            for run in self.runs(dag_id, state=["queued", "running"]):
                self._session.patch(
                    f"{self.address}/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}", json={"state": "failed"}, timeout=60
                )

    def tasks(self, dag_id: str, run_id: str, changed_since: datetime | None = None) -> list[dict[str, Any]]:
        """The task instances of a run, or those that have changed since an instant."""
        path = f"dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        narrowed = {"updated_at_gte": changed_since.isoformat()} if changed_since else {}
        first = self.get(path, limit=100, **narrowed)
        tasks = list(first["task_instances"])
        while len(tasks) < first["total_entries"]:
            tasks += self.get(path, limit=100, offset=len(tasks), **narrowed)["task_instances"]
        return tasks

    def error(self, dag_id: str, run_id: str, task: dict[str, Any]) -> str:
        """The message of a failed task: the last exception in its logs, newest try first; else the end of the last log."""
        path = f"dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task['task_id']}"
        end = ""
        for attempt in range(max(task["try_number"], 1), 0, -1):
            content = self.get(f"{path}/logs/{attempt}", full_content=True)["content"]
            lines = [line for line in content if isinstance(line, dict)] if isinstance(content, list) else []
            for line in reversed(lines):
                if details := line.get("error_detail"):
                    return f"{details[-1]['exc_type']}: {details[-1]['exc_value']}"
            end = end or " | ".join(str(line.get("event")) for line in lines[-3:])
        return f"no exception in its log, which ends with: {end}" if end else "it has no log"
