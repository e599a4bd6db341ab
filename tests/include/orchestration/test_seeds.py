"""Whether a run must load the seeds: their current checksum, compared with `ops.pipeline_runs`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.orchestration.seeds import Seeds
from include.run_context import RunContext
from include.settings import ROOT, settings
from tests.warehouse import connected

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
PLANS = Seeds("plans", {"core": ["plans"]})


@pytest.fixture
def project(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the dbt project with the manifest of the unchanged project."""
    folder = tmp_path / "dbt"
    shutil.copytree(ROOT / "dbt", folder, ignore=shutil.ignore_patterns("target", "logs"))
    (folder / "target").mkdir()
    shutil.copy(manifest, folder / "target")
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(folder))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("seeds/deal_stages.csv", True),
        ("seeds/deal_stages.yml", True),
        ("seeds/another.csv", True),
        ("tests/core/seniority_rules_decide_their_examples.sql", True),
        ("macros/staging.sql", True),
        ("dbt_project.yml", True),
        ("seeds/.deal_stages.csv.swp", False),
        ("models/core/customers/dim_accounts.sql", False),
        ("target/manifest.json", False),
    ],
)
def test_an_edit_changes_the_checksum_without_parsing_the_project(project: Path, name: str, counts: bool) -> None:
    before = Seeds.of_project()
    assert {"deal_stages", "sla_default_targets"} <= set(before.tables["core"])
    with (project / name).open("a") as file:
        file.write("\n")
    assert (Seeds.of_project().checksum != before.checksum) == counts


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "core") as client:
        client.query("create table core.plans (id int64)").result()
        yield client
        client.query("drop table if exists core.plans").result()


def test_they_are_loaded_if_the_last_run_that_loaded_seeds_succeeded_with_the_same(bq: Client) -> None:
    def ran(name: str, state: str, seeds: str | None) -> bool:
        run = RunContext(name, AS_OF)
        ops.start_run(run, "transform", seeds=seeds, client=bq)
        if state != "running":
            ops.finish_run(run, "transform", state, client=bq)
        return PLANS.are_loaded(ops.runs_so_far())

    assert not PLANS.are_loaded(ops.runs_so_far()), "there has been no run"
    assert not ran("first", "failed", "plans"), "it may not have loaded and tested them"
    assert ran("second", "success", "plans")
    assert ran("ingest", "success", None)
    assert ran("third", "failed", "plans"), "it found them loaded, or loaded the same again"
    assert ran("fourth", "running", "plans")
    assert not ran("other", "failed", "other plans"), "it may have loaded the others"
    assert not ran("back", "running", "plans")
    assert ran("back", "success", "plans")
    assert not ran("narrowed", "success", "some")
    assert ran("nightly", "success", "plans")
    bq.query("drop table core.plans").result()
    assert not PLANS.are_loaded(ops.runs_so_far()), "the table is missing"


@pytest.mark.parametrize(
    ("loaded", "whole", "selected", "noted"),
    [
        (False, True, None, "plans"),
        (True, True, None, "plans"),
        (True, False, None, "plans"),
        (False, False, None, "some"),
        (False, True, ["model.shop.items"], None),
        (False, True, ["model.shop.items", "seed.shop.plans"], "some"),
    ],
)
def test_the_note_in_pipeline_runs(loaded: bool, whole: bool, selected: list[str] | None, noted: str | None) -> None:
    assert PLANS.note(loaded, whole, selected) == noted
