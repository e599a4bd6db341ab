"""What a refresh takes, worked out of dbt's manifest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.runs import RunContext
from include.transform.cadences import CadenceError, refreshes, refreshes_of
from include.transform.run import looking_back


def test_a_refresh_is_what_lineage_says(manifest: Path) -> None:
    found = refreshes()
    assert set(found) == {"refresh_every_15_minutes", "refresh_hourly"}
    tickets = found["refresh_every_15_minutes"]
    assert (tickets.cadence, tickets.interval, tickets.tier) == ("every 15 minutes", timedelta(minutes=15), "high")
    assert (tickets.tables, tickets.models) == (("marts.mart_ticket_sla_compliance",), ("mart_ticket_sla_compliance",))
    assert tickets.layers["marts"] == ("mart_ticket_sla_compliance",)
    assert {"fct_tickets", "dim_open_time"} <= set(tickets.layers["core"])
    assert "stg_support__tickets" in tickets.layers["staging"]
    assert "sla_default_targets" in tickets.layers["seeds"]
    assert {name: set(source.tables) for name, source in tickets.sources.items()} == {
        "crm": {"accounts", "facilities", "organizations"},
        "reference": {"business_hours", "holidays", "sla_policies"},
        "support": {"tickets", "ticket_priority_changes"},
    }
    assert {"core.fct_tickets", "marts_build.mart_ticket_sla_compliance"} <= tickets.relations
    pipeline = found["refresh_hourly"]
    assert "leads" in pipeline.sources["crm"].tables and "leads" not in tickets.sources["crm"].tables
    assert pipeline.sources["crm"].tables["leads"].overlap == timedelta(hours=1)


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
    assert "snap_accounts" not in {name for names in refreshes_of(known)["refresh_hourly"].layers.values() for name in names}


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
