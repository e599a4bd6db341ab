"""The local stack: starts and stops everything that a run needs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, fields
from types import TracebackType

from include.local import airflow
from include.local.errors import StackError
from include.local.home import HOST, Company, Ports, check_disk, local_home
from include.local.landed_project import landed_project, write_landed_project
from include.local.leftovers import end_leftovers
from include.local.postgres import Postgres
from include.local.processes import GRACE, Processes, alive, stop_groups
from include.local.warehouse import EmbeddedWarehouse, environment
from include.manifest import ensure_manifest
from include.settings import ROOT, settings
from include.transform import write_node_manifests

PYTHON = sys.executable


class Stack:
    """Warehouse, PostgreSQL, the company's systems and Airflow. As a context manager, it stops them at the end."""

    def __init__(self, company: Company, ports: Ports, nightly: bool, append_logs: bool = False) -> None:
        self.company = company
        self.ports = ports
        self.postgres = postgres_of(ports)
        self.warehouse = EmbeddedWarehouse(company.home / "warehouse", ports.warehouse)
        self.processes = Processes(local_home() / "logs", append_logs)
        self.api = airflow.Api(ports)
        self.variables = {
            **os.environ,
            **platform_environment(company, ports),
            **airflow.environment(ports, self.postgres.url("airflow"), nightly),
        }

    def start(self, say: Callable[[str], None]) -> None:
        """Start everything, the slow parts in parallel.

        Args:
            say: called with each line to show.

        Raises:
            StackError: a part did not start.
        """
        check_disk()
        self.ports.check_free()
        self.company.save()
        self._use_landed_project()
        ensure_manifest(say)
        write_node_manifests()
        with (
            timed(say, f"warehouse, the company's systems ({self.company.describe()}) and Airflow"),
            ThreadPoolExecutor() as pool,
        ):
            try:
                warehouse = pool.submit(self.warehouse.start)
                self.start_postgres()
                if self.company.landed:
                    warehouse.result()
                parts = [warehouse, pool.submit(self.start_systems), pool.submit(self._start_airflow)]
                for part in parts:
                    part.result()
                self.processes.watch("The local warehouse", self.warehouse.is_running, self.warehouse.log)
            except BaseException:
                # The other threads end only when what they wait for has ended.
                self.stop()
                raise

    def _use_landed_project(self) -> None:
        """Write the source files and the dbt project of a company that a loader lands, and read them in this process too."""
        if self.company.landed:
            write_landed_project(self.company.home, self.company.landed)
            os.environ.update({name: self.variables[name] for name in landed_project(self.company.home)})
            settings.cache_clear()

    def start_stores(self) -> None:
        """Start the warehouse and PostgreSQL."""
        self._use_landed_project()
        self.warehouse.start()
        self.start_postgres()

    def start_postgres(self) -> None:
        """Start PostgreSQL, with a database for Airflow and one for the company's CRM."""
        self.postgres.start()
        self.postgres.ensure_database("airflow")
        self.postgres.ensure_database(self.company.database)
        self.processes.watch("PostgreSQL", self.postgres.is_running, self.postgres.log)

    def _start_airflow(self) -> None:
        airflow.migrate(self.processes, self.variables)
        airflow.start(self.processes, self.variables, airflow.FIRST)
        self.api.wait(self.processes)
        airflow.start(self.processes, self.variables, airflow.LATER)

    def start_systems(self, timeout: float = 600.0) -> None:
        """Start the company's systems and wait until they serve its data.

        Raises:
            StackError: they stopped, with the end of their log (such as a bad line of a CSV file), or did not start in time.
        """
        if self.company.data is None:
            shown = ["--scale", str(self.company.scale), "--seed", str(self.company.seed), "--as-of", self.company.as_of]
        else:
            shown = ["--data", str(self.company.contract_folder)]
        if self.company.landed:
            self._land(shown)
            return
        systems = self.company.home / "systems"
        systems.mkdir(parents=True, exist_ok=True)
        ready = systems / "systems.json"
        ready.unlink(missing_ok=True)
        command = [PYTHON, "-m", "include.demo", "serve", "--home", str(systems)]
        command += ["--billing-port", str(self.ports.billing), "--support-port", str(self.ports.support), *shown]
        # The password is in the environment, because every user of the machine can read a command line.
        variables = {**self.variables, "DEMO_POSTGRES_URL": self.postgres.url(self.company.database)}
        self.processes.start("systems", command, variables, cwd=ROOT)
        deadline = time.monotonic() + timeout
        while not ready.exists():
            if self.processes.ended("systems"):
                raise StackError(self.processes.tail("systems", lines=40))
            if time.monotonic() > deadline:
                raise StackError(f"The company's systems did not start; see {self.processes.log('systems')}.")
            time.sleep(0.1)

    def _land(self, company: list[str]) -> None:
        """Land the company's tables in the warehouse as its loader does."""
        command = [PYTHON, "-m", "include.demo", "land", "--loader", str(self.company.landed), *company]
        self.processes.run("landing", command, self.variables, cwd=ROOT)

    def stop(self) -> None:
        """Stop everything: running tasks first, and the warehouse last, so that it writes its data to disk."""
        self.processes.close()
        self.stop_all_but_the_warehouse()
        self.warehouse.stop()

    def stop_all_but_the_warehouse(self, grace: float = GRACE) -> None:
        """Stop everything but the warehouse, which the summary of the nightly run reads."""
        self.processes.stop(grace)
        self.postgres.stop()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def keep(self) -> None:
        """Leave the stack running after this command. `stop_all` stops it."""
        pids = {**self.processes.pids(), "warehouse": self.warehouse.pid}
        save_kept(self.company, self.ports, pids)


def save_kept(company: Company, ports: Ports, pids: dict[str, int]) -> None:
    """Record the stack that `make up` has left running."""
    path = local_home() / "up.json"
    written = path.with_suffix(".new")
    written.write_text(json.dumps({"company": asdict(company), "ports": asdict(ports), "pids": pids}))
    written.replace(path)


def kept() -> tuple[Company, Ports, dict[str, int]] | None:
    """The stack that `make up` has left running: its company, ports and process ids by name. None if there is none."""
    path = local_home() / "up.json"
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    if not any(alive(pid) for pid in record["pids"].values()):
        path.unlink()
        return None
    # An earlier version may have started it, with ports that this version does not know.
    ports = {field.name: record["ports"][field.name] for field in fields(Ports)}
    return Company(**record["company"]), Ports(**ports), record["pids"]


def stop_all() -> tuple[bool, int]:
    """Stop the stack that `make up` has left running, and what an interrupted command has left.

    Returns:
        Whether a stack was up, and the number of processes that were left.
    """
    running = kept()
    if running is not None:
        pids = running[2]
        warehouse = pids.pop("warehouse")
        stop_groups(pids)
        postgres_of(running[1]).stop()
        stop_groups({"warehouse": warehouse}, grace=30)
        (local_home() / "up.json").unlink()
    return running is not None, end_interrupted()


def end_interrupted() -> int:
    """End what an interrupted command has left running. Returns the number of processes."""
    server = Postgres(local_home() / "postgres", 0)
    left = end_leftovers() + server.is_running()
    server.stop()
    return left


@contextmanager
def warehouse_of(company: Company, ports: Ports) -> Iterator[dict[str, str]]:
    """Start the warehouse of a company for the duration of the block, unless it is up. Yields its environment variables."""
    variables = platform_environment(company, ports)
    running = kept()
    if running is not None and running[0].key == company.key:
        yield platform_environment(*running[:2])
        return
    warehouse = EmbeddedWarehouse(company.home / "warehouse", ports.warehouse)
    if not warehouse.home.exists():
        raise StackError("There is no local warehouse yet: `make run` makes one.")
    with (company.home / "warehouse" / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        if warehouse.is_up():  # another command has started it
            yield variables
            return
        warehouse.start()
        try:
            yield variables
        finally:
            # Other commands that use it have the file locked.
            fcntl.flock(users, fcntl.LOCK_EX)
            warehouse.stop()


@contextmanager
def last_warehouse() -> Iterator[Company]:
    """The warehouse of the last run, up for the duration of the block. Yields its company.

    Raises:
        StackError: there is none yet, or it refuses a statement.
    """
    from google.api_core.exceptions import GoogleAPICallError

    from include.ops import ensure_tables

    company = Company.last()
    if company is None:
        raise StackError("There is no local warehouse yet: `make run` makes one.")
    with warehouse_of(company, Ports.from_environment()) as variables:
        os.environ.update(variables)
        settings.cache_clear()
        try:
            # A warehouse of an earlier version may lack some audit tables.
            ensure_tables()
            yield company
        except GoogleAPICallError as error:
            raise StackError(f"The warehouse refused a statement: {' '.join(error.message.split())}") from error


def platform_environment(company: Company, ports: Ports) -> dict[str, str]:
    """The environment variables of the platform: warehouse, state folder, and one Airflow connection per source."""
    from include.csv_data import tables_without_rows
    from include.demo import connections

    systems = company.home / "systems"
    known = connections(
        systems,
        postgres_url=postgres_of(ports).url(company.database),
        billing_port=ports.billing,
        support_port=ports.support,
    )
    return {
        **environment(company.home / "warehouse", ports.warehouse),
        "PLATFORM_STATE_DIR": str(company.home / "state"),
        "PLATFORM_EMPTY_TABLES": ",".join(tables_without_rows(company.contract_folder) if company.contract_folder else []),
        "TASK_RETRY_DELAY_SECONDS": os.environ.get("TASK_RETRY_DELAY_SECONDS", "3"),
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps({"conn_type": "google_cloud_platform", "extra": {"project": "local"}}),
        "DO_NOT_TRACK": "1",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in known.items()},
        **({name: str(path) for name, path in landed_project(company.home).items()} if company.landed else {}),
        **(company.project.environment() if company.project else {}),
    }


def postgres_of(ports: Ports) -> Postgres:
    """The PostgreSQL server of the stack."""
    return Postgres(local_home() / "postgres", ports.postgres)


@contextmanager
def timed(say: Callable[[str], None], what: str) -> Iterator[None]:
    """Say how long the block took."""
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.0f} s")


def clean() -> None:
    """Stop the stack and delete its folder."""
    stop_all()
    shutil.rmtree(local_home(), ignore_errors=True)


__all__ = [
    "HOST",
    "Stack",
    "clean",
    "end_interrupted",
    "kept",
    "last_warehouse",
    "platform_environment",
    "postgres_of",
    "save_kept",
    "stop_all",
    "warehouse_of",
]
