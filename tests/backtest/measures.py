"""Measures of how well a ranking finds the accounts that leave, computed from scores and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, sqrt

DECILE = 0.1


@dataclass(frozen=True)
class Outcome:
    """An account's score in the first run (higher means more risk), and whether it has left since."""

    score: float
    left: bool


def found(outcomes: Sequence[Outcome], count: int) -> float:
    """The number of accounts that left, among the `count` accounts with the highest scores.

    If accounts with equal scores share the last places, each counts in part.
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
    """The result of calling the first accounts of a ranking.

    Attributes:
        called: the number of accounts called.
        hits: the number of called accounts that left. It may be a fraction: see `found`.
        base_pct: % of all accounts that left.
        leavers: the number of all accounts that left.
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
        """`pct` divided by `base_pct`; None if no account left."""
        return self.pct / self.base_pct if self.base_pct else None

    @property
    def recall_pct(self) -> float | None:
        """% of the accounts that left which were called; None if no account left."""
        return 100 * self.hits / self.leavers if self.leavers else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `pct`."""
        return wilson(self.hits, self.called)


def precision(outcomes: Sequence[Outcome], share: float = DECILE) -> Precision:
    """The result of calling the accounts with the highest scores: `share` of all accounts, at least one."""
    called = max(1, ceil(round(len(outcomes) * share, 9)))
    leavers = sum(outcome.left for outcome in outcomes)
    return Precision(called, found(outcomes, called), 100 * leavers / len(outcomes), leavers)


def separation(outcomes: Sequence[Outcome]) -> float | None:
    """The probability (AUC) that an account that left has a higher score than one that stayed. A tie counts half.

    None if all accounts left, or none.
    """
    left = [outcome.score for outcome in outcomes if outcome.left]
    stayed = [outcome.score for outcome in outcomes if not outcome.left]
    if not left or not stayed:
        return None
    above = sum((one > other) + (one == other) / 2 for one in left for other in stayed)
    return above / (len(left) * len(stayed))


def gains(outcomes: Sequence[Outcome], steps: int = 50) -> list[tuple[float, float]]:
    """The gains curve from (0, 0) to (1, 1): the share of accounts called, by score, and the share of leavers among them."""
    leavers = sum(outcome.left for outcome in outcomes) or 1
    counts = [round(len(outcomes) * step / steps) for step in range(steps + 1)]
    return [(count / len(outcomes), found(outcomes, count) / leavers) for count in counts]


def wilson(hits: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, in %. It is also valid for few accounts and for shares near 0 and 100."""
    share = hits / count
    middle = share + z * z / (2 * count)
    margin = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return max(0.0, 100 * (middle - margin) / whole), min(100.0, 100 * (middle + margin) / whole)
