"""The refreshes that are derived from dbt's manifest."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.manifest import read_manifest
from include.orchestration.refreshes import CadenceError, refreshes, refreshes_of
from include.orchestration.runs import NIGHTLY_RUN_MAX_AGE, full_refresh_if_backfill, last_nightly_as_of, reason_to_skip
from include.run_context import RunContext
from include.settings import ROOT
from include.sources import load_sources


def test_a_refresh_follows_from_the_lineage(manifest: Path) -> None:
    found = refreshes()
    assert set(found) == {"refresh_every_15_minutes", "refresh_hourly"}
    tickets = found["refresh_every_15_minutes"]
    assert (tickets.cadence, tickets.interval, tickets.tier) == ("every 15 minutes", timedelta(minutes=15), "high")
    assert (tickets.tables, tickets.models) == (("marts.mart_ticket_sla_compliance",), ("mart_ticket_sla_compliance",))
    assert tickets.layers["marts"] == ("mart_ticket_sla_compliance",)
    assert tickets.layers["core"] == (
        "clean_ticket_priority_changes",
        "fct_tickets",
        "int_support__priority_history",
        "int_support__tickets",
    )
    assert tickets.layers["conformed"] == (
        "conformed_ticket_priority_changes",
        "conformed_tickets",
        "stg_support__ticket_priority_changes",
        "stg_support__tickets",
    )
    assert "sla_default_targets" in tickets.layers["seeds"]
    assert {name: set(source.tables) for name, source in tickets.sources.items()} == {
        "support": {"tickets", "ticket_priority_changes"}
    }
    assert {"core.fct_tickets", "marts_build.mart_ticket_sla_compliance"} <= tickets.relations
    assert {"core.dim_facilities", "core.dim_open_time", "conformed.conformed_accounts"} <= tickets.reused
    assert not tickets.reused & tickets.relations
    assert set(tickets.upstream["core"]) > set(tickets.layers["core"])
    pipeline = found["refresh_hourly"]
    assert set(pipeline.sources["crm"].tables) == {"leads"}
    assert pipeline.sources["crm"].tables["leads"].overlap == timedelta(hours=1)
    assert "int_reference__fx_rates_daily" in pipeline.layers["core"], "it carries the last rates forward to the as-of time"


def declare(monkeypatch: pytest.MonkeyPatch, source: str, **every: timedelta | None) -> None:
    """Change `refresh_every` of some tables of a source."""
    known = load_sources()
    tables = {name: table.model_copy(update={"refresh_every": every.get(name)}) for name, table in known[source].tables.items()}
    changed = known[source].model_copy(update={"tables": known[source].tables | {name: tables[name] for name in every}})
    monkeypatch.setattr("include.sources.load_sources", lambda: {**known, source: changed})


def test_a_refresh_shorter_than_refresh_every_does_not_load_the_table(
    known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, "crm", facilities=timedelta(hours=1))
    found = refreshes_of(known)
    assert "crm" not in found["refresh_every_15_minutes"].sources
    assert set(found["refresh_hourly"].sources["crm"].tables) == {"facilities", "leads"}
    # The refresh also builds the models downstream of the table, and no others.
    assert found["refresh_hourly"].layers["conformed"] == (
        "conformed_facilities",
        "conformed_leads",
        "stg_crm__facilities",
        "stg_crm__leads",
    )
    assert {"dim_facilities", "dim_users"} <= set(found["refresh_hourly"].layers["core"])
    assert "core.dim_organizations" in found["refresh_hourly"].reused


def test_a_data_test_may_be_left_to_the_nightly_run(known: dict[str, Any]) -> None:
    name = "business_minutes_are_the_overlap_with_opening_hours"
    found = refreshes_of(known)
    assert name in found["refresh_every_15_minutes"].excluded_tests
    assert name not in found["refresh_hourly"].excluded_tests, "it builds none of the models that this test reads"
    known["nodes"][f"test.customer_intelligence.{name}"]["config"]["meta"]["refresh_every"] = "10m"
    assert name not in refreshes_of(known)["refresh_every_15_minutes"].excluded_tests


def test_every_refresh_loads_a_table_without_refresh_every(known: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "reference", sla_policies=None)
    tickets = refreshes_of(known)["refresh_every_15_minutes"]
    assert set(tickets.sources) == {"reference", "support"}
    assert "conformed_sla_policies" in tickets.layers["conformed"]


def test_refresh_every_of_a_model_counts_and_is_checked(known: dict[str, Any]) -> None:
    node = known["nodes"]["model.customer_intelligence.dim_open_time"]
    node["config"]["meta"]["refresh_every"] = "15m"
    tickets = refreshes_of(known)["refresh_every_15_minutes"]
    assert "dim_open_time" in tickets.layers["core"] and "core.dim_organizations" in tickets.reused
    node["config"]["meta"]["refresh_every"] = "soon"
    with pytest.raises(CadenceError, match=r"dim_open_time: meta.refresh_every: .*'soon' is not a duration"):
        refreshes_of(known)


@pytest.mark.parametrize(("dag_id", "most"), [("refresh_every_15_minutes", 16), ("refresh_hourly", 14)])
def test_a_refresh_builds_few_models_and_does_not_load_billing(manifest: Path, dag_id: str, most: int) -> None:
    refresh = refreshes()[dag_id]
    built = [name for layer, names in refresh.layers.items() if layer != "seeds" for name in names]
    assert len(built) <= most, f"{len(built)} models: {', '.join(built)}"
    assert "billing" not in refresh.sources
    assert not {"fct_revenue", "dim_accounts"} & set(built)


def test_no_dimension_reads_a_fact(known: dict[str, Any]) -> None:
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
    return deepcopy(dict(read_manifest(manifest)))


def with_sla(known: dict[str, Any], model: str, **sla: Any) -> dict[str, Any]:
    node = known["nodes"][f"model.customer_intelligence.{model}"]
    node["config"]["meta"]["sla"] |= sla
    return known


def test_models_of_one_cadence_share_a_refresh(known: dict[str, Any]) -> None:
    with_sla(known, "mart_nrr_summary", cadence="hourly", criticality="critical")
    both = refreshes_of(known)["refresh_hourly"]
    assert both.models == ("mart_nrr_summary", "mart_weighted_pipeline_scenarios")
    assert both.tier == "critical"


def test_a_snapshot_is_read_and_not_taken(known: dict[str, Any]) -> None:
    snapshot = "snapshot.customer_intelligence.snap_accounts"
    known["nodes"]["model.customer_intelligence.fct_leads"]["depends_on"]["nodes"].append(snapshot)
    built = {name for names in refreshes_of(known)["refresh_hourly"].layers.values() for name in names}
    assert "fct_leads" in built and "snap_accounts" not in built
    # A model that reads a snapshot is built by nightly runs only, because the snapshot changes once a day.
    known["nodes"][snapshot]["depends_on"]["nodes"] = ["model.customer_intelligence.conformed_leads"]
    known["nodes"]["model.customer_intelligence.dim_users"]["depends_on"]["nodes"].append(snapshot)
    assert "core.dim_users" in refreshes_of(known)["refresh_hourly"].reused


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
def test_an_invalid_sla_is_refused_with_model_and_key(known: dict[str, Any], sla: dict[str, Any], message: str) -> None:
    with pytest.raises(CadenceError, match=message):
        refreshes_of(with_sla(known, "mart_nrr_summary", **sla))


def test_only_a_backfill_of_an_earlier_day_is_a_full_refresh() -> None:
    midnight = RunContext("nightly", datetime(2026, 10, 2, tzinfo=UTC))
    assert not full_refresh_if_backfill(midnight, None).full_refresh
    assert not full_refresh_if_backfill(midnight, datetime(2026, 10, 2, 1, 45, tzinfo=UTC)).full_refresh
    assert full_refresh_if_backfill(midnight, datetime(2026, 10, 3, tzinfo=UTC)).full_refresh


NIGHTLY = datetime(2026, 10, 1, tzinfo=UTC)


def ran(dag_id: str, as_of: datetime, state: str = "success", seeds: str | None = "all of them") -> dict[str, Any]:
    return {"dag_id": dag_id, "as_of": as_of, "state": state, "seeds": seeds}


def test_a_refresh_builds_on_the_last_complete_nightly_run_that_succeeded() -> None:
    later = NIGHTLY + timedelta(days=1)
    others = [
        ran("refresh_hourly", later),
        ran("transform", later, "failed"),
        ran("transform", later, seeds="some"),
        ran("transform", later, seeds=None),
    ]
    assert last_nightly_as_of(others) is None
    assert last_nightly_as_of([*others, ran("transform", NIGHTLY), ran("transform", later)]) == NIGHTLY


@pytest.mark.parametrize(
    ("nightly", "as_of", "reason"),
    [
        (None, NIGHTLY, "no complete run of transform has succeeded yet"),
        (NIGHTLY, NIGHTLY - timedelta(minutes=15), "is 2026-09-30 23:45 UTC, earlier than that of the last run of transform"),
        (NIGHTLY, NIGHTLY, None),
        (NIGHTLY, NIGHTLY + NIGHTLY_RUN_MAX_AGE, None),
        (
            NIGHTLY,
            NIGHTLY + NIGHTLY_RUN_MAX_AGE + timedelta(minutes=15),
            "transform is 2026-10-01 00:00 UTC, more than 7 days earlier",
        ),
    ],
)
def test_a_refresh_needs_a_nightly_run_that_is_neither_later_nor_too_old(
    nightly: datetime | None, as_of: datetime, reason: str | None
) -> None:
    found = reason_to_skip(nightly, as_of)
    assert found is None if reason is None else found is not None and reason in found


def test_the_calendars_cover_every_refresh_that_may_reuse_them() -> None:
    project = yaml.safe_load((ROOT / "dbt/dbt_project.yml").read_text())
    assert timedelta(days=project["vars"]["calendar_days_ahead"] - 1) == NIGHTLY_RUN_MAX_AGE
