"""A nightly run of a company with an organization for each table, which lacks that table alone: each figure equals its recomputation.

Only organizations and exchange rates are in all of them, because every organization shares the rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from include.demo.schema import TABLES
from include.local.home import Company
from tests.pipeline.comparison import MODELS, capture, differences
from tests.pipeline.conftest import FIRST, SEED, FinishedRun, before_a_release, write_truth
from tests.pipeline.nightly_runs import NightlyRuns
from tests.pipeline.odd_companies import Folder

pytestmark = before_a_release

#: The tables of which an organization may have no row.
OF_ORGANIZATIONS = [name for name, table in TABLES.items() if "organization_id" in table.by_name and name != "organizations"]


@pytest.fixture(scope="module")
def lacking_run(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedRun]:
    path = tmp_path_factory.mktemp("lacking") / "lacking"
    write_truth(Company(FIRST, scale=0.02, seed=SEED), path)
    folder = Folder(path)
    for table, organization in zip(OF_ORGANIZATIONS, cycle(folder.organizations)):
        folder.drop(table, folder.copy(organization, f"-without-{table}"))
    folder.save()
    with NightlyRuns(Company(FIRST, data=str(path))) as company:
        yield FinishedRun(company.run(FIRST, tested=False), path, capture())


@pytest.mark.parametrize("name", list(MODELS))
def test_the_organizations_without_one_table_equal_their_recomputation(lacking_run: FinishedRun, name: str) -> None:
    found = differences(MODELS[name], lacking_run.tables, lacking_run.truth, lacking_run.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])
