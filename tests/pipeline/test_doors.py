"""One company through other doors than its own systems: CSV files, and the tables of Fivetran and Airbyte. All publish the same.

Each door's tables are compared with the recomputation from the company's CSV files, as those of its own systems are (test_recompute).
It runs two nightly runs per door, so only before a release. Between them rows are added, changed and deleted.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from include.local.home import Company
from tests.pipeline.comparison import MODELS, capture, differences
from tests.pipeline.conftest import FIRST, SCALE, SECOND, FinishedRun, before_a_release, write_truth
from tests.pipeline.nightly_runs import NightlyRuns

DOORS: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((Path(__file__).parent / "doors.yml").read_text(encoding="utf-8"))
SEED = 7


@pytest.fixture(scope="module", params=DOORS)
def door(
    request: pytest.FixtureRequest, manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[FinishedRun]]]:
    """A door, and two consecutive nightly runs through it."""
    folder = tmp_path_factory.mktemp("doors")
    demo = Company(FIRST, scale=SCALE, seed=SEED)
    for as_of in (FIRST, SECOND):
        write_truth(replace(demo, as_of=as_of), folder / as_of)
    if request.param == "csv":
        shutil.copytree(folder / FIRST, folder / "csv")
        company = Company(FIRST, data=str(folder / "csv"))
    else:
        company = replace(demo, landed=request.param)
    with NightlyRuns(company) as runs:
        # dbt's data tests run in test_stack.
        finished = [FinishedRun(runs.run(FIRST, tested=False), folder / FIRST, capture())]
        if request.param == "csv":
            shutil.copytree(folder / SECOND, folder / "csv", dirs_exist_ok=True)
        finished.append(FinishedRun(runs.run(SECOND, tested=False), folder / SECOND, capture()))
        yield request.param, finished


@before_a_release
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", [0, 1], ids=["first run", "second run"])
@pytest.mark.parametrize("name", list(MODELS))
def test_every_door_publishes_the_same(door: tuple[str, list[FinishedRun]], number: int, name: str) -> None:
    excused, finished = DOORS[door[0]].get(name, {}), door[1][number]
    # The accounts of the demo company are all in the CRM, so there is nothing to match.
    assert finished.tables[name] or name.endswith("account_identity"), "an empty table proves nothing"
    assert excused.keys() <= set(MODELS[name].columns), "doors.yml names a column that the table lacks"
    model = replace(MODELS[name], not_recomputed=MODELS[name].not_recomputed | excused.keys())
    found = differences(model, finished.tables, finished.truth, finished.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])


@before_a_release
def test_the_second_run_finds_changed_and_deleted_rows(door: tuple[str, list[FinishedRun]]) -> None:
    first, second = ({row["activity_id"]: row for row in finished.tables["fct_activities"]} for finished in door[1])
    assert first.keys() - second.keys(), "deleted"
    assert second.keys() - first.keys(), "new"
    assert any(first[name]["updated_at"] < second[name]["updated_at"] for name in first.keys() & second.keys()), "changed"
