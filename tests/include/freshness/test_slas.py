"""Freshness SLAs come from the manifest only; an invalid one is refused with its model's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freshness import FreshnessSlaError, load_freshness_slas, load_lineage
from include.freshness.calendars import Schedule
from include.manifest import read_manifest
from include.sources import load_sources
from include.terms import NIGHTLY_SCHEDULE
from tests.include.freshness.audit_tables import MANIFEST, manifest, model

SLA = {"cadence": "daily", "fresh_within": "6h", "criticality": "medium"}


def test_a_freshness_sla_is_read_from_its_model() -> None:
    content = manifest(
        model("mart_a", "marts_build", [], {**SLA, "channels": ["email"], "calendar": "business_days"}),
        model("mtr_b", "metrics_build", [], {"cadence": "every 15 minutes", "fresh_within": "45m", "criticality": "critical"}),
        model("mart_c", "marts_build", []),
    )
    a, b = (load_freshness_slas(content)[key] for key in ("marts.mart_a", "metrics.mtr_b"))
    assert set(load_freshness_slas(content)) == {a.key, b.key}
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
        ({"sla": SLA, "group": None}, r"^mart_a: group: a freshness SLA needs an owner"),
        ({"sla": SLA, "schema": "core"}, r"^mart_a: meta\.sla: only published tables have a freshness SLA .*, not those of core"),
    ],
)
def test_an_invalid_freshness_sla_names_the_model_and_the_key(wrong: dict[str, Any], message: str) -> None:
    node = {"name": "mart_a", "schema": "marts_build", "parents": [], **wrong}
    with pytest.raises(FreshnessSlaError, match=message):
        load_freshness_slas(manifest(model(**node)))


def test_lineage_goes_down_to_the_raw_tables() -> None:
    assert load_lineage(MANIFEST) == {
        "marts.mart_nightly": frozenset({"crm.deals", "crm.users", "support.tickets"}),
        "metrics.mtr_hourly": frozenset({"crm.deals", "crm.users"}),
        "marts.mart_quarter": frozenset({"support.tickets"}),
    }


def test_every_published_table_has_a_freshness_sla_and_its_sources_are_loaded(manifest: Path) -> None:
    content = read_manifest(manifest)
    slas, lineage = load_freshness_slas(content), load_lineage(content)
    published = {n["alias"] for n in content["nodes"].values() if n["resource_type"] == "model" and "_build" in n["schema"]}
    assert {sla.table for sla in slas.values()} == published
    loaded = {f"{source.name}.{table}" for source in load_sources().values() for table in source.tables}
    assert all(lineage[key] and lineage[key] <= loaded for key in slas)
    assert slas["marts.mart_ticket_sla_compliance"].refreshed_by == "refresh_every_15_minutes"
    assert "support.tickets" in lineage["marts.mart_ticket_sla_compliance"]


def test_a_nightly_run_starts_when_the_sources_are_read() -> None:
    assert {source.schedule for source in load_sources().values()} == {NIGHTLY_SCHEDULE}
    minute, hour, *_ = map(int, NIGHTLY_SCHEDULE.replace("*", "0").split())
    starts = Schedule("daily", "every_day").next(datetime(2026, 10, 1, tzinfo=UTC))
    assert (starts.hour, starts.minute) == (hour, minute)
