"""The expensive fixtures of the pipeline tests: finished nightly runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.local.home import Company
from include.run_context import RunContext
from include.settings import ROOT
from tests.pipeline.comparison import capture
from tests.pipeline.nightly_runs import NightlyRuns

FIRST, SECOND = "2026-10-01", "2026-10-02"
SCALE = 0.05
#: The company of test_nightly_runs.
SEED = 1
#: The companies of test_recompute, with two nightly runs each: `make test SEEDS="2 3"` before a release.
OTHER_SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "").split()]
#: Marks other tests that CI has no time for.
before_a_release = pytest.mark.skipif(not OTHER_SEEDS, reason='make test SEEDS="2 3" runs it before a release')


@dataclass
class FinishedRun:
    """A nightly run that has finished.

    Attributes:
        run: its context.
        truth: the folder with the CSV files of the company's data as of the run.
        tables: the rows of each table, as the run has left them.
    """

    run: RunContext
    truth: Path
    tables: dict[str, list[dict[str, Any]]]

    @property
    def as_of(self) -> datetime:
        return self.run.as_of


@pytest.fixture(scope="session", autouse=True)
def local_home() -> Iterator[Path]:
    """The folder of the local stack for these tests, instead of the user's.

    Not pytest's `tmp_path`, which is closed to other users: if root starts PostgreSQL, it runs as another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="platform-"))
    before = os.environ.get("LOCAL_HOME")
    os.environ["LOCAL_HOME"] = str(folder)
    yield folder
    os.environ.pop("LOCAL_HOME")
    if before is not None:
        os.environ["LOCAL_HOME"] = before
    shutil.rmtree(folder, ignore_errors=True)


def run_and_capture(runs: NightlyRuns, as_of: str, folder: Path, **options: Any) -> FinishedRun:
    """Run one nightly run, read its tables, and write the company's data as CSV files."""
    run = runs.run(as_of, **options)
    tables = capture()
    truth = folder / as_of
    if runs.stack.company.data is None:
        write_truth(runs.stack.company, truth)
    return FinishedRun(run, truth, tables)


def write_truth(company: Company, folder: Path) -> None:
    """Write the data of the demo company as CSV files."""
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(folder), "--as-of", company.as_of]
    command += ["--scale", str(company.scale), "--seed", str(company.seed)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


@pytest.fixture(scope="module", params=OTHER_SEEDS, ids=lambda seed: f"seed {seed}")
def finished_runs(
    request: pytest.FixtureRequest, manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[FinishedRun]]:
    """Two consecutive nightly runs of one company; the second is incremental."""
    folder = tmp_path_factory.mktemp("truth")
    with NightlyRuns(Company(FIRST, scale=SCALE, seed=request.param)) as runs:
        # dbt's data tests run in test_stack.
        yield [run_and_capture(runs, as_of, folder, tested=False) for as_of in (FIRST, SECOND)]
