"""One company through other doors than its own systems: CSV files, and the tables of Fivetran and Airbyte. All publish the same.

Each door's tables are compared with the recomputation from the company's CSV files, as those of its own systems are (test_recompute).
It runs one nightly run per door, so only before a release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from include.local.home import Company
from tests.pipeline.comparison import MODELS, differences
from tests.pipeline.conftest import FIRST, SCALE, FinishedRun, before_a_release, run_and_capture, write_truth
from tests.pipeline.nightly_runs import NightlyRuns

DOORS: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((Path(__file__).parent / "doors.yml").read_text(encoding="utf-8"))
SEED = 7


@pytest.fixture(scope="module", params=DOORS)
def door(
    request: pytest.FixtureRequest, manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, FinishedRun]]:
    """A door, and one nightly run through it."""
    folder = tmp_path_factory.mktemp("doors")
    company = Company(FIRST, scale=SCALE, seed=SEED, landed=None if request.param == "csv" else request.param)
    if request.param == "csv":
        write_truth(company, folder / FIRST)
        company = Company(FIRST, data=str(folder / FIRST))
    with NightlyRuns(company) as runs:
        # dbt's data tests run in test_stack.
        yield request.param, run_and_capture(runs, FIRST, folder, tested=False)


@before_a_release
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", list(MODELS))
def test_every_door_publishes_the_same(door: tuple[str, FinishedRun], name: str) -> None:
    excused, finished = DOORS[door[0]].get(name, {}), door[1]
    # The accounts of the demo company are all in the CRM, so there is nothing to match.
    assert finished.tables[name] or name.endswith("account_identity"), "an empty table proves nothing"
    assert excused.keys() <= set(MODELS[name].columns), "doors.yml names a column that the table lacks"
    model = replace(MODELS[name], not_recomputed=MODELS[name].not_recomputed | excused.keys())
    found = differences(model, finished.tables, finished.truth, finished.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])
