"""The status of all freshness SLAs: now, over the last seven days, and the next deadline; for a terminal and as a web page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from include.freshness import audit
from include.freshness.attainment import Attainment, attainment
from include.freshness.evaluate import Publication, State, evaluate
from include.freshness.records import Records
from include.freshness.slas import FreshnessSla
from include.pages import web_page
from include.settings import settings
from include.terms import CRITICALITIES

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from rich.table import Table

WINDOW = timedelta(days=7)
#: Heading of each column.
HEADINGS = ("table", "freshness SLA", "criticality", "owner", "now", "data up to", "published", "last 7 days", "due next")
#: State → its name, terminal colour, badge of the page. Late first.
_STATES: dict[State | None, tuple[str, str, str]] = {
    "breached": ("late", "red", "block"),
    "at_risk": ("at risk", "yellow", "warn"),
    "recovered": ("on time again", "green", "pass"),
    "on_time": ("on time", "green", "pass"),
    None: ("not due yet", "dim", ""),
}


@dataclass(frozen=True)
class Status:
    """One freshness SLA at one instant.

    Attributes:
        sla: the freshness SLA.
        state: its state; None before its first deadline.
        late_since: since when the table is late, if it is.
        shown: what analysts read; None for a table that is not published.
        attained: the last seven days, as far as they were monitored; None if they were not.
        due_next: the next deadline for data that is not published yet.
    """

    sla: FreshnessSla
    state: State | None
    late_since: datetime | None
    shown: Publication | None
    attained: Attainment | None
    due_next: datetime

    def cells(self) -> tuple[str, ...]:
        """The text for each of `HEADINGS`."""
        sla, data_at = self.sla, self.shown.data_at if self.shown else None
        calendar = "" if sla.calendar == "every_day" else f", {sla.calendar.replace('_', ' ')}"
        within = sla.fresh_within / timedelta(hours=1)
        return (
            sla.key,
            f"{sla.cadence}, within {within:g} h{calendar}",
            sla.criticality,
            sla.owner,
            _STATES[self.state][0] + (f" since {_instant(self.late_since)}" if self.late_since else ""),
            _instant(data_at) if data_at else "never",
            _instant(self.shown.published_at) if self.shown else "never",
            _share(self.attained),
            _instant(self.due_next),
        )


def statuses(now: datetime, client: Client | None = None, records: Records | None = None) -> list[Status]:
    """All freshness SLAs at `now`, the worst first. Writes nothing: changes that the monitor has not recorded yet are evaluated here.

    Args:
        now: the instant.
        client: a BigQuery client; one is made if not given.
        records: what the audit tables hold then, if that has been read.
    """
    records = records or Records(now, client)
    slas, measured, runs = records.slas, records.measured(), records.runs
    recorded = audit.by_table(records.events)
    found = []
    for key, sla in slas.items():
        events = recorded.get(key, [])
        previous, shown = events[-1] if events else None, measured[key].shown_at(now)
        change = evaluate(sla, measured[key], previous, now, runs.usual_duration(sla.refreshed_by), runs.running(sla))
        last = change or previous
        history = [*events, change] if events and change else events
        found.append(
            Status(
                sla,
                last.state if last else None,
                last.due_at if last and last.state == "breached" else None,
                shown,
                attainment(history, now - WINDOW, now),
                _due_next(sla, shown, now),
            )
        )
    order = list(_STATES)
    found.sort(key=lambda s: (order.index(s.state), -CRITICALITIES.index(s.sla.criticality), s.sla.key))
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
        now: the instant of the statuses.
        found: the statuses.

    Returns:
        Path of the page.
    """
    rows = "".join(map(_row, found))
    headings = "".join(f"<th>{escape(heading[0].upper() + heading[1:])}" for heading in HEADINGS)
    body = (
        f"<h1>Freshness SLAs <small>{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC</small></h1>"
        "<p>All times are UTC. Every change of state: <code>ops.freshness_events</code>; weeks and months: <code>ops.freshness_attainment</code>. "
        "What a freshness SLA means and how it is measured: docs/freshness.md. <a href='data_docs/index.html'>Results of the gates</a>.</p>"
        f"<table class='wide'><tr>{headings}</tr>{rows}</table>"
    )
    path = settings().state_dir / "gx" / "freshness.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(web_page("Freshness SLAs", body), encoding="utf-8")
    return written.replace(path)


def _row(status: Status) -> str:
    cells = [escape(cell) for cell in status.cells()]
    cells[4] = f"<b class='{_STATES[status.state][2]}'>{cells[4]}</b>"
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _due_next(sla: FreshnessSla, shown: Publication | None, now: datetime) -> datetime:
    scheduled = sla.schedule.next(now - sla.fresh_within)
    if shown is not None and shown.data_at is not None:
        scheduled = max(scheduled, sla.schedule.unmet_by(shown.data_at))
    return scheduled + sla.fresh_within


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %H:%M}"


def _share(attained: Attainment | None) -> str:
    if attained is None:
        return "–"
    return f"{attained.attainment * 100:.1f} %, late {attained.breach_count}×" if attained.breach_count else "100 %"
