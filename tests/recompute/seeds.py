"""Business constants, read from the same seed files as dbt."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache

import yaml

from include.settings import ROOT
from tests.recompute.sources import SourceData


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
def synonyms(name: str) -> dict[str, str]:
    """A var of dbt that maps words of other systems to the platform's words."""
    project = yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"][name])


def known_as(text: str | None, name: str) -> str | None:
    """A word in the platform's form: lower case, underscores for spaces and hyphens, and the platform's word for a synonym."""
    if text is None:
        return None
    word = re.sub(r"[\s-]+", "_", text.strip().lower())
    return synonyms(name).get(word, word)


@cache
def _time_zones() -> dict[str, str]:
    return {row["time_zone"]: row["iana_name"] for row in seed("time_zones")}


def iana_name(timezone: str | None) -> str | None:
    """The IANA name of a timezone, by its IANA, Windows or Rails name in any case. None if the seed time_zones does not know it."""
    return None if timezone is None else _time_zones().get(timezone.lower())


def scenarios(sources: SourceData) -> list[Scenario]:
    """The scenarios of the seed pipeline_scenarios, or those that a golden case gives."""
    return [
        Scenario(
            row["scenario"],
            *(str(row[name]).lower() == "true" for name in ("apply_probability", "apply_stage_weight", "include_open")),
        )
        for row in sources.models.get("pipeline_scenarios") or seed("pipeline_scenarios")
    ]
