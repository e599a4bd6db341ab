"""Random choices that are the same on every machine and Python version.

Python guarantees the sequence of `random.Random.random()`, so only this method is used. Only arithmetic that IEEE 754
defines exactly is used. Logarithms and cosines are avoided: their last bit differs between C libraries.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Options with weights for random draws."""

    __slots__ = ("options", "totals")

    def __init__(self, weights: Mapping[T, float]) -> None:
        self.options = list(weights)
        self.totals = list(accumulate(weights.values()))

    def at(self, share: float) -> T:
        """The option at a position in the cumulative weights. `share` is from 0 up to 1, exclusive."""
        return self.options[bisect_right(self.totals, share * self.totals[-1], hi=len(self.options) - 1)]


class Dice:
    """A stream of random choices, seeded by an integer."""

    __slots__ = ("random",)

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def whole(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def between(self, low: float, high: float) -> float:
        """A number from low to high."""
        return low + self.random() * (high - low)

    def skewed(self, low: int, high: int, power: int = 3) -> int:
        """An integer from low to high. A higher power makes values near low more likely."""
        share = self.random()
        weight = share
        for _ in range(power - 1):
            weight *= share
        return low + int(weight * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, with equal probability."""
        return options[int(self.random() * len(options))]

    def draw(self, options: Weighted[T]) -> T:
        """One of the options, by weight."""
        return options.at(self.random())
