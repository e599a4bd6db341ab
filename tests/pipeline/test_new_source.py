"""A new source needs only its file: it gets a DAG, raw tables, a raw gate and dbt sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.ingestion import load
from include.local.home import Company
from include.ops import ensure_tables
from include.quality import run_gate
from include.run_context import RunContext
from include.settings import ROOT, settings
from include.sources import SourceConnection, load_sources
from tests.pipeline.nightly_runs import NightlyRuns, rows

MARKETING = """\
description: Campaigns as the marketing team exports them.
owner: sales_operations
tier: medium
connection: marketing
freshness: {warn_after: 26h, error_after: 50h}
reader: {type: files, formats: [csv]}
tables:
  campaigns:
    description: One row per campaign.
    primary_key: [organization_id, campaign_id]
    glob: campaigns.csv
    event_time: none
    columns:
      campaign_id: {type: string, nullable: false, description: Identifies the campaign.}
      organization_id: {type: string, nullable: false, description: Tenant that the row belongs to.}
      budget: {type: decimal, description: Planned spend.}
      starts_on: {type: date, description: First day.}
"""


@pytest.fixture
def with_marketing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Path) -> Iterator[Path]:
    """The platform's source files with one more source. Returns the folder that the new source reads."""
    sources = tmp_path / "sources"
    sources.mkdir()
    for path in (ROOT / "include" / "sources").glob("*.yml"):
        shutil.copy(path, sources)
    (sources / "marketing.yml").write_text(MARKETING)
    landing = tmp_path / "landing"
    landing.mkdir()
    (landing / "campaigns.csv").write_text(
        "campaign_id,organization_id,budget,starts_on\nc1,o1,1200.50,2026-09-01\nc2,o1,,2026-09-15\n"
    )
    monkeypatch.setenv("PLATFORM_SOURCES_DIR", str(sources))
    settings.cache_clear()
    yield landing
    settings.cache_clear()


def test_a_source_file_is_all_it_takes(with_marketing: Path) -> None:
    script = (
        "from airflow.dag_processing.dagbag import DagBag\n"
        f"bag = DagBag(dag_folder={str(ROOT / 'dags')!r})\n"
        "assert not bag.import_errors, bag.import_errors\n"
        "print('DAGS', *sorted(bag.dags))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "ingest_marketing" in next(line for line in done.stdout.splitlines() if line.startswith("DAGS")).split()

    with NightlyRuns(Company("2026-10-01", scale=0.05, seed=12)):
        os.environ["AIRFLOW_CONN_MARKETING"] = f'{{"conn_type": "generic", "extra": {{"url": "{with_marketing.as_uri()}"}}}}'
        run = RunContext("nightly__marketing", datetime(2026, 10, 1, tzinfo=UTC))
        ensure_tables()
        report = load(load_sources()["marketing"], SourceConnection.from_airflow("marketing"), run)
        assert report.summary()
        run_gate("raw_marketing", run)
        loaded = rows("select campaign_id, budget, starts_on from raw_marketing.campaigns order by campaign_id")
    assert [str(row["budget"]) for row in loaded] == ["1200.500000000", "None"]
