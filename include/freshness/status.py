"""The status of every promise: now, over the last seven days, and when it is due next; for a terminal and as a web page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from include.freshness import ledger
from include.freshness.attainment import Attainment, attainment
from include.freshness.evaluate import Publication, State, evaluate
from include.freshness.look import Look
from include.freshness.promises import Promise
from include.pages import web_page
from include.settings import settings
from include.terms import CRITICALITIES

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from rich.table import Table

WINDOW = timedelta(days=7)
#: Heading of each column.
HEADINGS = ("table", "promise", "criticality", "owner", "now", "data up to", "published", "last 7 days", "due next")
#: State → how it is called, terminal colour, badge of the page. Late first.
_STATES: dict[State | None, tuple[str, str, str]] = {
    "breached": ("late", "red", "block"),
    "at_risk": ("at risk", "yellow", "warn"),
    "recovered": ("on time again", "green", "pass"),
    "on_time": ("on time", "green", "pass"),
    None: ("not due yet", "dim", ""),
}


@dataclass(frozen=True)
class Status:
    """One promise at one instant.

    Attributes:
        promise: what is promised.
        state: whether it is kept; None while nothing was due yet.
        late_since: since when it is not, if it is not.
        shown: what analysts read; None for a table that is not published.
        kept: the last seven days, as far as the monitor watched them; None if it did not.
        due_next: the next deadline for data that is not published yet.
    """

    promise: Promise
    state: State | None
    late_since: datetime | None
    shown: Publication | None
    kept: Attainment | None
    due_next: datetime

    def cells(self) -> tuple[str, ...]:
        """What stands under each of `HEADINGS`."""
        promise, data_at = self.promise, self.shown.data_at if self.shown else None
        calendar = "" if promise.calendar == "every_day" else f", {promise.calendar.replace('_', ' ')}"
        within = promise.fresh_within / timedelta(hours=1)
        return (
            promise.key,
            f"{promise.cadence}, within {within:g} h{calendar}",
            promise.criticality,
            promise.owner,
            _STATES[self.state][0] + (f" since {_instant(self.late_since)}" if self.late_since else ""),
            _instant(data_at) if data_at else "never",
            _instant(self.shown.published_at) if self.shown else "never",
            _share(self.kept),
            _instant(self.due_next),
        )


def statuses(now: datetime, client: Client | None = None, look: Look | None = None) -> list[Status]:
    """Every promise at `now`, the worst first. Writes nothing: what the monitor has not noted yet is judged here.

    Args:
        now: the instant to look at.
        client: a BigQuery client; one is made if not given.
        look: what the books say then, if that has been read.
    """
    seen = look or Look(now, client)
    promises, measured, runs = seen.promises, seen.measured(), seen.runs
    noted = ledger.by_table(seen.events)
    found = []
    for key, promise in promises.items():
        events = noted.get(key, [])
        previous, shown = events[-1] if events else None, measured[key].shown_at(now)
        change = evaluate(promise, measured[key], previous, now, runs.usual_duration(promise.refreshed_by), runs.running(promise))
        last = change or previous
        history = [*events, change] if events and change else events
        found.append(
            Status(
                promise,
                last.state if last else None,
                last.due_at if last and last.state == "breached" else None,
                shown,
                attainment(history, now - WINDOW, now),
                _due_next(promise, shown, now),
            )
        )
    order = list(_STATES)
    found.sort(key=lambda s: (order.index(s.state), -CRITICALITIES.index(s.promise.criticality), s.promise.key))
    return found


def status_table(found: Sequence[Status]) -> Table:
    """The statuses for a terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=heading == "table")
    for status in found:
        cells = list(status.cells())
        cells[4] = f"[{_STATES[status.state][1]}]{cells[4]}[/]"
        table.add_row(*cells)
    return table


def write_page(now: datetime, found: Sequence[Status]) -> Path:
    """Write the statuses as a web page beside the data docs.

    Args:
        now: the instant that they are of.
        found: the statuses.

    Returns:
        Path of the page.
    """
    rows = "".join(map(_row, found))
    headings = "".join(f"<th>{escape(heading[0].upper() + heading[1:])}" for heading in HEADINGS)
    body = (
        f"<h1>Freshness promises <small>{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC</small></h1>"
        "<p>All instants are UTC. Every change of state: <code>ops.sla_events</code>; weeks and months: <code>ops.sla_attainment</code>. "
        "What a promise means and how it is measured: docs/freshness.md. <a href='data_docs/index.html'>What each gate saw</a>.</p>"
        f"<table class='wide'><tr>{headings}</tr>{rows}</table>"
    )
    path = settings().state_dir / "gx" / "freshness.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(web_page("Freshness promises", body), encoding="utf-8")
    return written.replace(path)


def _row(status: Status) -> str:
    cells = [escape(cell) for cell in status.cells()]
    cells[4] = f"<b class='{_STATES[status.state][2]}'>{cells[4]}</b>"
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _due_next(promise: Promise, shown: Publication | None, now: datetime) -> datetime:
    tick = promise.ticks.next(now - promise.fresh_within)
    if shown is not None and shown.data_at is not None:
        tick = max(tick, promise.ticks.unmet_by(shown.data_at))
    return tick + promise.fresh_within


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %H:%M}"


def _share(kept: Attainment | None) -> str:
    if kept is None:
        return "–"
    return f"{kept.attainment * 100:.1f} %, late {kept.breach_count}×" if kept.breach_count else "100 %"
