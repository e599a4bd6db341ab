"""The ledger that the generator writes into: deterministic ids and dice, budgets, and the projection at the as-of.

Every row is written with its whole life: the instant it was first known, later changes, and its deletion if any.
What was not yet known before the as-of is left out here and nowhere else, so a later as-of shows a superset that has
moved on, and no other module may ask what the as-of is, except to stop generating what lies after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from include.demo.clock import month_of
from include.demo.company import Case, Where
from include.demo.dice import Dice
from include.demo.schema import TABLES

Changes = Iterable[tuple[int, Mapping[str, Any]]]

MONTHS = 36
"""Months from the epoch until the day (2026-10-01) for which the stated sizes hold."""


class World:
    """The rows of one company (seed, scale) as known before `as_of`."""

    def __init__(self, seed: int, scale: float, as_of: datetime) -> None:
        self.seed = seed
        self.scale = scale
        self.as_of = as_of
        # Instants are whole seconds; one is visible if it lies before the as-of, so the as-of is rounded up.
        self.now = -int(-as_of.timestamp() // 1)
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self.cases: list[Case] = []
        self.sent_twice: dict[str, list[str]] = {}
        self._seed = f"{seed}/{scale!r}/"

    def digest(self, *parts: object) -> str:
        """32 hexadecimal digits that depend on seed, scale and the parts."""
        text = self._seed + "/".join(map(str, parts))
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def uuid(self, *parts: object) -> str:
        """The UUID (version 8) of an entity that the parts name."""
        h = self.digest(*parts)
        return f"{h[:8]}-{h[8:12]}-8{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def key(self, prefix: str, *parts: object) -> str:
        """A key as billing, support and product systems make them: prefix_0123456789abcdef."""
        return f"{prefix}_{self.digest(prefix, *parts)[:16]}"

    def dice(self, *parts: object) -> Dice:
        """A stream of choices of its own for an entity or a table's month."""
        return Dice(int(self.digest("dice", *parts), 16))

    def stop(self, instant: int) -> bool:
        """Whether an instant is not before the as-of, so that generating on is of no use."""
        return instant >= self.now

    def budget(self, total: float, month: int, growth: float = 0.0) -> int:
        """How many rows to begin in a month so that `total` exist after 36 months.

        The monthly rate grows linearly from 1 to 1 + growth over those months, and on at the same pace.
        """

        def until(m: int) -> float:
            return (m + growth * m * m / (2 * MONTHS)) / (MONTHS + growth * MONTHS / 2)

        return int(total * until(month + 1) + 0.5) - int(total * until(month) + 0.5)

    def months(self) -> range:
        """The months that have begun before the as-of."""
        return range(month_of(self.now - 1) + 1)

    def add(
        self,
        table: str,
        born: int,
        values: Mapping[str, Any],
        changes: Changes = (),
        deleted: int | None = None,
    ) -> bool:
        """Write a row with its life; returns whether it exists at the as-of.

        Args:
            table: where.
            born: when the row was first known.
            values: its columns then (without updated_at); columns left out are NULL.
            changes: (instant, columns) pairs in any order; equal instants apply in the order given.
            deleted: when it was deleted for good.
        """
        now = self.now
        if born >= now or (deleted is not None and deleted < now):
            return False
        row = dict(values)
        last = born
        for instant, columns in sorted(changes, key=_first):
            if instant >= now:
                break
            row.update(columns)
            last = max(last, instant)
        row["updated_at"] = last
        self.rows[table].append(row)
        return True

    def case(self, title: str, table: str, key: str, see: str, since: int, where: Where = "table") -> None:
        """Label a row for demo_cases.md, if what there is to see happened before the as-of (`since` is when)."""
        if since < self.now:
            self.cases.append(Case(title, table, key, see, where))


def _first(change: tuple[int, Mapping[str, Any]]) -> int:
    return change[0]
