"""`python -m include.demo serve` as a process: the ready file, answers of all systems, a clean stop, short error messages."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from include.demo import Company, write_csv
from include.settings import ROOT


def command(home: Path, url: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "include.demo", "serve", "--home", str(home), "--postgres-url", url, *arguments]


@contextmanager
def serving(home: Path, url: str, *arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """Run the systems. Yields their connections and the process."""
    process = subprocess.Popen(
        command(home, url, *arguments), cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    ready = home / "systems.json"
    deadline = time.monotonic() + 60
    try:
        while not ready.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield json.loads(ready.read_text())["connections"], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_all_systems_answer_until_sigterm(tmp_path: Path, postgres_url: str) -> None:
    with serving(tmp_path, postgres_url, "--scale", "0.02", "--as-of", "2026-10-01") as (connections, process):
        assert set(connections) == {"crm", "billing", "support", "product", "reference"}
        billing, support = connections["billing"], connections["support"]
        bearer = {"Authorization": f"Bearer {billing['password']}"}
        answer = requests.get(f"{billing['host']}/v1/invoices", headers=bearer, timeout=10)
        assert len(answer.json()["data"]) > 10
        login = (support["login"], support["password"])
        assert requests.get(f"{support['host']}/api/v2/tickets", auth=login, timeout=10).json()["results"]
        crm = connections["crm"]
        database = psycopg2.connect(host=crm["host"], port=crm["port"], user=crm["login"], dbname=crm["schema"])
        with database, database.cursor() as cursor:
            cursor.execute("select count(*) from crm.accounts")
            assert cursor.fetchone()[0] > 20  # type: ignore[index]
        database.close()
        landing = Path(connections["product"]["extra"]["url"].removeprefix("file://"))
        assert len(list((landing / "usage_events").glob("date=*"))) > 1000
        reference = Path(connections["reference"]["extra"]["url"].removeprefix("file://"))
        assert (reference / "fx_rates.csv").exists()
        assert "## Hard delete" in (tmp_path / "demo_cases.md").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not (tmp_path / "systems.json").exists()


def test_a_folder_of_csv_files_is_served(tmp_path: Path, postgres_url: str, company: Company) -> None:
    data = tmp_path / "data"
    write_csv(company, data)
    (data / "holidays.csv").unlink()
    with serving(tmp_path / "home", postgres_url, "--data", str(data), "--no-faults") as (connections, process):
        billing = connections["billing"]
        bearer = {"Authorization": f"Bearer {billing['password']}"}
        answer = requests.get(f"{billing['host']}/v1/subscriptions?limit=1000", headers=bearer, timeout=10)
        assert len(answer.json()["data"]) == company.tables["subscriptions"].num_rows
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=20)
    assert complaints == "Warning: no file has holidays: these tables are empty\n"


def test_errors_are_reported_in_one_sentence(tmp_path: Path, postgres_url: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "fx_rates.csv").write_text("rate_date,currency,rate_to_usd\n2026-01-01,EUR,much\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        small = ("--scale", "0.02", "--as-of", "2026-10-01")
        for arguments, message in (
            ((postgres_url, "--data", str(data)), 'fx_rates.csv, line 2, column rate_to_usd: "much" is not a number'),
            ((postgres_url, *small, "--billing-port", str(port)), f"Port {port} for the billing system is in use"),
            ((postgres_url, *small, "--billing-port", "70000"), "70000 is not a port number"),
            (("postgresql://postgres@127.0.0.1:1/x", *small), "The CRM database failed"),
            (("nonsense", *small), "The CRM database failed"),
            ((postgres_url, "--data", ""), "the folder is empty: name a folder of CSV files"),
        ):
            done = subprocess.run(
                command(tmp_path / "home", *arguments), cwd=ROOT, text=True, capture_output=True, check=False, timeout=60
            )
            assert done.returncode == 2, done
            assert message in done.stderr
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["generate", "serve"])
def test_help_explains_every_option(name: str) -> None:
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "include.demo", name, "--help"],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    )
    options = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("--")]
    assert len(options) >= 4
    assert all(len(option.split("  ")) > 1 for option in options), options
