"""A nightly run of a company whose data say only what the contract requires: what they do not say is unknown, as its recomputation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.contract import contract
from include.local.home import Company
from include.local.unknown import unknown_figures
from include.settings import ROOT
from tests.pipeline.comparison import MODELS, capture, differences
from tests.pipeline.conftest import FIRST, SCALE, SEED, FinishedRun, before_a_release
from tests.pipeline.nightly_runs import NightlyRuns, rows
from tests.pipeline.odd_companies import Folder

pytestmark = before_a_release


@pytest.fixture(scope="module")
def sparse_run(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedRun]:
    """The demo company with every column empty that the contract does not require. Its warehouse is still up."""
    path = tmp_path_factory.mktemp("sparse") / "sparse"
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(path), "--as-of", FIRST]
    subprocess.run([*command, "--scale", str(SCALE), "--seed", str(SEED)], check=True, capture_output=True, cwd=ROOT)
    folder = Folder(path)
    for name, found in folder.tables.items():
        empty = {column: "" for column, declared in contract()[name].columns.items() if not declared.required}
        for row in found:
            row |= empty
    folder.save()
    with NightlyRuns(Company(FIRST, data=str(path))) as company:
        run = company.run(FIRST, tested=False)
        yield FinishedRun(run, path, capture())


@pytest.mark.parametrize("name", list(MODELS))
def test_the_tables_of_a_sparse_company_equal_their_recomputation(sparse_run: FinishedRun, name: str) -> None:
    found = differences(MODELS[name], sparse_run.tables, sparse_run.truth, sparse_run.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])


def test_no_gate_blocks_it(sparse_run: FinishedRun) -> None:
    assert rows("select gate, expectation from ops.gate_results where verdict = 'block'") == []


def test_the_summary_names_every_column_that_is_empty(sparse_run: FinishedRun) -> None:
    lines = unknown_figures()
    for name, entity in contract().items():
        for column, figures in entity.unknown_without.items():
            is_empty = not entity.optional and column in entity.columns and not entity.columns[column].required
            assert (f"no {column} in {name}: {figures}" in lines) == is_empty
