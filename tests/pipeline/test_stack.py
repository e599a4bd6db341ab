"""The commands of the Makefile, with the real scheduler, the web UI in a real browser, and errors in one sentence."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from include.local.airflow import ADMIN, Api
from include.local.home import Ports, secret
from include.settings import ROOT
from tests.pipeline.browser import browser
from tests.pipeline.commands import Commands, listening
from tests.pipeline.conftest import FIRST, SCALE

SEED = 5
COMPANY = ("--scale", str(SCALE), "--seed", str(SEED), "--as-of", FIRST)


@pytest.fixture(scope="module")
def run(local_home: Path, manifest: Path) -> Iterator[Commands]:
    commands = Commands(local_home / "stack")
    yield commands
    commands("clean")


@pytest.fixture(scope="module")
def summary(run: Commands) -> str:
    """The output of `make run`."""
    return run("run", *COMPANY)


def test_a_nightly_run_with_the_scheduler(summary: str) -> None:
    for line in (
        "Loaded into raw",
        "Built by dbt",
        "Gates",
        "Recurring revenue",
        "Order revenue",
        "Pipeline",
        "Support SLA",
        "Where to look next",
    ):
        assert line in summary
    assert "tables published: " in summary and "mart_customer_360" in summary and "mtr_revenue_by_month" in summary
    assert "quarantine conformed.conformed_deal_stage_history" in summary
    assert list(listening(Ports.from_environment())) == []


def test_the_warehouse_answers_after_the_run(run: Commands, summary: str) -> None:
    printed = run("sql", "select count(*) as months from metrics.mtr_revenue_by_month where order_count > 0")
    assert "months" in printed
    assert "state" in run("sql", "select state, count(*) as n from ops.pipeline_runs group by state")
    assert "Traceback" not in run("sql", "selec 1", ok=False)
    assert "Completed successfully" in run("dbt", "build", "--select", "mart_nrr_summary")
    status = run("status")
    assert "marts.mart_ticket_sla_compliance" in status and "every 15 minutes, within 1 h" in status


def test_a_figure_is_explained(run: Commands, summary: str, tmp_path: Path) -> None:
    where = "month = '2026-09-01' and dimension = 'total'"
    refused = run("explain", "marts.mart_nrr_summary", "nrr_pct", where, ok=False)
    assert "Several rows of marts.mart_nrr_summary fulfil WHERE" in refused and "Traceback" not in refused
    one = next(line.strip() for line in refused.splitlines() if "organization_id =" in line)
    printed = run("explain", "marts.mart_nrr_summary", "nrr_pct", one, "--limit", "3", "--out", str(tmp_path))
    assert "Computed from these rows alone, the figure is the published one" in printed
    assert "nrr_pct = cast(100 * retained_mrr_amount / nullif(base_mrr_amount, 0) as float64)" in printed
    assert "core.fct_revenue" in printed and "raw_billing.subscriptions" in printed and "dbt tests" in printed
    again = run("sql", (tmp_path / "figure.sql").read_text())
    figure = run("sql", f"select nrr_pct from marts.mart_nrr_summary where {one}")
    assert figure == again
    assert "is not a published table" in run("explain", "core.fct_revenue", "mrr_amount", "true", ok=False)


def test_the_web_ui(run: Commands, summary: str, tmp_path: Path) -> None:
    """Logs in, triggers `transform` with a parameter, and sees its graph with a task per model."""
    pictures = Path(os.environ.get("PLATFORM_SCREENSHOTS", tmp_path))
    addresses = run("up", *COMPANY)
    try:
        address = f"http://127.0.0.1:{run.ports.airflow}"
        assert address in addresses
        os.environ["LOCAL_HOME"], before = str(run.home), os.environ["LOCAL_HOME"]
        password = secret("admin_password")[:16]
        os.environ["LOCAL_HOME"] = before
        with browser(address) as window:
            window.log_in(ADMIN, password)
            window.open("/dags")
            for dag_id in ("ingest_crm", "ingest_support", "transform", "transform_deadline"):
                window.wait_for_text(dag_id)
            window.picture(pictures / "dags.png")
            window.open("/dags/transform")
            window.click("[data-testid=trigger-dag-button]")
            window.find("input[name=element_as_of]").send_keys("10012026")
            window.picture(pictures / "trigger.png")
            buttons = [b for b in window.driver.find_elements("css selector", "[role=dialog] button") if b.text == "Trigger"]
            window.driver.execute_script("arguments[0].click()", buttons[-1])
            # The tests need the start of the run only. Screenshots should show a finished run.
            awaited = {"success"} if "PLATFORM_SCREENSHOTS" in os.environ else {"running", "success"}
            run_id, parameters, earlier = _wait_for_manual_run(run.ports, password, awaited)
            # `make up` also starts the nightly run of today. If that was first, the run of 1 October is a backfill, a full
            # refresh.
            rebuilds = earlier > 1
            assert parameters == {
                "as_of": "2026-10-01T00:00:00+00:00",
                "full_refresh": rebuilds,
                "selected": None,
                "seeds_loaded": not rebuilds,
            }
            window.open(f"/dags/transform/runs/{run_id}")
            window.click("[aria-label^='Show Graph']")
            window.click("[data-testid=expand-all-button]")
            window.wait_for_text("mart_ticket_sla_compliance")
            window.wait_for_text("conformed_deals")
            window.picture(pictures / "graph.png")
            window.click("[aria-label^='Show Grid']")
            window.wait_for_text("gate_marts")
            window.picture(pictures / "grid.png")
        assert "up already" in run("up", *COMPANY, ok=False)
        assert "make down" in run("run", *COMPANY, ok=False)
    finally:
        run("down")


def _wait_for_manual_run(ports: Ports, password: str, states: set[str], timeout: float = 600.0) -> tuple[str, object, int]:
    """Wait until the run that the browser has started is in one of the states.

    Returns:
        Its run id, the parameters from `prepare`, and the number of scheduled runs that have succeeded.
    """
    import requests

    api = Api(ports)
    token = requests.post(f"{api.address}/auth/token", json={"username": ADMIN, "password": password}, timeout=30).json()
    api._session.headers["Authorization"] = f"Bearer {token['access_token']}"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        manual = [found for found in api.runs("transform") if found["run_type"] == "manual"]
        assert not manual or manual[0]["state"] != "failed"
        if manual and manual[0]["state"] in states:
            run_id = manual[0]["dag_run_id"]
            if any(task["task_id"] == "prepare" and task["state"] == "success" for task in api.tasks("transform", run_id)):
                path = f"dags/transform/dagRuns/{quote(run_id, safe='')}/taskInstances/prepare/xcomEntries/return_value"
                before = [
                    found for found in api.runs("transform") if found["run_type"] != "manual" and found["state"] == "success"
                ]
                return run_id, api.get(path, deserialize=True)["value"], len(before)
        time.sleep(2)
    raise AssertionError(f"the run that the browser started is not yet {states}")


def test_a_port_in_use_gives_an_error_of_one_sentence(run: Commands) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", run.ports.billing))
        taken.listen()
        printed = run("run", *COMPANY, ok=False)
    assert f"Port {run.ports.billing} is in use" in printed and "BILLING_PORT" in printed and "Traceback" not in printed


def test_a_bad_value_in_a_users_file_names_file_line_and_column(run: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "company"
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(folder), "--scale", "0.02", "--as-of", FIRST]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    lines = (folder / "facilities.csv").read_text().splitlines()
    column = lines[0].split(",").index("created_at")
    fields = lines[1].split(",")
    fields[column] = "yesterday"
    (folder / "facilities.csv").write_text("\n".join([lines[0], ",".join(fields), *lines[2:]]) + "\n")
    printed = run("run", "--data", str(folder), "--as-of", FIRST, ok=False)
    assert "facilities.csv" in printed and "line 2" in printed and "created_at" in printed and "Traceback" not in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--as-of", "yesterday"), "AS_OF must be a date"),
        (("--data", "/nowhere/at/all"), "is not a folder"),
        (("--data", ""), "DATA is empty: name a folder"),
    ],
)
def test_invalid_options_give_an_error_of_one_sentence(run: Commands, arguments: tuple[str, ...], sentence: str) -> None:
    printed = run("run", *arguments, ok=False)
    assert sentence in printed and "Traceback" not in printed


def test_make_lists_its_commands() -> None:
    printed = subprocess.run(["make", "help"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for command in ("run", "test", "up", "down", "check", "bench", "clean", "demo-data", "sql", "dbt", "docs"):
        assert f"make {command} " in printed


def test_without_python_the_error_says_what_to_install(tmp_path: Path) -> None:
    """The PATH of bootstrap.sh has the usual tools but no usable Python."""
    (tmp_path / "project").mkdir()
    for name in ("include/local/bootstrap.sh", "requirements.txt", "requirements-dev.txt", "requirements-warehouse.txt"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "project" / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "cat", "cksum", "dirname", "df", "awk", "grep", "cut", "printf", "mkdir", "rm", "tail"):
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    (tools / "python3").write_text("#!/bin/sh\nexit 127\n")
    (tools / "python3").chmod(0o755)
    done = subprocess.run(
        ["sh", "include/local/bootstrap.sh"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        cwd=tmp_path / "project",
        check=False,
    )
    assert done.returncode != 0
    assert "install Python 3.11, 3.12 or 3.13" in done.stderr
