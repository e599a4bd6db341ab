"""Promises come from the manifest alone; a wrong one is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.include.sla.books import MANIFEST, manifest, model

from include.freshness import PromiseError, load_lineage, load_promises
from include.freshness.calendars import Ticks
from include.sources import load_sources
from include.terms import NIGHTLY_SCHEDULE

SLA = {"cadence": "daily", "fresh_within": "6h", "criticality": "medium"}


def test_a_promise_is_what_its_model_says() -> None:
    content = manifest(
        model("mart_a", "marts_build", [], {**SLA, "channels": ["email"], "calendar": "business_days"}),
        model("mtr_b", "metrics_build", [], {"cadence": "every 15 minutes", "fresh_within": "45m", "criticality": "critical"}),
        model("mart_c", "marts_build", []),
    )
    a, b = (load_promises(content)[key] for key in ("marts.mart_a", "metrics.mtr_b"))
    assert set(load_promises(content)) == {a.key, b.key}
    assert (a.owner, a.channels, a.calendar) == ("finance", ("email",), "business_days")
    assert (a.cadence_interval, a.fresh_within, a.refreshed_by) == (timedelta(days=1), timedelta(hours=6), "transform")
    assert (b.cadence_interval, b.fresh_within, b.refreshed_by) == (
        timedelta(minutes=15),
        timedelta(minutes=45),
        "refresh_every_15_minutes",
    )
    assert (b.channels, b.calendar) == ((), "every_day")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sla": SLA | {"cadence": "weekly"}}, r"^mart_a: meta\.sla\.cadence: .*'weekly' is not a cadence: write daily, hourly"),
        ({"sla": SLA | {"fresh_within": "soon"}}, r"^mart_a: meta\.sla\.fresh_within: .*'soon' is not a duration: .* 6h"),
        ({"sla": SLA | {"fresh_within": "0h"}}, r"^mart_a: meta\.sla\.fresh_within"),
        ({"sla": SLA | {"criticality": "urgent"}}, r"^mart_a: meta\.sla\.criticality"),
        ({"sla": SLA | {"channels": ["fax"]}}, r"^mart_a: meta\.sla\.channels\.0"),
        ({"sla": SLA | {"calendar": "holidays"}}, r"^mart_a: meta\.sla\.calendar"),
        ({"sla": SLA | {"freshness": "1h"}}, r"^mart_a: meta\.sla\.freshness: Extra"),
        ({"sla": {"cadence": "daily"}}, r"meta\.sla\.fresh_within: Field required; meta\.sla\.criticality"),
        ({"sla": "daily"}, r"^mart_a: meta\.sla"),
        ({"sla": SLA, "group": None}, r"^mart_a: group: a promise needs an owner"),
        ({"sla": SLA, "schema": "core"}, r"^mart_a: meta\.sla: only what is published is promised .*, not core"),
    ],
)
def test_a_wrong_promise_names_the_model_and_the_key(wrong: dict[str, Any], message: str) -> None:
    node = {"name": "mart_a", "schema": "marts_build", "parents": [], **wrong}
    with pytest.raises(PromiseError, match=message):
        load_promises(manifest(model(**node)))


def test_lineage_goes_down_to_the_raw_tables() -> None:
    assert load_lineage(MANIFEST) == {
        "marts.mart_nightly": frozenset({"crm.deals", "crm.users", "support.tickets"}),
        "metrics.mtr_hourly": frozenset({"crm.deals", "crm.users"}),
        "marts.mart_quarter": frozenset({"support.tickets"}),
    }


def test_the_project_promises_every_published_table_from_sources_that_are_landed(manifest: Path) -> None:
    content = json.loads(manifest.read_text())
    promises, lineage = load_promises(content), load_lineage(content)
    published = {n["alias"] for n in content["nodes"].values() if n["resource_type"] == "model" and "_build" in n["schema"]}
    assert {promise.table for promise in promises.values()} == published
    landed = {f"{source.name}.{table}" for source in load_sources().values() for table in source.tables}
    assert all(lineage[key] and lineage[key] <= landed for key in promises)
    assert promises["marts.mart_ticket_sla_compliance"].refreshed_by == "refresh_every_15_minutes"
    assert "support.tickets" in lineage["marts.mart_ticket_sla_compliance"]


def test_a_night_starts_when_the_sources_are_read() -> None:
    assert {source.schedule for source in load_sources().values()} == {NIGHTLY_SCHEDULE}
    minute, hour, *_ = map(int, NIGHTLY_SCHEDULE.replace("*", "0").split())
    starts = Ticks("daily", "every_day").next(datetime(2026, 10, 1, tzinfo=UTC))
    assert (starts.hour, starts.minute) == (hour, minute)
