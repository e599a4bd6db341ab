"""The SLA outcomes that the help desk reports for its tickets. Most are those of the platform; each kind of difference occurs.

The help desk measures by the calendar, counts a breach when its clock stops, keeps the target of the first priority, and stops at the
first resolution. In organizations with an even index, whose policies use the business clock, it reports only tickets that came by chat.
"""

from __future__ import annotations

from typing import Any

from include.demo.clock import HOUR, MINUTE, day_of
from include.demo.dice import Dice, Weighted
from include.demo.people import Org
from include.demo.reference import policies
from include.demo.world import Changes, World

#: How a report is made: as the platform measures it, or with one deliberate difference.
_KINDS = Weighted({"usual": 960, "missing": 10, "undecided": 4, "other target": 8, "paused": 10, "unexplained": 8})


def report_slas(world: World, org: Org, ticket: dict[str, Any], name: str, changes: Changes) -> None:
    """Write the reports of one ticket. `changes` are the changes of the ticket, which has no other history."""
    if org.index % 2 == 0 and ticket["channel"] != "chat":
        return
    created = ticket["created_at"]
    _, *targets, _ = next(
        terms for terms in reversed(policies(org, ticket["priority"])) if terms[0] <= day_of(created + org.home.utc_hours * HOUR)
    )
    for metric, column, target in zip(
        ("first_response", "resolution"), ("first_responded_at", "resolved_at"), targets, strict=True
    ):
        stopped = min((values[column] for _, values in changes if values.get(column) is not None), default=None)
        _report(world, world.dice("sla", name, metric), {**ticket, "metric": metric}, target, stopped)


def _report(world: World, dice: Dice, ticket: dict[str, Any], target: int, stopped: int | None) -> None:
    kind = dice.draw(_KINDS)
    if kind == "missing":
        return
    created = ticket["created_at"]
    values = {
        "organization_id": ticket["organization_id"],
        "ticket_id": ticket["ticket_id"],
        "metric": ticket["metric"],
        "target_minutes": 2 * target if kind == "other target" else target,
        "breached": None if kind == "undecided" else False,
    }
    changes = []
    if stopped is not None:
        minutes = (stopped - created) // MINUTE
        if kind == "paused":
            minutes = minutes * dice.whole(2, 7) // 10
        elif kind == "unexplained":
            minutes += dice.whole(7, 90)
        # The generator's unit of decimals is a hundredth.
        end: dict[str, Any] = {"fulfilled_at": stopped, "elapsed_minutes": 100 * minutes}
        if kind != "undecided" and minutes > values["target_minutes"]:
            end |= {"breached": True, "breached_at": created + values["target_minutes"] * MINUTE}
        changes.append((stopped, end))
    world.add("ticket_sla_events", created, values, changes)
