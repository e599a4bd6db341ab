"""Nightly runs of one company: first, repeated, incremental, full refresh, backfill, and blocked by a gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot import exp

from include import ops
from include.catalog import query
from include.explain.evidence import TENANT
from include.local.home import Company
from include.manifest import read_manifest
from include.publish import publish
from include.quality import GateBlocked, run_gate
from include.run_context import RunContext
from include.warehouse import client
from tests.pipeline.comparison import MODELS, differences
from tests.pipeline.conftest import FIRST, OTHER_SEEDS, SCALE, SECOND, SEED, FinishedRun, before_a_release, run_and_capture
from tests.pipeline.explained import check_explanations, walks
from tests.pipeline.nightly_runs import NightlyRuns, contents, rows

# Columns with the time of the load or the build differ from run to run.
WALL_CLOCK = {"_loaded_at", "_extracted_at", "dbt_updated_at", "dbt_scd_id"}
LAYERS = ("core", "marts", "metrics")


@pytest.fixture(scope="module")
def runs(manifest: Path) -> Iterator[NightlyRuns]:
    """A company whose nightly runs follow each other. The tests depend on their order in this file."""
    with NightlyRuns(Company(FIRST, scale=SCALE, seed=SEED)) as company:
        yield company


@pytest.fixture(scope="module")
def first(runs: NightlyRuns, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """The first run. dbt's data tests run in test_stack."""
    finished = run_and_capture(runs, FIRST, tmp_path_factory.mktemp("truth"), tested=False)
    runs.first_row_count = loaded_rows(FIRST)
    runs.first_tables = everything()
    return finished


def everything() -> dict[str, dict[str, list[str]]]:
    return {layer: contents(layer, WALL_CLOCK) for layer in LAYERS}


def loaded_rows(as_of: str) -> int:
    """The number of rows that a run has loaded, without reference files, which are always delivered whole."""
    run = rows(f"select sum(rows_loaded) as n from ops.loads where batch_id like '%@{as_of}%' and source != 'reference'")
    return int(run[0]["n"])


def test_a_repeated_run_changes_nothing(runs: NightlyRuns, first: FinishedRun) -> None:
    # The accounts of the demo company are all in the CRM, so there is nothing to match.
    empty = {name for name, rows in runs.first_tables["core"].items() if not rows}
    assert empty == {"dim_account_identity"}, "empty tables prove nothing"
    runs.run(FIRST, tested=False)
    assert everything() == runs.first_tables


@pytest.fixture(scope="module")
def second_run(runs: NightlyRuns, first: FinishedRun) -> FinishedRun:
    """The second run, incremental. Its CSV files are beside those of the first run, whose scores are history by then."""
    return run_and_capture(runs, SECOND, first.truth.parent, tested=False)


@pytest.fixture(scope="module")
def second(second_run: FinishedRun) -> RunContext:
    """The context of the second run."""
    return second_run.run


@pytest.mark.parametrize("name", list(MODELS))
def test_the_tables_of_two_runs_equal_their_recomputation(first: FinishedRun, second_run: FinishedRun, name: str) -> None:
    for finished in (first, second_run):
        found = differences(MODELS[name], finished.tables, finished.truth, finished.as_of)
        assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])


def test_every_figure_comes_from_the_rows_that_explain_it(second: RunContext) -> None:
    """All figures of one row of every published table. In the long form, two rows of each, every figure alone."""
    found = list(walks(second.as_of, 2, each_column=True) if OTHER_SEEDS else walks(second.as_of))
    published = {f"{row['dataset']}.{row['table_name']}" for row in ops.publications()}
    assert {walk.table for walk in found} == published - {"marts.mart_account_identity"}
    assert {(walk.table, *walk.differences.items()) for walk in found if walk.differences} == set()
    assert [walk.table for walk in found if not walk.evidence.is_proven] == []
    # If the search gave up, it would name whole tables.
    loose = {
        part.relation.name
        for walk in found
        for part in walk.evidence.parts
        if TENANT in part.relation.columns and TENANT not in {column.name for column in part.condition.find_all(exp.Column)}
    }
    assert loose == set()
    assert len({walk.table for walk in found if walk.limits_a_fact}) > 25


def test_a_figure_explains_itself(second: RunContext, tmp_path: Path) -> None:
    check_explanations(second, tmp_path)


def test_a_deleted_row_leaves_the_conformed_view(second: RunContext) -> None:
    deleted = rows("select activity_id from raw_crm.activities where _is_deleted")
    assert deleted, "the demo company deletes activities every day"
    alive = {row["activity_id"] for row in rows("select activity_id from conformed.conformed_activities")}
    assert not alive & {row["activity_id"] for row in deleted}


def test_every_raw_row_has_its_lineage_columns(second: RunContext) -> None:
    for dataset, table in (
        ("raw_crm", "deals"),
        ("raw_billing", "invoices"),
        ("raw_support", "tickets"),
        ("raw_product", "usage_events"),
    ):
        missing = rows(
            f"select count(*) as n from {dataset}.{table} where _extracted_at is null or _loaded_at is null"
            " or _batch_id is null or _source_file_id is null or _is_deleted is null"
        )
        assert missing == [{"n": 0}], table
        shape = client().get_table(f"{dataset}.{table}")
        assert shape.time_partitioning.field == "_loaded_at"
        assert shape.clustering_fields


def test_an_orphan_is_quarantined_with_its_reason(second: RunContext) -> None:
    moved = rows("select relation, row_key, reason from quarantine.quarantined_rows")
    assert {row["relation"] for row in moved} >= {"conformed_deal_stage_history"}
    assert all(row["reason"] for row in moved)
    moved_changes = {row["row_key"] for row in moved if row["relation"] == "conformed_deal_stage_history"}
    staged, clean, built = (
        {f"{row['organization_id']}|{row['history_id']}" for row in rows(f"select organization_id, history_id from {table}")}
        for table in (
            "conformed.conformed_deal_stage_history",
            "core.clean_deal_stage_history",
            "core.fct_deal_stage_history",
        )
    )
    assert staged - clean == moved_changes
    assert not built & moved_changes


def test_a_blocked_marts_gate_leaves_the_published_tables_as_they_were(runs: NightlyRuns, second: RunContext) -> None:
    run = second
    before = {layer: contents(layer) for layer in ("marts", "metrics")}
    shown = ops.publications()
    client().query("update marts_build.mart_ticket_sla_compliance set resolution_breached_count = 0 where true").result()
    with pytest.raises(GateBlocked, match="mart_ticket_sla_compliance"):
        run_gate("marts", run)
    assert {layer: contents(layer) for layer in ("marts", "metrics")} == before
    assert ops.publications() == shown
    verdicts = {row["verdict"] for row in ops.gate_results(run_id=run.run_id) if row["gate"] == "marts"}
    assert "block" in verdicts
    runs.dbt(
        "build",
        "--select",
        "mart_ticket_sla_compliance",
        "--exclude-resource-type",
        "test",
        "--exclude-resource-type",
        "unit_test",
        run=run,
    )
    run_gate("marts", run)
    publish(run, client=client())


def test_every_question_has_a_query_that_answers_it(runs: NightlyRuns, second: RunContext, manifest: Path) -> None:
    known = read_manifest(manifest)
    questions = [node for node in known["nodes"].values() if node["resource_type"] == "analysis"]
    assert len(questions) > 15
    unanswered = [node["name"] for node in questions if not rows(query(node, known))]
    assert unanswered == []


def test_the_audit_tables_have_rows_of_every_layer_and_gate(runs: NightlyRuns, second: RunContext) -> None:
    run = second
    built = rows(f"select distinct layer from ops.dbt_results where run_id = '{run.run_id}'")
    assert {row["layer"] for row in built} >= {"staging", "conformed", "intermediate", "core", "snapshots", "marts", "metrics"}
    gates = {row["gate"] for row in ops.gate_results(run_id=run.run_id)}
    assert gates == {f"raw_{name}" for name in runs.sources} | {"conformed", "core", "marts"}


def test_an_incremental_run_loads_only_new_rows(runs: NightlyRuns, second: RunContext) -> None:
    assert loaded_rows(SECOND) < runs.first_row_count / 5
    assert everything() != runs.first_tables, "the data has changed since the first run"


@before_a_release
def test_an_incremental_run_equals_a_full_refresh(runs: NightlyRuns, second: RunContext) -> None:
    # In CI, both the first run, which builds everything, and the second one equal their recomputation.
    incremental = everything()
    runs.run(SECOND, full_refresh=True, tested=False, ingests=False)
    assert everything() == incremental


@before_a_release
def test_a_backfill_gives_the_tables_of_the_original_run(runs: NightlyRuns, second: RunContext) -> None:
    runs.run(FIRST, tested=False, ingests=False)
    assert everything() == runs.first_tables
