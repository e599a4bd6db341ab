"""The jobs of every component have the labels, the byte cap and the location. A proxy records their requests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.bigquery import Client

from include import ops
from include.quality import run_gate
from include.run_context import RunContext
from include.settings import ROOT
from include.warehouse import client, rows
from tests.proxy import Proxy, proxied
from tests.warehouse import connected, running

RUN = RunContext("scheduled__2026-10-01", datetime(2026, 10, 1, tzinfo=UTC))
CAP = 5_000_000_000


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path / "dbt"))
    monkeypatch.setenv("PLATFORM_GX_DIR", str(tmp_path / "gx"))
    monkeypatch.setenv("PLATFORM_SOURCES_DIR", str(tmp_path / "sources"))
    monkeypatch.setenv("PLATFORM_ENVIRONMENT", "test")
    monkeypatch.setenv("BIGQUERY_MAXIMUM_BYTES_BILLED", str(CAP))
    with connected(monkeypatch, "raw_shop", "core", "marts_build", "marts", "snapshots") as made:
        yield made


@pytest.fixture
def proxy(bq: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy that later clients use."""
    with proxied(running().url) as made:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", made.url)
        yield made


def is_complete(job: dict[str, Any], **labels: str) -> bool:
    """Whether a job has all labels and the location, and a query the byte cap too."""
    # A Job, or a QueryRequest, which has the same fields in other places.
    configuration = job.get("configuration", job)
    query = configuration.get("query", {}) if "configuration" in job else job
    location = job["jobReference"].get("location") if "configuration" in job else job.get("location")
    wanted = {"platform": "customer-intelligence", "environment": "test", **labels}
    capped = not query or int(query.get("maximumBytesBilled", 0)) == CAP
    return capped and location == "US" and wanted.items() <= configuration.get("labels", {}).items()


def incomplete(proxy: Proxy, **labels: str) -> list[dict[str, Any]]:
    assert proxy.jobs, "nothing was sent"
    return [job for job in proxy.jobs if not is_complete(job, **labels)]


def test_gates(bq: Client, proxy: Proxy, tmp_path: Path) -> None:
    bq.query("create table core.t as select 1 as value").result()
    rules = [
        {
            "name": "values_are_small",
            "relation": "core.t",
            "action": "warn",
            "reason": "They are small numbers.",
            "expect": {"type": "expect_column_values_to_be_between", "column": "value", "max_value": 5},
        },
        {
            "name": "none_is_negative",
            "relation": "core.t",
            "action": "warn",
            "reason": "They count something.",
            "rows": "select * from core.t where value < 0",
        },
    ]
    (tmp_path / "gx" / "gates").mkdir(parents=True)
    (tmp_path / "gx" / "gates" / "core.yml").write_text(yaml.safe_dump({"gate": "core", "rules": rules}))
    assert run_gate("core", RUN).verdict == "pass"
    assert proxy.statements("column_values_between"), "Great Expectations' own statements were seen"
    assert incomplete(proxy, gate="core") == []


def test_an_ingestion_run(bq: Client, proxy: Proxy, tmp_path: Path) -> None:
    from include.ingestion import load
    from include.sources import SourceConnection, load_sources

    table = {
        "description": "One row per item.",
        "primary_key": ["id"],
        "glob": "items/*.jsonl",
        "detect_deletes": True,
        "columns": {
            name: {"type": kind, "description": "A column."} for name, kind in {"id": "string", "updated_at": "timestamp"}.items()
        },
    }
    document = {
        "description": "A source of a test.",
        "owner": "tests",
        "tier": "low",
        "schedule": "0 2 * * *",
        "connection": "shop",
        "freshness": {"warn_after": "26h", "error_after": "50h"},
        "reader": {"type": "files", "formats": ["jsonl"]},
        "tables": {"items": table},
    }
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shop.yml").write_text(yaml.safe_dump(document))
    (tmp_path / "landing" / "items").mkdir(parents=True)
    source = load_sources(tmp_path / "sources")["shop"]
    connection = SourceConnection.of("shop", {"extra": {"url": (tmp_path / "landing").as_uri()}})
    for number in (1, 2):
        rows = "\n".join(f'{{"id": "{i}", "updated_at": "2026-09-0{number}T00:00:00Z"}}' for i in range(number, number + 3))
        (tmp_path / "landing" / "items" / f"{number}.jsonl").write_text(rows)
        load(source, connection, RUN)
    loads = [job for job in proxy.jobs if "load" in job.get("configuration", {})]
    into = {job["configuration"]["load"]["destinationTable"]["tableId"] for job in loads}
    assert {"items", "_source_keys", "_dlt_pipeline_state"} <= into, "dlt's own load jobs were seen"
    assert proxy.statements("_dlt_loads"), "and its statements"
    assert incomplete(proxy, source="shop") == []


def test_publishing_with_a_rollback(bq: Client, proxy: Proxy) -> None:
    from include.publish import PublishError, publish

    for number in (1, 2):
        for name in ("mart_a", "mart_b"):
            bq.query(f"create or replace table marts_build.{name} as select {number} as run_number").result()
        if number == 2:
            proxy.refuse("`marts`.`mart_b` clone", "The disk is full.", times=1)
            with pytest.raises(PublishError):
                publish(RUN)
        else:
            publish(RUN)
    assert any("copy" in job.get("configuration", {}) for job in proxy.jobs), "a copy job restores the replaced table"
    assert incomplete(proxy, task="publish") == []


def test_retention(bq: Client, proxy: Proxy) -> None:
    from include.orchestration import delete_old_versions

    bq.query("create table snapshots.snap_a as select timestamp '2020-01-01' as dbt_valid_to").result()
    assert delete_old_versions(RUN.as_of, client(task="retention")) == {"snap_a": 1}
    assert incomplete(proxy, task="retention") == []


def test_a_query_without_a_client_of_its_own(bq: Client, proxy: Proxy) -> None:
    assert rows("select @n as n", {"n": 1}, tool="summary") == [{"n": 1}]
    assert incomplete(proxy, tool="summary") == []


def test_audit_tables(bq: Client, proxy: Proxy) -> None:
    ops.ensure_tables([])
    ops.start_run(RUN, "transform")
    ops.finish_run(RUN, "transform", "success")
    assert [run["state"] for run in ops.runs()] == ["success"]
    assert incomplete(proxy) == []


def test_dbt(bq: Client, proxy: Proxy, tmp_path: Path) -> None:
    """A project of one model with this project's profile and its comment on queries."""
    project = yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text(encoding="utf-8"))
    kept = {key: project[key] for key in ("name", "version", "config-version", "profile", "query-comment") if key in project}
    folder = tmp_path / "dbt"
    (folder / "models").mkdir(parents=True)
    (folder / "macros").mkdir()
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(kept))
    (folder / "profiles.yml").write_text((ROOT / "dbt" / "profiles.yml").read_text(encoding="utf-8"))
    (folder / "macros" / "query_labels.sql").write_text((ROOT / "dbt" / "macros" / "query_labels.sql").read_text())
    (folder / "models" / "made_by_dbt.sql").write_text("{{ config(materialized='table') }} select 1 as one")
    dbt = [str(Path(sys.prefix) / "bin" / "dbt"), "run", "--project-dir", str(folder), "--profiles-dir", str(folder)]
    done = subprocess.run(dbt, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout
    assert proxy.statements("made_by_dbt")
    assert incomplete(proxy) == []
