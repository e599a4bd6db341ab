"""The signs that an account shows before it leaves, and the same signs at accounts that stay.

A departure has one sign or two, or none. So no signal finds every departure. Some customers that stay show a sign for a
while. So no signal is always right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.demo.clock import DAY
from include.demo.dice import Weighted
from include.demo.world import World

SIGNS = ("usage", "logins", "tickets", "payments", "surveys", "contact", "downgrade")
"""Usage falls, nobody logs in, tickets pile up, invoices stay unpaid, scores are low, sales calls fail, the contract shrinks."""

_FIRST = Weighted({"usage": 34, "logins": 12, "tickets": 16, "downgrade": 12, "payments": 7, "surveys": 6, "contact": 4, None: 9})
_SECOND = Weighted({"usage": 12, "logins": 6, "tickets": 10, "downgrade": 8, "payments": 8, "surveys": 8, "contact": 6, None: 42})
_PASSING = Weighted({"usage": 6, "logins": 3, "tickets": 7, "downgrade": 3, "payments": 3, "surveys": 4, "contact": 4, None: 70})


@dataclass(frozen=True)
class Sign:
    """A sign that an account shows from one instant until another."""

    name: str
    begin: int
    end: int

    def grown(self, when: int) -> float:
        """How far the sign has grown at an instant: 0 at its beginning, 1 at its end."""
        return min(1.0, max(0.0, (when - self.begin) / (self.end - self.begin)))


def signs(world: World, account: int, periods: Sequence[tuple[int, int | None]]) -> list[Sign]:
    """The signs of an account in its customer periods."""
    result: list[Sign] = []
    for number, (start, end) in enumerate(periods):
        dice = world.dice("signs", account, number)
        for options in (_FIRST, _SECOND):
            name, days = dice.draw(options), dice.whole(50, 140)
            if end is not None and name is not None and all(sign.end != end or sign.name != name for sign in result):
                result.append(Sign(name, max(start + 20 * DAY, end - days * DAY), end))
        passing, begin, days = dice.draw(_PASSING), start + dice.whole(30, 1100) * DAY, dice.whole(25, 80)
        # A passing sign ends well before the account leaves.
        if passing is not None and (end is None or begin + days * DAY < end - 180 * DAY):
            result.append(Sign(passing, begin, begin + days * DAY))
    return result
