"""Played nights: the expensive fixtures of the pipeline tests."""

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
from tests.pipeline.nights import Nights

FIRST, SECOND = "2026-10-01", "2026-10-02"
SCALE = 0.05
#: The companies whose tables are recomputed: test_nights goes on with this one,
SEED = 1
#: … and these only live for two nights: `make test SEEDS="2 3"` before a release.
OTHER_SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "").split()]
#: CI has no time for these companies, nor for what bears this mark.
before_a_release = pytest.mark.skipif(not OTHER_SEEDS, reason='make test SEEDS="2 3" plays it before a release')


@dataclass
class PlayedNight:
    """A night that has been played: what it saw, and what it wrote."""

    run: RunContext
    truth: Path
    tables: dict[str, list[dict[str, Any]]]

    @property
    def as_of(self) -> datetime:
        return self.run.as_of


@pytest.fixture(scope="session", autouse=True)
def local_home() -> Iterator[Path]:
    """The stack's folder for these tests, in place of the user's.

    Not one of pytest's own, which it closes to others: PostgreSQL runs as a user of its own when root starts it.
    """
    folder = Path(tempfile.mkdtemp(prefix="platform-"))
    before = os.environ.get("LOCAL_HOME")
    os.environ["LOCAL_HOME"] = str(folder)
    yield folder
    os.environ.pop("LOCAL_HOME")
    if before is not None:
        os.environ["LOCAL_HOME"] = before
    shutil.rmtree(folder, ignore_errors=True)


def play(nights: Nights, as_of: str, folder: Path, **options: Any) -> PlayedNight:
    """Play one night, keep what it published, and write the truth that its systems served."""
    run = nights.play(as_of, **options)
    tables = capture()
    company = nights.stack.company
    truth = folder / as_of
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(truth), "--as-of", as_of]
    command += ["--scale", str(company.scale), "--seed", str(company.seed)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return PlayedNight(run, truth, tables)


@pytest.fixture(scope="module", params=OTHER_SEEDS, ids=lambda seed: f"seed {seed}")
def played_nights(
    request: pytest.FixtureRequest, manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[PlayedNight]]:
    """Two consecutive nights of one company, the second incremental."""
    folder = tmp_path_factory.mktemp("truth")
    with Nights(Company(FIRST, scale=SCALE, seed=request.param)) as nights:
        # dbt's own tests are run on the nights of the first company.
        yield [play(nights, as_of, folder, tested=False) for as_of in (FIRST, SECOND)]
