"""What a refresh takes, worked out of dbt's manifest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.orchestration.refreshes import CadenceError, refreshes, refreshes_of
from include.orchestration.runs import NIGHT_LASTS, last_night, looking_back, why_not_after
from include.run_context import RunContext
from include.settings import ROOT
from include.sources import load_sources


def test_a_refresh_is_what_lineage_says(manifest: Path) -> None:
    found = refreshes()
    assert set(found) == {"refresh_every_15_minutes", "refresh_hourly"}
    tickets = found["refresh_every_15_minutes"]
    assert (tickets.cadence, tickets.interval, tickets.tier) == ("every 15 minutes", timedelta(minutes=15), "high")
    assert (tickets.tables, tickets.models) == (("marts.mart_ticket_sla_compliance",), ("mart_ticket_sla_compliance",))
    assert tickets.layers["marts"] == ("mart_ticket_sla_compliance",)
    assert tickets.layers["core"] == (
        "clean_support__ticket_priority_changes",
        "fct_tickets",
        "int_support__priority_history",
        "int_support__tickets",
    )
    assert tickets.layers["staging"] == ("stg_support__ticket_priority_changes", "stg_support__tickets")
    assert "sla_default_targets" in tickets.layers["seeds"]
    assert {name: set(source.tables) for name, source in tickets.sources.items()} == {
        "support": {"tickets", "ticket_priority_changes"}
    }
    assert {"core.fct_tickets", "marts_build.mart_ticket_sla_compliance"} <= tickets.relations
    assert {"core.dim_facilities", "core.dim_open_time", "staging.stg_crm__accounts"} <= tickets.taken
    assert not tickets.taken & tickets.relations
    assert set(tickets.upstream["core"]) > set(tickets.layers["core"])
    pipeline = found["refresh_hourly"]
    assert set(pipeline.sources["crm"].tables) == {"leads"}
    assert pipeline.sources["crm"].tables["leads"].overlap == timedelta(hours=1)
    assert "int_reference__fx_rates_daily" in pipeline.layers["core"], "it carries the last rates forward to the tick"


def declared(monkeypatch: pytest.MonkeyPatch, source: str, **every: timedelta | None) -> None:
    """The shipped sources, with other words on how often some tables of one are landed."""
    known = load_sources()
    tables = {name: table.model_copy(update={"refresh_every": every.get(name)}) for name, table in known[source].tables.items()}
    changed = known[source].model_copy(update={"tables": known[source].tables | {name: tables[name] for name in every}})
    monkeypatch.setattr("include.sources.load_sources", lambda: {**known, source: changed})


def test_a_table_is_landed_by_the_refreshes_that_come_as_seldom_as_it_says(
    known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    declared(monkeypatch, "crm", facilities=timedelta(hours=1))
    found = refreshes_of(known)
    assert "crm" not in found["refresh_every_15_minutes"].sources
    assert set(found["refresh_hourly"].sources["crm"].tables) == {"facilities", "leads"}
    # With it come the models downstream of it, and no others.
    assert found["refresh_hourly"].layers["staging"] == ("stg_crm__facilities", "stg_crm__leads")
    assert {"dim_facilities", "dim_users"} <= set(found["refresh_hourly"].layers["core"])
    assert "core.dim_organizations" in found["refresh_hourly"].taken


def test_a_data_test_may_be_left_to_the_night(known: dict[str, Any]) -> None:
    name = "business_minutes_are_the_overlap_with_opening_hours"
    found = refreshes_of(known)
    assert name in found["refresh_every_15_minutes"].left_out
    assert name not in found["refresh_hourly"].left_out, "it builds nothing that this one judges"
    known["nodes"][f"test.customer_intelligence.{name}"]["config"]["meta"]["refresh_every"] = "10m"
    assert name not in refreshes_of(known)["refresh_every_15_minutes"].left_out


def test_a_table_that_says_nothing_is_landed_by_every_refresh(known: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, "reference", sla_policies=None)
    tickets = refreshes_of(known)["refresh_every_15_minutes"]
    assert set(tickets.sources) == {"reference", "support"}
    assert "stg_reference__sla_policies" in tickets.layers["staging"]


def test_what_a_model_says_itself_counts_and_is_checked(known: dict[str, Any]) -> None:
    node = known["nodes"]["model.customer_intelligence.dim_open_time"]
    node["config"]["meta"]["refresh_every"] = "15m"
    tickets = refreshes_of(known)["refresh_every_15_minutes"]
    assert "dim_open_time" in tickets.layers["core"] and "core.dim_organizations" in tickets.taken
    node["config"]["meta"]["refresh_every"] = "soon"
    with pytest.raises(CadenceError, match=r"dim_open_time: meta.refresh_every: .*'soon' is not a duration"):
        refreshes_of(known)


@pytest.mark.parametrize(("dag_id", "most"), [("refresh_every_15_minutes", 16), ("refresh_hourly", 14)])
def test_a_refresh_builds_few_models_and_waits_for_no_billing(manifest: Path, dag_id: str, most: int) -> None:
    refresh = refreshes()[dag_id]
    built = [name for layer, names in refresh.layers.items() if layer != "seeds" for name in names]
    assert len(built) <= most, f"{len(built)} models: {', '.join(built)}"
    assert "billing" not in refresh.sources
    assert not {"fct_revenue", "dim_accounts"} & set(built)


def test_no_dimension_is_made_from_a_fact(known: dict[str, Any]) -> None:
    read = {
        node["name"]: [parent.rpartition(".")[2] for parent in node["depends_on"]["nodes"]]
        for node in known["nodes"].values()
        if node["resource_type"] == "model" and node["name"].startswith("dim_")
    }
    assert "dim_organizations" in read
    assert not {name: parents for name, parents in read.items() if any(parent.startswith("fct_") for parent in parents)}
    assert not [parent for parent in read["dim_organizations"] if "tickets" in parent]


@pytest.fixture
def known(manifest: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manifest.read_text())
    return found


def promise(known: dict[str, Any], model: str, **sla: Any) -> dict[str, Any]:
    node = known["nodes"][f"model.customer_intelligence.{model}"]
    node["config"]["meta"]["sla"] |= sla
    return known


def test_models_of_one_cadence_share_a_refresh(known: dict[str, Any]) -> None:
    promise(known, "mart_nrr_summary", cadence="hourly", criticality="critical")
    both = refreshes_of(known)["refresh_hourly"]
    assert both.models == ("mart_nrr_summary", "mart_weighted_pipeline_scenarios")
    assert both.tier == "critical"


def test_a_snapshot_is_read_and_not_taken(known: dict[str, Any]) -> None:
    snapshot = "snapshot.customer_intelligence.snap_accounts"
    known["nodes"]["model.customer_intelligence.fct_leads"]["depends_on"]["nodes"].append(snapshot)
    built = {name for names in refreshes_of(known)["refresh_hourly"].layers.values() for name in names}
    assert "fct_leads" in built and "snap_accounts" not in built
    # What is made from a snapshot changes no more often than that: once a night, whatever the snapshot is taken of.
    known["nodes"][snapshot]["depends_on"]["nodes"] = ["model.customer_intelligence.stg_crm__leads"]
    known["nodes"]["model.customer_intelligence.dim_users"]["depends_on"]["nodes"].append(snapshot)
    assert "core.dim_users" in refreshes_of(known)["refresh_hourly"].taken


@pytest.mark.parametrize(
    ("sla", "message"),
    [
        ({"cadence": "every 7 minutes"}, "mart_nrr_summary: meta.sla.cadence is 'every 7 minutes'"),
        ({"cadence": "every 60 minutes"}, "mart_nrr_summary: meta.sla.cadence"),
        ({"cadence": "every 1 minutes"}, "mart_nrr_summary: meta.sla.cadence"),
        ({"cadence": None}, "mart_nrr_summary: meta.sla.cadence is 'None'"),
        ({"cadence": "every 20 minutes", "criticality": "huge"}, "mart_nrr_summary: meta.sla.criticality is 'huge'"),
    ],
)
def test_a_promise_that_cannot_be_kept_names_model_and_key(known: dict[str, Any], sla: dict[str, Any], message: str) -> None:
    with pytest.raises(CadenceError, match=message):
        refreshes_of(promise(known, "mart_nrr_summary", **sla))


def test_only_a_run_that_looks_at_an_earlier_day_rebuilds() -> None:
    midnight = RunContext("night", datetime(2026, 10, 2, tzinfo=UTC))
    assert not looking_back(midnight, None).full_refresh
    assert not looking_back(midnight, datetime(2026, 10, 2, 1, 45, tzinfo=UTC)).full_refresh
    assert looking_back(midnight, datetime(2026, 10, 3, tzinfo=UTC)).full_refresh


NIGHT = datetime(2026, 10, 1, tzinfo=UTC)


def ran(dag_id: str, as_of: datetime, state: str = "success", seeds: str | None = "all of them") -> dict[str, Any]:
    return {"dag_id": dag_id, "as_of": as_of, "state": state, "seeds": seeds}


def test_a_refresh_takes_from_the_last_whole_night_that_succeeded() -> None:
    later = NIGHT + timedelta(days=1)
    others = [
        ran("refresh_hourly", later),
        ran("transform", later, "failed"),
        ran("transform", later, seeds="some"),
        ran("transform", later, seeds=None),
    ]
    assert last_night(others) is None
    assert last_night([*others, ran("transform", NIGHT), ran("transform", later)]) == NIGHT


@pytest.mark.parametrize(
    ("night", "as_of", "reason"),
    [
        (None, NIGHT, "no whole run of transform has succeeded yet"),
        (NIGHT, NIGHT - timedelta(minutes=15), "looks at 2026-09-30 23:45 UTC, and the last run of transform at a later instant"),
        (NIGHT, NIGHT, None),
        (NIGHT, NIGHT + NIGHT_LASTS, None),
        (NIGHT, NIGHT + NIGHT_LASTS + timedelta(minutes=15), "looked at 2026-10-01 00:00 UTC, more than 7 days earlier"),
    ],
)
def test_a_refresh_needs_a_night_that_is_neither_later_nor_long_past(
    night: datetime | None, as_of: datetime, reason: str | None
) -> None:
    found = why_not_after(night, as_of)
    assert found is None if reason is None else found is not None and reason in found


def test_the_calendars_reach_as_far_as_refreshes_may_look() -> None:
    project = yaml.safe_load((ROOT / "dbt/dbt_project.yml").read_text())
    assert timedelta(days=project["vars"]["calendar_days_ahead"] - 1) == NIGHT_LASTS
