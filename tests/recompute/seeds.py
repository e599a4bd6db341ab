"""Business constants, read from the same seed files as dbt."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from include.settings import ROOT


@dataclass(frozen=True)
class Scenario:
    """A pipeline scenario: the factors applied to an open amount, and whether open amounts count."""

    name: str
    apply_probability: bool
    apply_stage_weight: bool
    include_open: bool

    def counts(self, *, is_open: bool, is_won: bool) -> bool:
        """Whether an amount counts. Won amounts always count, open amounts if the scenario includes them, lost amounts never."""
        return is_won or (is_open and self.include_open)


def seed(name: str) -> list[dict[str, str]]:
    """The rows of a seed. All values are texts."""
    with (ROOT / "dbt" / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def scenarios() -> list[Scenario]:
    """The scenarios of the seed pipeline_scenarios."""
    return [
        Scenario(
            row["scenario"],
            apply_probability=row["apply_probability"] == "true",
            apply_stage_weight=row["apply_stage_weight"] == "true",
            include_open=row["include_open"] == "true",
        )
        for row in seed("pipeline_scenarios")
    ]
