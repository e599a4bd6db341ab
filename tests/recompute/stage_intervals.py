"""The stage intervals of a deal, from its history of stage changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tests.recompute.seeds import known_as
from tests.recompute.sources import Row

UNKNOWN = "unknown"

# The order of the stages. It repeats a dbt seed on purpose: a wrong value in either place shows as a difference.
STAGE_ORDER = {
    "prospecting": 1,
    "qualification": 2,
    "proposal": 3,
    "negotiation": 4,
    "closed_won": 5,
    "closed_lost": 6,
}


@dataclass(frozen=True)
class StageInterval:
    """The time that a deal spends in one stage: `[valid_from, valid_to)`. The current interval has no end.

    `change` is the stage change that started the interval. It is None if no change did. `word` is the stage as the CRM writes it, in the
    platform's form; `stage` is `unknown` for a word that is no stage.
    """

    word: str | None
    stage: str
    previous: str | None
    valid_from: datetime
    valid_to: datetime | None
    movement: str
    change: Row | None

    @property
    def is_instant(self) -> bool:
        return self.valid_to == self.valid_from


def _word(text: str | None) -> str | None:
    return known_as(text, "deal_stage_synonyms")


def _stage(word: str | None) -> str:
    return word if word in STAGE_ORDER else UNKNOWN


def _movement(previous: str | None, stage: str) -> str:
    if previous is None:
        return "entry"
    if stage == "closed_lost":
        return "lost"
    if UNKNOWN in (stage, previous):
        return UNKNOWN
    return "forward" if STAGE_ORDER[stage] > STAGE_ORDER[previous] else "backward"


def stage_intervals(deal: Row, changes: Iterable[Row]) -> list[StageInterval]:
    """The stage intervals of one deal, in order. Without changes there is one, in the deal's stage, from its creation."""
    ordered = sorted(changes, key=lambda row: (row["changed_at"], row["history_id"]))
    starts: list[tuple[str | None, datetime, Row | None]] = []
    if not ordered:
        starts.append((_word(deal["stage"]), deal["created_at"], None))
    elif ordered[0]["from_stage"] is not None:
        begins = min(deal["created_at"], ordered[0]["changed_at"])
        starts.append((_word(ordered[0]["from_stage"]), begins, None))
    for change in ordered:
        # A change to the current stage starts no new interval.
        if not starts or _word(change["to_stage"]) != starts[-1][0]:
            starts.append((_word(change["to_stage"]), change["changed_at"], change))
    found: list[StageInterval] = []
    for position, (word, valid_from, change_row) in enumerate(starts):
        ends = starts[position + 1][1] if position + 1 < len(starts) else None
        stage, previous = _stage(word), _stage(starts[position - 1][0]) if position else None
        found.append(StageInterval(word, stage, previous, valid_from, ends, _movement(previous, stage), change_row))
    return found
