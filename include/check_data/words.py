"""The words of category columns that the platform knows: the contract's, and the synonyms of the dbt project."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from include.contract import contract
from include.settings import settings

#: Columns whose words a seed lists, under the seed's own column name.
_SEEDS = {("subscriptions", "billing_interval"): "billing_intervals", ("subscriptions", "status"): "subscription_statuses"}
#: In the SQL that cleans an entity's words: `known_as('stage', 'deal_stage_synonyms')`.
_KNOWN_AS = re.compile(r"known_as\('(\w+)', '(\w+)'\)")
_ENTITY = re.compile(r"(?:__|^conformed_)(\w+)$")


@dataclass(frozen=True)
class Words:
    """The known words of one column.

    Attributes:
        known: the words as the platform compares them.
        declared_in: the place in the repository that declares them.
        joins: spaces and hyphens count as underscores, as in the SQL that reads the column.
    """

    known: frozenset[str]
    declared_in: str
    joins: bool = True

    def compared(self, text: str) -> str:
        """A word as the platform compares it: trimmed and in lower case."""
        word = text.strip().lower()
        return re.sub(r"[\s-]+", "_", word) if self.joins else word


@cache
def known_words() -> Mapping[tuple[str, str], Words]:
    """The known words by entity and column."""
    found: dict[tuple[str, str], Words] = {}
    for entity, declared in contract().items():
        for column, each in declared.columns.items():
            if each.accepted_values:
                found[entity, column] = Words(frozenset(each.accepted_values), "include/contract", joins=False)
    for (entity, column), variable in _synonyms().items():
        words: Mapping[str, str] = dbt_variables()[variable]
        known = found.get((entity, column), Words(frozenset(words.values()), "")).known
        found[entity, column] = Words(known | words.keys(), f"the variable {variable} in dbt/dbt_project.yml")
    for (entity, column), seed in _SEEDS.items():
        with (settings().dbt_dir / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
            found[entity, column] = Words(frozenset(row[column] for row in csv.DictReader(file)), f"dbt/seeds/{seed}.csv")
    return found


@cache
def dbt_variables() -> Mapping[str, Any]:
    """The variables of the dbt project."""
    project = yaml.safe_load((settings().dbt_dir / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"])


def _synonyms() -> dict[tuple[str, str], str]:
    """Entity and column → the variable with the column's synonyms, read from the models that apply it."""
    entities = contract()
    found = {}
    for path in sorted((settings().dbt_dir / "models").rglob("*.sql")):
        entity = _ENTITY.search(path.stem)
        if entity and entity[1] in entities:
            for column, variable in _KNOWN_AS.findall(path.read_text(encoding="utf-8")):
                found[entity[1], column] = variable
    return found
