"""Closes months: freezes the figures that are published, and records who did it. A closed month can be re-opened."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from include.ops import append
from include.restatements.figures import load_figures
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: The figures of a month as they are published now.
FIGURES = """
    select * from ops.published_figures
    where month = @month and (@organization is null or organization_id = @organization)
    qualify row_number() over (partition by metric, organization_id, month, part order by published_at desc) = 1
"""
#: The last event of each organization's month, and the number of its closings.
_EVENTS = """
    select *, sum(if(event = 'closed', 1, 0)) over (partition by organization_id) as close_count
    from ops.period_closes
    where month = @month
    qualify row_number() over (partition by organization_id order by event_at desc) = 1
"""
_PUBLICATIONS = """
    select concat(dataset, '.', table_name) as name, as_of
    from ops.publications
    where state = 'published' and concat(dataset, '.', table_name) in unnest(@tables)
    qualify row_number() over (partition by dataset, table_name order by published_at desc) = 1
"""


class CloseError(ValueError):
    """A month cannot be closed or re-opened; the message says why."""


def parse_month(text: str) -> date:
    """The first day of a month `YYYY-MM`.

    Raises:
        CloseError: it is no month.
    """
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise CloseError(f"The month must be YYYY-MM, for example 2026-09; it is {text!r}.") from None


def close_months(
    month: date, by: str, organization: str | None = None, now: datetime | None = None, client: Client | None = None
) -> list[str]:
    """Close a month: copy its published figures to `ops.closed_figures`.

    A month that is closed already stays as it is, so that a repetition changes nothing.

    Args:
        month: its first day.
        by: who closes it.
        organization: whose month; None for every organization with figures in the month.
        now: the instant of the closing.
        client: a BigQuery client; one is made if not given.

    Returns:
        A sentence per organization.

    Raises:
        CloseError: the month has not ended in every publication with figures, or the organization has no figures in it.
    """
    at = now or datetime.now(UTC)
    _check_name(by)
    _check_published(month, client)
    by_organization: dict[str, list[Row]] = {}
    for figure in rows(FIGURES, {"month": month, "organization": organization}, client):
        by_organization.setdefault(figure["organization_id"], []).append(figure)
    if not by_organization:
        whose = f"of {organization} " if organization else ""
        raise CloseError(f"{month:%Y-%m} has no published figures {whose}to close.")
    events = _events(month, client)
    said = []
    for name, figures in sorted(by_organization.items()):
        last = events.get(name)
        if last and last["event"] == "closed":
            said.append(
                f"{name}: {month:%Y-%m} has been closed since {last['event_at']:%Y-%m-%d %H:%M} UTC, by {last['event_by']}."
            )
            continue
        close_id = f"{name}|{month:%Y-%m}|{(last['close_count'] if last else 0) + 1}"
        kept = ("run_id", "as_of", "published_at", "metric", "organization_id", "month", "part", "value")
        about = {"close_id": close_id, "closed_by": by, "closed_at": at}
        frozen = [about | {column: figure[column] for column in kept} for figure in figures]
        # The event last: without it, the figures of an interrupted closing do not count, and a repetition replaces them.
        append("ops.closed_figures", frozen, replace_where={"close_id": close_id}, client=client)
        _record(close_id, name, month, "closed", by, at, client)
        said.append(f"{name}: {month:%Y-%m} is closed; figures: {len(figures)}.")
    return said


def reopen_months(
    month: date, by: str, organization: str | None = None, now: datetime | None = None, client: Client | None = None
) -> list[str]:
    """Re-open a closed month. Its frozen figures stay, and the next closing freezes those of then.

    Args: as for `close_months`.

    Returns:
        A sentence per organization.

    Raises:
        CloseError: the month is not closed.
    """
    at = now or datetime.now(UTC)
    _check_name(by)
    closed = {
        name: event
        for name, event in _events(month, client).items()
        if event["event"] == "closed" and organization in (None, name)
    }
    if not closed:
        raise CloseError(
            f"{month:%Y-%m} is not closed{f' for {organization}' if organization else ''}, so it cannot be re-opened."
        )
    for name, event in sorted(closed.items()):
        _record(event["close_id"], name, month, "reopened", by, at, client)
    return [f"{name}: {month:%Y-%m} is open again." for name in sorted(closed)]


def _check_name(by: str) -> None:
    if not by.strip():
        raise CloseError("Say who closes or re-opens the month: BY=name of `make close`, or the parameter `by` of the DAG.")


def _check_published(month: date, client: Client | None) -> None:
    tables = sorted(load_figures().tables)
    end = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
    shown = {row["name"]: row["as_of"] for row in rows(_PUBLICATIONS, {"tables": tables}, client)}
    early = [table for table in tables if table not in shown or shown[table] < end]
    if early:
        raise CloseError(
            f"{month:%Y-%m} cannot be closed: it has not ended in the last publication of {', '.join(early)}. "
            f"Publish a run with an as-of time of {end:%Y-%m-%d} or later first."
        )


def _events(month: date, client: Client | None) -> dict[str, Row]:
    return {row["organization_id"]: row for row in rows(_EVENTS, {"month": month}, client)}


def _record(close_id: str, organization: str, month: date, event: str, by: str, at: datetime, client: Client | None) -> None:
    row = {
        "close_id": close_id,
        "organization_id": organization,
        "month": month,
        "event": event,
        "event_by": by,
        "event_at": at,
    }
    append("ops.period_closes", [row], replace_where={"close_id": close_id, "event": event}, client=client)
