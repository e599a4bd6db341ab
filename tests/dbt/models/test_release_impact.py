"""Release impact on the demo company: the spike after version 1.2 is found, and no other release has a spike."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from include.demo.__main__ import main as demo
from include.demo.releases import SPIKE
from include.demo.support import SPIKE_DAYS
from tests.dbt.models.builds import build, write_table
from tests.warehouse import connected, rows

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
FIRST = datetime.fromtimestamp(SPIKE, UTC).date()


@pytest.mark.parametrize(("scale", "seed"), [("0.05", "1"), ("1", "42")])
def test_the_spike_after_version_1_2_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scale: str, seed: str) -> None:
    demo(["generate", "--out", str(tmp_path), "--scale", scale, "--seed", seed, "--as-of", str(AS_OF.date())])
    tickets = [
        {
            "organization_id": row["organization_id"],
            "app_version": row["app_version"] or None,
            "release_version": row["app_version"] or None,
            "created_at": datetime.fromisoformat(row["created_at"]),
            "created_date": date.fromisoformat(row["created_at"][:10]),
        }
        for row in _rows(tmp_path / "tickets.csv")
        if datetime.fromisoformat(row["updated_at"]) < AS_OF
    ]
    events = [
        {
            "organization_id": row["organization_id"],
            "app_version": row["app_version"] or None,
            "occurred_at": datetime.fromisoformat(row["occurred_at"]),
        }
        for row in _rows(tmp_path / "usage_events.csv")
    ]
    in_tickets = {
        "organization_id": str,
        "app_version": str,
        "release_version": str,
        "created_at": datetime,
        "created_date": date,
    }
    with connected(monkeypatch, "core", "conformed", "marts_build") as bq:
        write_table(bq, "core.fct_tickets", in_tickets, tickets)
        write_table(bq, "conformed.conformed_tickets", in_tickets, tickets)
        columns = {"organization_id": str, "app_version": str, "occurred_at": datetime}
        write_table(bq, "conformed.conformed_usage_events", columns, events)
        build(AS_OF.isoformat(), "watched_releases", "release_spike_settings", "dim_releases", "mart_release_impact")
        spikes = rows(
            "select organization_id, release_version, is_watched, ticket_date from marts_build.mart_release_impact where is_spike",
            bq,
        )

    organizations = {ticket["organization_id"] for ticket in tickets}
    assert {(organization, FIRST) for organization in organizations} <= {(tenant, day) for tenant, _, _, day in spikes}
    assert {(version, is_watched) for _, version, is_watched, _ in spikes} == {("1.2", True)}
    assert max(day for *_, day in spikes) < FIRST + timedelta(days=SPIKE_DAYS)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
