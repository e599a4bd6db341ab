"""A refresh between two nightly runs publishes the same tables as a full refresh with its as-of time."""

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
from include.terms import GATED
from include.warehouse import client
from tests.pipeline.conftest import FIRST, SECOND, SEED, before_a_release
from tests.pipeline.nightly_runs import NightlyRuns, contents, rows

pytestmark = before_a_release

# Between the nightly run and this time, a ticket of this company is resolved and a lead is lost.
AS_OF = datetime(2026, 10, 1, 23, 30, tzinfo=UTC)
# Columns with the time of the load or the build differ from run to run.
WALL_CLOCK = {"_loaded_at", "_extracted_at", "dbt_updated_at", "dbt_scd_id"}


@pytest.fixture(scope="module")
def runs(manifest: Path) -> Iterator[NightlyRuns]:
    """A company. The tests depend on their order in this file."""
    with NightlyRuns(Company(FIRST, scale=0.03, seed=SEED)) as company:
        yield company


@pytest.fixture(scope="module")
def first(runs: NightlyRuns) -> dict[str, list[str]]:
    """The marts that the nightly run has published."""
    runs.run(FIRST, tested=False)
    return contents("marts", WALL_CLOCK)


@pytest.fixture(scope="module")
def refreshed(runs: NightlyRuns, first: dict[str, list[str]]) -> set[str]:
    """Run both refreshes late on the same day. Returns the names of the refreshed models."""
    runs.serve(SECOND)
    for refresh in refreshes().values():
        run_refresh(runs, refresh, AS_OF)
    return {model for refresh in refreshes().values() for model in refresh.models}


def run_refresh(runs: NightlyRuns, refresh: Refresh, as_of: datetime) -> None:
    """Run one refresh, in the order of its DAG."""
    run = RunContext(f"scheduled__{as_of.isoformat()}", as_of)
    scope = Scope(refresh.sources, refresh.relations, refresh.reused)
    for source in refresh.sources.values():
        runs.load(source, run)
        run_gate(source.dataset, run, scope=scope)
    for layer, names in refresh.layers.items():
        left_out = [
            "--exclude-resource-type",
            "unit_test",
            *(["--exclude", *refresh.excluded_tests] if refresh.excluded_tests else []),
        ]
        runs.dbt("build", "--select", *names, *left_out, run=run)
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
    assert {table for table, as_of in shown.items() if as_of == AS_OF} == fresh
    assert {as_of for table, as_of in shown.items() if table not in fresh} == {datetime(2026, 10, 1, tzinfo=UTC)}


def test_it_loads_only_the_changes_of_the_tables_that_it_needs(refreshed: set[str]) -> None:
    batches = f"batch_id like '%@{AS_OF:%Y-%m-%dT%H%M%SZ}'"
    loaded = {f"{row['source']}.{row['table_name']}" for row in rows(f"select source, table_name from ops.loads where {batches}")}
    wanted = {f"{name}.{table}" for r in refreshes().values() for name, source in r.sources.items() for table in source.tables}
    assert loaded == wanted
    (new,) = rows(f"select count(*) as n from raw_support.tickets where {batches.replace('batch_id', '_batch_id')}")
    (whole,) = rows("select count(*) as n from raw_support.tickets")
    assert 0 < new["n"] < whole["n"] / 10


def test_the_gates_check_the_tables_that_it_built(refreshed: set[str]) -> None:
    found = {(row["gate"], row["expectation"]): row for row in ops.gate_results(as_of=AS_OF)}
    assert {"block"} & {row["verdict"] for row in found.values()} == set()
    # Both refreshes have the same run id here, so the later one has replaced the verdicts of the earlier one.
    assert ("core", "raw_keys_are_conformed") in found and ("core", "orders_reach_core") not in found
    assert ("conformed", "rows_of_known_organizations") in found and ("conformed", "order_items_of_known_orders") not in found


def test_its_tables_equal_those_of_a_full_refresh_with_the_same_as_of_time(
    runs: NightlyRuns, first: dict[str, list[str]], refreshed: set[str]
) -> None:
    """The full refresh builds all upstream models from the same raw tables."""
    shown = contents("marts", WALL_CLOCK)
    facts = contents("core", WALL_CLOCK)["fct_tickets"]
    whole = RunContext("whole", AS_OF, full_refresh=True)
    left_out = [word for kind in ("test", "unit_test", "snapshot") for word in ("--exclude-resource-type", kind)]
    runs.dbt("build", "--select", *(f"+{name}" for name in refreshed), *left_out, run=whole)
    built = contents("marts_build", WALL_CLOCK)
    for name in refreshed:
        assert shown[name] and shown[name] == built[name], name
        assert shown[name] != first[name], f"{name} has not changed since the nightly run"
    assert facts == contents("core", WALL_CLOCK)["fct_tickets"], "the incremental table has other rows than the full refresh"


def test_a_nightly_run_with_an_earlier_as_of_time_keeps_the_refreshed_tables(
    runs: NightlyRuns, first: dict[str, list[str]], refreshed: set[str]
) -> None:
    """Its incremental build gives the same tables as the first run. The published tables of the refreshes stay."""
    before = contents("marts", WALL_CLOCK)
    run = runs.run(FIRST, tested=False)
    assert not run.full_refresh
    assert contents("marts", WALL_CLOCK) == before
    assert {table for table, as_of in published().items() if as_of == AS_OF} == {f"marts.{name}" for name in refreshed}
    assert contents("marts_build", WALL_CLOCK) == first
    (again,) = rows("select rows_loaded as n from ops.loads where batch_id = 'crm@2026-10-01T000000Z' and table_name = 'leads'")
    (whole,) = rows("select count(distinct lead_id) as n from raw_crm.leads")
    assert again["n"] < whole["n"] / 5, "no source is read from its beginning"
