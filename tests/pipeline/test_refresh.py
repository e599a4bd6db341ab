"""A refresh between two nights, by the functions that its tasks call: what it publishes is what a night at its instant would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include import ops
from include.local.home import Company
from include.orchestration import Refresh, refreshes
from include.publish import publish
from include.quality import Scope, run_gate
from include.run_context import RunContext
from include.transform import GATED
from include.warehouse import client
from tests.pipeline.conftest import FIRST, SECOND, SEED, before_a_release
from tests.pipeline.nights import Nights, contents, rows

pytestmark = before_a_release

# A ticket of this company is resolved in the small hours of the day, and a lead is lost before midnight.
TICK = datetime(2026, 10, 1, 23, 30, tzinfo=UTC)
# What tells when a row was built says nothing about the business.
WALL_CLOCK = {"_loaded_at", "_extracted_at", "dbt_updated_at", "dbt_scd_id"}


@pytest.fixture(scope="module")
def nights(manifest: Path) -> Iterator[Nights]:
    """A company; the tests run in the order that they stand in."""
    with Nights(Company(FIRST, scale=0.03, seed=SEED)) as played:
        yield played


@pytest.fixture(scope="module")
def first(nights: Nights) -> dict[str, list[str]]:
    """What the first night published."""
    nights.play(FIRST, tested=False)
    return contents("marts", WALL_CLOCK)


@pytest.fixture(scope="module")
def refreshed(nights: Nights, first: dict[str, list[str]]) -> set[str]:
    """Both refreshes late on the day after; the models that they refreshed."""
    nights.serve(SECOND)
    for refresh in refreshes().values():
        play(nights, refresh, TICK)
    return {model for refresh in refreshes().values() for model in refresh.models}


def play(nights: Nights, refresh: Refresh, tick: datetime) -> None:
    """One refresh, in the order of its DAG."""
    run = RunContext(f"scheduled__{tick.isoformat()}", tick)
    scope = Scope(refresh.sources, refresh.relations, refresh.reused)
    for source in refresh.sources.values():
        nights.land(source, run)
        run_gate(source.dataset, run, scope=scope)
    for layer, names in refresh.layers.items():
        left_out = [
            "--exclude-resource-type",
            "unit_test",
            *(["--exclude", *refresh.excluded_tests] if refresh.excluded_tests else []),
        ]
        nights.dbt("build", "--select", *names, *left_out, run=run)
        if layer in GATED:
            run_gate(layer, run, scope=scope)
    publish(run, refresh.tables, client=client())


def published() -> dict[str, datetime]:
    return {f"{row['dataset']}.{row['table_name']}": row["as_of"] for row in ops.publications()}


def test_it_publishes_its_tables_and_no_other(refreshed: set[str]) -> None:
    fresh = {table for refresh in refreshes().values() for table in refresh.tables}
    assert len(fresh) == 2
    shown = published()
    assert len(shown) > 20
    assert {table for table, as_of in shown.items() if as_of == TICK} == fresh
    assert {as_of for table, as_of in shown.items() if table not in fresh} == {datetime(2026, 10, 1, tzinfo=UTC)}


def test_it_lands_the_day_s_changes_of_the_tables_it_needs(refreshed: set[str]) -> None:
    batches = f"batch_id like '%@{TICK:%Y-%m-%dT%H%M%SZ}'"
    landed = {f"{row['source']}.{row['table_name']}" for row in rows(f"select source, table_name from ops.loads where {batches}")}
    wanted = {f"{name}.{table}" for r in refreshes().values() for name, source in r.sources.items() for table in source.tables}
    assert landed == wanted
    (new,) = rows(f"select count(*) as n from raw_support.tickets where {batches.replace('batch_id', '_batch_id')}")
    (whole,) = rows("select count(*) as n from raw_support.tickets")
    assert 0 < new["n"] < whole["n"] / 10


def test_the_gates_judge_what_it_made(refreshed: set[str]) -> None:
    found = {(row["gate"], row["expectation"]): row for row in ops.gate_results(as_of=TICK)}
    assert {"block"} & {row["verdict"] for row in found.values()} == set()
    # Both ran at this instant, here under the same id: of a gate, the verdicts of the later one stand.
    assert ("core", "raw_keys_are_staged") in found and ("core", "orders_reach_core") not in found
    assert ("staging", "rows_of_known_organizations") in found and ("staging", "order_items_of_known_orders") not in found


def test_a_table_equals_what_a_night_at_that_instant_would_build(
    nights: Nights, first: dict[str, list[str]], refreshed: set[str]
) -> None:
    """All that the tables are made from, rebuilt from scratch on the same raw tables with the tick as its instant."""
    shown = contents("marts", WALL_CLOCK)
    facts = contents("core", WALL_CLOCK)["fct_tickets"]
    whole = RunContext("whole", TICK, full_refresh=True)
    left_out = [word for kind in ("test", "unit_test", "snapshot") for word in ("--exclude-resource-type", kind)]
    nights.dbt("build", "--select", *(f"+{name}" for name in refreshed), *left_out, run=whole)
    built = contents("marts_build", WALL_CLOCK)
    for name in refreshed:
        assert shown[name] and shown[name] == built[name], name
        assert shown[name] != first[name], f"the day has moved {name} on"
    assert facts == contents("core", WALL_CLOCK)["fct_tickets"], "the incremental table too"


def test_a_night_that_looks_at_the_midnight_before_takes_nothing_back(
    nights: Nights, first: dict[str, list[str]], refreshed: set[str]
) -> None:
    """It comes out as the first night did, by an incremental build on tables that were past it; refreshed tables stay."""
    before = contents("marts", WALL_CLOCK)
    run = nights.play(FIRST, tested=False)
    assert not run.full_refresh
    assert contents("marts", WALL_CLOCK) == before
    assert {table for table, as_of in published().items() if as_of == TICK} == {f"marts.{name}" for name in refreshed}
    assert contents("marts_build", WALL_CLOCK) == first
    (again,) = rows("select rows_loaded as n from ops.loads where batch_id = 'crm@2026-10-01T000000Z' and table_name = 'leads'")
    (whole,) = rows("select count(distinct lead_id) as n from raw_crm.leads")
    assert again["n"] < whole["n"] / 5, "no source is read from its beginning"
