"""Compares every row and column of two nightly runs with an independent recomputation from the company's CSV files."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.pipeline.comparison import MODELS, NOT_COMPARED, contracts, differences
from tests.pipeline.conftest import FinishedRun


@pytest.mark.parametrize("number", [0, 1], ids=["first run", "second run"])
@pytest.mark.parametrize("name", list(MODELS))
def test_the_tables_equal_their_recomputation(finished_runs: Sequence[FinishedRun], number: int, name: str) -> None:
    finished = finished_runs[number]
    assert finished.tables[name], "an empty table proves nothing"
    found = differences(MODELS[name], finished.tables, finished.truth, finished.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])


def test_every_model_with_a_contract_is_compared_or_listed() -> None:
    assert contracts() == MODELS.keys() | NOT_COMPARED.keys()
