"""mart_rep_activity_by_channel and mart_outreach_kpis on hand-worked messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.recompute.factory import facility, organization, outreach, user
from tests.recompute.kpis import mart_outreach_kpis
from tests.recompute.outreach import mart_rep_activity_by_channel
from tests.recompute.sources import Row, SourceData


def sources(*sent: Row) -> SourceData:
    named = [{**row, "outreach_id": str(number)} for number, row in enumerate(sent)]
    known = {"organizations": [organization()], "facilities": [facility()], "users": [user()]}
    return SourceData.of(datetime(2026, 9, 15, tzinfo=UTC), outreach=named, **known)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


SENT = [
    outreach("email", "2026-09-01", responded_at="2026-09-01T04:00", converted_at="2026-09-05"),
    outreach("email", "2026-09-02"),
    outreach("phone", "2026-09-02", responded_at="2026-09-02T08:00"),
    outreach("chat", "2026-09-02", responded_at="2026-09-15"),
    outreach("chat", "2026-09-02"),
    outreach("event", "2026-09-02"),
    outreach("phone", "2026-09-02", rep_user_id="gone"),
]


def test_channels_are_ranked_by_conversion_then_response() -> None:
    rows = {(row["rep_user_id"], row["channel"]): row for row in mart_rep_activity_by_channel(sources(*SENT))}
    columns = ("sent_count", "response_rate_pct", "conversion_rate_pct", "channel_rank")
    assert {name: values(row, *columns) for name, row in rows.items()} == {
        ("u", "email"): (2, 50, 50, 1),
        ("u", "phone"): (1, 100, 0, 2),
        # A response at as_of does not count yet. Equal channels share a rank.
        ("u", "chat"): (2, 0, 0, 3),
        ("u", "event"): (1, 0, 0, 3),
        ("unknown", "phone"): (1, 0, 0, 1),
    }


def test_outreach_is_counted_by_facility() -> None:
    (row,) = mart_outreach_kpis(sources(*SENT))
    assert values(row, "outreach_count", "responded_count", "converted_count", "rep_count") == (7, 2, 1, 1)
    assert values(row, "outreach_without_rep", "mean_hours_to_response", "lead_count") == (1, 6, 0)
