"""The restatements of the last publications, and the closed months whose figures have changed: for a terminal and as a web page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from include.pages import web_page
from include.restatements.figures import TOTAL
from include.settings import settings
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from decimal import Decimal

    from google.cloud.bigquery import Client
    from rich.table import Table

#: Restatements that are shown, and changed figures of closed months.
SHOWN = 200
#: The page, in the folder of the data docs' site.
PAGE = "restatements.html"
HEADINGS = ("published", "figure", "organization", "month", "old", "new", "difference", "reason", "rows", "first rows")
CLOSED_HEADINGS = ("organization", "month", "figure", "as closed", "now", "difference", "closed by", "closed", "state")

_RESTATEMENTS = """
    select * from ops.restatements
    where @run_id is null or run_id = @run_id
    order by published_at desc, organization_id, month desc, metric, part
    limit @shown
"""
_CLOSED = """
    select * from ops.closed_and_current
    where has_changed
    order by organization_id, month desc, metric, part
    limit @shown
"""


def restatements(client: Client | None = None, run_id: str | None = None) -> list[Row]:
    """The last `SHOWN` rows of `ops.restatements`, newest publication first; those of one run, if it is given."""
    return rows(_RESTATEMENTS, {"run_id": run_id, "shown": SHOWN}, client)


def closed_changes(client: Client | None = None) -> list[Row]:
    """Frozen figures that differ from those that are published now: at most `SHOWN` rows of `ops.closed_and_current`."""
    return rows(_CLOSED, {"shown": SHOWN}, client)


def cells(row: Row) -> tuple[str, ...]:
    """The text for each of `HEADINGS`."""
    return (
        f"{row['published_at']:%Y-%m-%d %H:%M}",
        _figure(row),
        row["organization_id"],
        f"{row['month']:%Y-%m}",
        number(row["old_value"]),
        number(row["new_value"]),
        number(row["difference"], "+"),
        row["reason"],
        "–" if row["row_count"] is None else f"{row['row_count']:,}",
        row["first_rows"] or "–",
    )


def closed_cells(row: Row) -> tuple[str, ...]:
    """The text for each of `CLOSED_HEADINGS`."""
    return (
        row["organization_id"],
        f"{row['month']:%Y-%m}",
        _figure(row),
        number(row["closed_value"]),
        number(row["current_value"]),
        number(row["difference"], "+"),
        row["closed_by"],
        f"{row['closed_at']:%Y-%m-%d %H:%M}",
        row["state"],
    )


def restatement_table(found: Sequence[Row], title: str | None = None) -> Table:
    """Restatements for a terminal."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in {"old", "new", "difference", "rows"} else "left")
    for row in found:
        table.add_row(*cells(row))
    return table


def page_path() -> Path:
    """The file of the page, beside the data docs."""
    return settings().state_dir / "gx" / PAGE


def write_page(client: Client | None = None) -> Path:
    """Write the page. Returns its path."""
    body = (
        "<h1>Restatements</h1>"
        f"<p>Figures of ended months that a publication has changed; the last {SHOWN}. All times are UTC. All of them: "
        "<code>ops.restatements</code>. docs/restatements.md explains the reasons. "
        "<a href='data_docs/index.html'>Results of the gates</a>.</p>"
        f"{_html(HEADINGS, [cells(row) for row in restatements(client)])}"
        "<h2>Closed months</h2><p>Frozen figures that differ from those that are published now. All of them: "
        "<code>ops.closed_and_current</code>.</p>"
        f"{_html(CLOSED_HEADINGS, [closed_cells(row) for row in closed_changes(client)])}"
    )
    path = page_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(web_page("Restatements", body), encoding="utf-8")
    return written.replace(path)


def number(value: Decimal | None, sign: str = "") -> str:
    """A figure for people, with two digits; a dash if there is none."""
    return "–" if value is None else f"{value:{sign},.2f}"


def _figure(row: Row) -> str:
    return str(row["metric"]) if row["part"] == TOTAL else f"{row['metric']}, cohort {row['part'][:7]}"


def _html(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    if not lines:
        return "<p>None.</p>"
    head = "".join(f"<th>{escape(heading[0].upper() + heading[1:])}" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}' for cell in line)}</tr>" for line in lines)
    return f"<table class='wide'><tr>{head}</tr>{body}</table>"
