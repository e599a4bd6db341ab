"""How well a ranking of accounts finds those that leave. Plain arithmetic on scores and outcomes, no warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, sqrt

DECILE = 0.1


@dataclass(frozen=True)
class Outcome:
    """An account's score on the first night, higher being the greater risk, and whether it has left since."""

    score: float
    left: bool


def found(outcomes: Sequence[Outcome], count: int) -> float:
    """How many of those that left are among the `count` accounts with the highest scores.

    Accounts with the same score come in no order: where only some of them fit, they count with the share that fits.
    """
    hits, room = 0.0, count
    for _, tied in groupby(sorted(outcomes, key=lambda outcome: -outcome.score), key=lambda outcome: outcome.score):
        group = list(tied)
        taken = min(room, len(group))
        hits += taken * sum(outcome.left for outcome in group) / len(group)
        room -= taken
    return hits


@dataclass(frozen=True)
class Precision:
    """What calling the accounts of a ranking's first part would have found.

    Attributes:
        called: accounts called.
        hits: those of them that left; not whole where the last place is shared by equal scores.
        base_pct: % of all accounts that left: what calling at random finds.
    """

    called: int
    hits: float
    base_pct: float
    leavers: int

    @property
    def pct(self) -> float:
        return 100 * self.hits / self.called

    @property
    def lift(self) -> float | None:
        """Times better than at random; None when nobody left."""
        return self.pct / self.base_pct if self.base_pct else None

    @property
    def recall_pct(self) -> float | None:
        """% of those that left that were called; None when nobody left."""
        return 100 * self.hits / self.leavers if self.leavers else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `pct`."""
        return wilson(self.hits, self.called)


def precision(outcomes: Sequence[Outcome], share: float = DECILE) -> Precision:
    """Of the accounts with the highest scores (`share` of all, at least one), how many left."""
    called = max(1, ceil(round(len(outcomes) * share, 9)))
    leavers = sum(outcome.left for outcome in outcomes)
    return Precision(called, found(outcomes, called), 100 * leavers / len(outcomes), leavers)


def separation(outcomes: Sequence[Outcome]) -> float | None:
    """The chance that an account that left was scored above one that stayed, a tie counting half (AUC); None without either."""
    left = [outcome.score for outcome in outcomes if outcome.left]
    stayed = [outcome.score for outcome in outcomes if not outcome.left]
    if not left or not stayed:
        return None
    above = sum((one > other) + (one == other) / 2 for one in left for other in stayed)
    return above / (len(left) * len(stayed))


def gains(outcomes: Sequence[Outcome], steps: int = 50) -> list[tuple[float, float]]:
    """The curve from (0, 0) to (1, 1): share of the accounts called, in order of their score → share of those that left found."""
    leavers = sum(outcome.left for outcome in outcomes) or 1
    counts = [round(len(outcomes) * step / steps) for step in range(steps + 1)]
    return [(count / len(outcomes), found(outcomes, count) / leavers) for count in counts]


def wilson(hits: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share in %, after Wilson: sensible for few accounts and for shares near 0 and 100."""
    share = hits / count
    middle = share + z * z / (2 * count)
    margin = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return max(0.0, 100 * (middle - margin) / whole), min(100.0, 100 * (middle + margin) / whole)
