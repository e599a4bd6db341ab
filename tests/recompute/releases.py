"""dim_releases: app releases as named by tickets and events, and the watch list of releases."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache

from tests.recompute.grouping import grouped
from tests.recompute.seeds import seed
from tests.recompute.sources import Row, SourceData, model


def release_version(app_version: str | None) -> str | None:
    """The normalized release of a version text: `v1.2` and `1.2` are the same release. None without a version."""
    if app_version is None:
        return None
    return app_version.strip().lower().removeprefix("v").strip() or None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def watched() -> dict[str, Row]:
    """The releases of the seed watched_releases, with the first day, the last day and the reason of the watch."""
    return {
        row["release_version"]: {
            "watched_from": _day(row["watched_from"]),
            "watched_until": _day(row["watched_until"]),
            "watch_reason": row["reason"],
        }
        for row in seed("watched_releases")
    }


def is_watched(release: str | None, day: date) -> bool:
    """Whether a release is watched on a day. The first and the last day are included."""
    watch = watched().get(release or "")
    if watch is None:
        return False
    return bool((watch["watched_from"] or date.min) <= day <= (watch["watched_until"] or date.max))


def _mentions(sources: SourceData, table: str, moment: str) -> dict[tuple[str, str], list[datetime]]:
    """The timestamps at which rows of a table name a release, by tenant and release. Only timestamps before as_of count."""
    mentions = [
        {"tenant": row["organization_id"], "release": release_version(row["app_version"]), "at": row[moment]}
        for row in sources[table]
        if row[moment] < sources.as_of
    ]
    places = grouped((row for row in mentions if row["release"] is not None), "tenant", "release")
    return {(tenant, release): [row["at"] for row in rows] for (tenant, release), rows in places.items()}


@model
def dim_releases(sources: SourceData) -> list[Row]:
    """The rows of dim_releases, by organization and release."""
    tickets, events = _mentions(sources, "tickets", "created_at"), _mentions(sources, "usage_events", "occurred_at")
    not_watched = dict.fromkeys(("watched_from", "watched_until", "watch_reason"))
    naming = {tenant for tenant, _ in tickets}
    rows: list[Row] = []
    for tenant, release in tickets.keys() | events.keys():
        ticket_times, event_times = tickets.get((tenant, release), []), events.get((tenant, release), [])
        rows.append(
            {
                "organization_id": tenant,
                "release_version": release,
                "first_seen_at": min(ticket_times + event_times),
                "first_seen_date": min(ticket_times + event_times).date(),
                "first_ticket_at": min(ticket_times, default=None),
                "first_event_at": min(event_times, default=None),
                "last_seen_at": max(ticket_times + event_times),
                "ticket_count": len(ticket_times) if tenant in naming else None,
                "is_watched": release in watched(),
                **watched().get(release, not_watched),
            }
        )
    return rows
