"""What a night must keep when it is played again, rebuilt, looked back at, or stopped by a gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from include import ops
from include.catalog import query
from include.local.home import Company
from include.publish import publish
from include.quality import GateBlocked, run_gate
from include.run_context import RunContext
from include.warehouse import client
from tests.pipeline.comparison import MODELS, differences
from tests.pipeline.conftest import FIRST, SCALE, SECOND, SEED, PlayedNight, before_a_release, play
from tests.pipeline.nights import Nights, contents, rows

# When a row was landed or built says nothing about the business.
WALL_CLOCK = {"_loaded_at", "_extracted_at", "dbt_updated_at", "dbt_scd_id"}
LAYERS = ("core", "marts", "metrics")


@pytest.fixture(scope="module")
def nights(manifest: Path) -> Iterator[Nights]:
    """A company whose nights are played one after the other; the tests below run in the order that they stand in."""
    with Nights(Company(FIRST, scale=SCALE, seed=SEED)) as played:
        yield played


@pytest.fixture(scope="module")
def first(nights: Nights, tmp_path_factory: pytest.TempPathFactory) -> PlayedNight:
    """The company's first night. dbt's data tests are run by the scheduler's night, in test_stack."""
    night = play(nights, FIRST, tmp_path_factory.mktemp("truth"), tested=False)
    nights.first_landing = landed(FIRST)
    nights.first_tables = everything()
    return night


def everything() -> dict[str, dict[str, list[str]]]:
    return {layer: contents(layer, WALL_CLOCK) for layer in LAYERS}


def landed(as_of: str) -> int:
    """Rows of a night's landing; reference files are delivered whole, so they do not count."""
    run = rows(f"select sum(rows_loaded) as n from ops.loads where batch_id like '%@{as_of}%' and source != 'reference'")
    return int(run[0]["n"])


def test_the_same_night_twice_changes_nothing(nights: Nights, first: PlayedNight) -> None:
    assert all(nights.first_tables["core"].values()), "empty tables prove nothing"
    nights.play(FIRST, tested=False)
    assert everything() == nights.first_tables


@pytest.fixture(scope="module")
def second_night(nights: Nights, first: PlayedNight) -> PlayedNight:
    """The company's second night, incremental; its truth stands beside that of the first, whose scores are history by then."""
    return play(nights, SECOND, first.truth.parent, tested=False)


@pytest.fixture(scope="module")
def second(second_night: PlayedNight) -> RunContext:
    """The run of the second night, for the tests that only look at what it left."""
    return second_night.run


@pytest.mark.parametrize("name", list(MODELS))
def test_two_nights_hold_what_the_truth_says(first: PlayedNight, second_night: PlayedNight, name: str) -> None:
    for night in (first, second_night):
        told = differences(MODELS[name], night.tables, night.truth, night.as_of)
        assert not told, f"{len(told)} differences, the first of them:\n" + "\n".join(told[:30])


def test_a_deleted_row_leaves_staging(second: RunContext) -> None:
    deleted = rows("select activity_id from raw_crm.activities where _is_deleted")
    assert deleted, "the demo company deletes activities every night"
    alive = {row["activity_id"] for row in rows("select activity_id from staging.stg_crm__activities")}
    assert not alive & {row["activity_id"] for row in deleted}


def test_raw_says_where_each_row_came_from(second: RunContext) -> None:
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
    assert {row["relation"] for row in moved} >= {"stg_crm__deal_stage_history"}
    assert all(row["reason"] for row in moved)
    moved_changes = {row["row_key"] for row in moved if row["relation"] == "stg_crm__deal_stage_history"}
    staged, clean, built = (
        {row["history_id"] for row in rows(f"select history_id from {table}")}
        for table in (
            "staging.stg_crm__deal_stage_history",
            "core.clean_crm__deal_stage_history",
            "core.fct_deal_stage_history",
        )
    )
    assert staged - clean == moved_changes
    assert not built & moved_changes


def test_a_blocked_marts_gate_leaves_the_published_tables_as_they_were(nights: Nights, second: RunContext) -> None:
    run = second
    before = {layer: contents(layer) for layer in ("marts", "metrics")}
    shown = ops.publications()
    client().query("update marts_build.mart_ticket_sla_compliance set response_compliance_pct = 150 where true").result()
    with pytest.raises(GateBlocked, match="mart_ticket_sla_compliance"):
        run_gate("marts", run)
    assert {layer: contents(layer) for layer in ("marts", "metrics")} == before
    assert ops.publications() == shown
    verdicts = {row["verdict"] for row in ops.gate_results(run_id=run.run_id) if row["gate"] == "marts"}
    assert "block" in verdicts
    nights.build("marts", run)
    run_gate("marts", run)
    publish(run, client=client())


def test_every_question_has_a_query_that_answers_it(nights: Nights, second: RunContext, manifest: Path) -> None:
    known = json.loads(manifest.read_text())
    questions = [node for node in known["nodes"].values() if node["resource_type"] == "analysis"]
    assert len(questions) > 15
    unanswered = [node["name"] for node in questions if not rows(query(node, known))]
    assert unanswered == []


def test_the_books_name_every_layer(nights: Nights, second: RunContext) -> None:
    run = second
    built = rows(f"select distinct layer from ops.dbt_results where run_id = '{run.run_id}'")
    assert {row["layer"] for row in built} >= {"staging", "intermediate", "core", "snapshots", "marts", "metrics"}
    gates = {row["gate"] for row in ops.gate_results(run_id=run.run_id)}
    assert gates == {f"raw_{name}" for name in nights.sources} | {"staging", "core", "marts"}


def test_a_later_night_loads_only_what_is_new_and_equals_a_rebuild(nights: Nights, second: RunContext) -> None:
    assert landed(SECOND) < nights.first_landing / 5
    incremental = everything()
    assert incremental != nights.first_tables, "the company has moved on"
    nights.play(SECOND, full_refresh=True, tested=False, lands=False)
    assert everything() == incremental


@before_a_release
def test_an_earlier_night_shows_what_it_showed_then(nights: Nights, second: RunContext) -> None:
    nights.play(FIRST, tested=False, lands=False)
    assert everything() == nights.first_tables
