"""The accounts that no other system is known to have, with what depends on them: for a terminal and as a web page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from include.pages import web_page
from include.settings import settings
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from rich.table import Table

#: Accounts that are shown.
SHOWN = 200
HEADINGS = ("organization", "system", "account", "name", "status", "rule", "candidates", "MRR", "open tickets", "events")
_RIGHT = {"MRR", "open tickets", "events"}

_OPEN = """
    select * from marts.mart_account_identity
    where identity_status in ('suggested', 'ambiguous', 'unmatched') and (@organization is null or organization_id = @organization)
    order by coalesce(customer_mrr_amount, 0) desc, open_ticket_count desc, recent_event_count desc, organization_id, account_id
    limit @shown
"""


def open_accounts(organization: str | None = None, client: Client | None = None) -> list[Row]:
    """The first `SHOWN` unmatched rows of `marts.mart_account_identity`, of one organization or of all; those with the highest MRR first."""
    return rows(_OPEN, {"organization": organization, "shown": SHOWN}, client)


def cells(row: Row) -> tuple[str, ...]:
    """The text for each of `HEADINGS`."""
    amount = row["customer_mrr_amount"]
    return (
        row["organization_id"],
        row["source_system"],
        row["account_id"],
        row["account_name"] or "–",
        row["identity_status"],
        row["rule"] or "–",
        row["candidate_account_ids"] or "–",
        "–" if amount is None else f"{row['reporting_currency']} {amount:,.2f}",
        f"{row['open_ticket_count']:,}",
        f"{row['recent_event_count']:,}",
    )


def open_table(found: Sequence[Row]) -> Table:
    """Accounts for a terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in _RIGHT else "left")
    for row in found:
        table.add_row(*cells(row))
    return table


def write_page(client: Client | None = None) -> Path:
    """Write the page beside the data docs. Returns its path."""
    found = open_accounts(client=client)
    head = "".join(f"<th>{escape(heading)}" for heading in HEADINGS)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}' for cell in cells(row))}</tr>" for row in found)
    table = f"<table class='wide'><tr>{head}</tr>{lines}</table>" if found else "<p>None.</p>"
    body = (
        "<h1>Accounts without a match</h1>"
        f"<p>Customers of one system that no system before it is known to have; the first {SHOWN} by MRR. All of them: "
        "<code>marts.mart_account_identity</code>. docs/identity.md explains the rules and how to decide.</p>"
        f"{table}"
    )
    path = settings().state_dir / "gx" / "identity.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(web_page("Accounts without a match", body), encoding="utf-8")
    return written.replace(path)
