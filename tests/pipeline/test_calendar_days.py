"""Nightly runs at the odd instants of the calendar, one after the other in one warehouse: each table equals its recomputation."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.home import Company
from include.settings import ROOT
from tests.pipeline.comparison import MODELS, capture, differences
from tests.pipeline.conftest import FinishedRun, before_a_release
from tests.pipeline.nightly_runs import NightlyRuns

pytestmark = before_a_release

#: As-of time → what is odd about it. Clocks change at 01:00 UTC in London, and at 16:00 UTC of the day before in Sydney.
INSTANTS = {
    "2024-02-29": "29 February",
    "2024-02-29T23:59:59.999999": "the last instant of a month that ends on 29 February",
    "2025-10-05": "clocks go forward in Sydney",
    "2025-10-26T12:00:00": "clocks go back in London",
    "2025-12-31T23:59:59.999999": "the last instant of a year",
    "2026-01-01": "1 January, the first instant of a month",
    "2026-03-29T12:00:00": "clocks go forward in London",
    "2026-04-05": "clocks go back in Sydney",
}
#: The time zones of the company's organizations.
ZONES = ("Europe/London", "Australia/Sydney")


def generate(folder: Path, as_of: str) -> None:
    """Write the company's data as of an instant, with one organization in each hemisphere."""
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(folder), "--as-of", as_of]
    subprocess.run([*command, "--scale", "0.02", "--seed", "11"], check=True, capture_output=True, cwd=ROOT)
    path = folder / "organizations.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        organizations = list(csv.DictReader(lines))
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(organizations[0]))
        writer.writeheader()
        writer.writerows({**row, "timezone": zone} for row, zone in zip(organizations, ZONES, strict=True))


@pytest.fixture(scope="module")
def runs(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightlyRuns]:
    """The company. Its data changes with each as-of time."""
    with NightlyRuns(Company(min(INSTANTS), data=str(tmp_path_factory.mktemp("served")))) as company:
        yield company


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the data of each run, by as-of time."""
    return tmp_path_factory.mktemp("truth")


@pytest.fixture(scope="module", params=INSTANTS)
def finished(request: pytest.FixtureRequest, runs: NightlyRuns, truth: Path) -> FinishedRun:
    """A run. Runs follow each other in the order of INSTANTS."""
    as_of: str = request.param
    generate(truth / as_of, as_of)
    shutil.copytree(truth / as_of, str(runs.stack.company.data), dirs_exist_ok=True)
    # dbt's data tests run in test_stack.
    return FinishedRun(runs.run(as_of, tested=False), truth / as_of, capture())


@pytest.mark.parametrize("name", list(MODELS))
def test_the_tables_equal_their_recomputation(finished: FinishedRun, name: str) -> None:
    assert finished.tables[name], "an empty table proves nothing"
    found = differences(MODELS[name], finished.tables, finished.truth, finished.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])
