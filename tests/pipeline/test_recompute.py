"""Every row and column that two nights wrote, against an independent recomputation from the CSV truth.

The fixture `played_nights` gives, per night played in order, its `as_of`, the folder `truth` with the CSVs of
the world at that instant, and `tables`: what `comparison.capture()` read after the night's publication.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.pipeline.comparison import MODELS, NOT_COMPARED, contracts, differences


class PlayedNight(Protocol):
    """A night that the pipeline has played."""

    as_of: datetime
    truth: Path
    tables: dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize("night", [0, 1], ids=["first night", "second night"])
@pytest.mark.parametrize("name", list(MODELS))
def test_the_warehouse_holds_what_the_truth_says(played_nights: Sequence[PlayedNight], night: int, name: str) -> None:
    played = played_nights[night]
    assert played.tables[name], "an empty table proves nothing"
    told = differences(MODELS[name], played.tables, played.truth, played.as_of)
    assert not told, f"{len(told)} differences, the first of them:\n" + "\n".join(told[:30])


def test_no_model_escapes_the_comparison() -> None:
    assert contracts() == MODELS.keys() | NOT_COMPARED.keys()
