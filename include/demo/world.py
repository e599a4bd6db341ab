"""Collects the rows of the generator. It also gives deterministic ids, random choices and monthly row counts.

Every row is written with its whole history: the instant it was first known, its later changes, and its deletion if any.
Only this module leaves out changes from the as-of time on. So a later as-of time shows the same history, continued.
Other modules use the as-of time only to stop generating later data.
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
"""Months from the epoch to 2026-10-01. The sizes of the source contract apply at that day."""


class World:
    """The rows of one company (seed, scale) as known before `as_of`."""

    def __init__(self, seed: int, scale: float, as_of: datetime) -> None:
        self.seed = seed
        self.scale = scale
        self.as_of = as_of
        # Instants are whole seconds. An instant is visible if it lies before the as-of time, so the as-of time is rounded up.
        self.now = -int(-as_of.timestamp() // 1)
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self.cases: list[Case] = []
        self.sent_twice: dict[str, list[str]] = {}
        self._seed = f"{seed}/{scale!r}/"

    def digest(self, *parts: object) -> str:
        """32 hexadecimal digits derived from seed, scale and the parts."""
        text = self._seed + "/".join(map(str, parts))
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def uuid(self, *parts: object) -> str:
        """The UUID (version 8) of an entity, derived from the parts."""
        h = self.digest(*parts)
        return f"{h[:8]}-{h[8:12]}-8{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def key(self, prefix: str, *parts: object) -> str:
        """A key in the format of the billing, support and product systems: prefix_0123456789abcdef."""
        return f"{prefix}_{self.digest(prefix, *parts)[:16]}"

    def dice(self, *parts: object) -> Dice:
        """A separate stream of random choices for the given parts, such as an entity or a month."""
        return Dice(int(self.digest("dice", *parts), 16))

    def stop(self, instant: int) -> bool:
        """Whether an instant is at or after the as-of time, so generating can stop."""
        return instant >= self.now

    def budget(self, total: float, month: int, growth: float = 0.0) -> int:
        """The number of new rows in a month, so that `total` rows exist after 36 months.

        The monthly rate grows linearly from 1 to 1 + growth over these months. It continues to grow at the same pace.
        """

        def until(m: int) -> float:
            return (m + growth * m * m / (2 * MONTHS)) / (MONTHS + growth * MONTHS / 2)

        return int(total * until(month + 1) + 0.5) - int(total * until(month) + 0.5)

    def months(self) -> range:
        """The months that begin before the as-of time."""
        return range(month_of(self.now - 1) + 1)

    def add(
        self,
        table: str,
        born: int,
        values: Mapping[str, Any],
        changes: Changes = (),
        deleted: int | None = None,
    ) -> bool:
        """Write a row with its history. Returns whether it exists at the as-of time.

        Args:
            table: the table of the row.
            born: when the row was first known.
            values: its first columns, without updated_at. Missing columns are NULL.
            changes: (instant, columns) pairs in any order. Changes at one instant apply in the given order.
            deleted: when the row was deleted; None if it was not.
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
        """Label a row for demo_cases.md, if the case happened before the as-of time. `since` is the time of the case."""
        if since < self.now:
            self.cases.append(Case(title, table, key, see, where))


def _first(change: tuple[int, Mapping[str, Any]]) -> int:
    return change[0]
