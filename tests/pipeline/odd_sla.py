"""SLA reports of help desks in every combination: words, outcomes, targets, times around as_of, and minutes near those of either clock."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.pipeline.odd_rows import AS_OF, LAST, LATER

if TYPE_CHECKING:
    from tests.pipeline.odd_companies import Folder, Record

#: Two words of each SLA, and one of neither.
WORDS = ("reply_time", "Time to first response", "requester-wait-time", "Total Resolution Time", "periodic_update_time")
#: An organization without reports.
SILENT = "org-silent"


def plant(folder: Folder) -> None:
    """Add reports of most tickets. The tickets must exist."""
    dice = random.Random(17)
    for ticket in folder.tables["tickets"]:
        if ticket["organization_id"] != SILENT:
            for word in WORDS:
                if dice.random() < 0.6:
                    _report(folder, dice, ticket, word)
    folder.add(
        "ticket_sla_events", organization_id=folder.organizations[0], ticket_id="gone", metric="resolution", updated_at=LAST
    )


def _report(folder: Folder, dice: random.Random, ticket: Record, word: str) -> None:
    created, *stops = (ticket[name] for name in ("created_at", "first_responded_at", "resolved_at"))
    stopped = dice.choice(
        ["", AS_OF, LATER, *stops, *stops, *(_after(stop, seconds) for stop in stops for seconds in (-60, 60, 61))]
    )
    minutes = ""
    if stopped:
        whole = (datetime.fromisoformat(stopped) - datetime.fromisoformat(created)) / timedelta(minutes=1)
        minutes = dice.choice(["", *(str(round(max(whole + more, 0), 6)) for more in (0, 0, 0, -1, 1, 1.5, -0.4 * whole))])
    folder.add(
        "ticket_sla_events",
        organization_id=ticket["organization_id"],
        ticket_id=ticket["ticket_id"],
        metric=word,
        target_minutes=dice.choice(("", "", "", "", "60", "240", "1440")),
        breached=dice.choice(("", "true", "false", "false")),
        breached_at=dice.choice(("", "", "2026-09-01T00:00:00Z", AS_OF, LATER)),
        fulfilled_at=stopped,
        elapsed_minutes=minutes,
        updated_at=dice.choice((LAST, LAST, "2026-09-01T00:00:00Z", LATER)),
    )


def _after(moment: str, seconds: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(seconds=seconds)).isoformat() if moment else ""
