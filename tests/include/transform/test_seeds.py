"""Whether a run must load the seeds: what they are now, against what the books say of earlier runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.runs import RunContext
from include.transform.seeds import Seeds
from tests.warehouse import connected

NIGHT = datetime(2026, 10, 1, tzinfo=UTC)
PLANS = Seeds("plans", {"core": ["plans"]})


@pytest.fixture
def known(manifest: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manifest.read_text())
    return found


def one(nodes: dict[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = next(node for key, node in nodes.items() if key.startswith(prefix))
    return found


def test_the_checksum_changes_with_what_a_seed_is_and_with_nothing_else(known: dict[str, Any]) -> None:
    before = Seeds.of(known)
    assert {"deal_stages", "sla_default_targets"} <= set(before.tables["core"])
    seed, test = "seed.customer_intelligence.deal_stages", "test.customer_intelligence.unique_deal_stages_stage."
    macro = "macro.customer_intelligence.row_key"

    def changed(kind: str, prefix: str, key: str, value: Any) -> bool:
        other = copy.deepcopy(known)
        one(other[kind], prefix)[key] = value
        return Seeds.of(other).checksum != before.checksum

    assert changed("nodes", seed, "checksum", {"name": "sha256", "checksum": "other rows"})
    assert changed("nodes", seed, "config", {"column_types": {"stage": "int64"}})
    assert changed("nodes", seed, "description", "other words")
    assert changed("nodes", test, "test_metadata", {"name": "unique"})
    assert changed("macros", macro, "macro_sql", "{% macro row_key() %}{% endmacro %}")
    assert not changed("nodes", seed, "created_at", 1.0)
    assert not changed("nodes", "model.customer_intelligence.dim_accounts", "raw_code", "select 1")
    of_a_mart = "test.customer_intelligence.relationships_mart_sales_forecast_stage"
    assert not changed("nodes", of_a_mart, "test_metadata", {"name": "unique"})


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "core") as client:
        client.query("create table core.plans (id int64)").result()
        yield client
        client.query("drop table if exists core.plans").result()


def test_they_are_loaded_when_the_last_run_that_tells_says_so(bq: Client) -> None:
    def ran(name: str, state: str, seeds: str | None) -> bool:
        run = RunContext(name, NIGHT)
        ops.start_run(run, "transform", seeds=seeds, client=bq)
        if state != "running":
            ops.finish_run(run, "transform", state, client=bq)
        return PLANS.are_loaded()

    assert not PLANS.are_loaded(), "nothing has ever run"
    assert not ran("first", "failed", "plans"), "whether it loaded and tested them nobody knows"
    assert ran("second", "success", "plans")
    assert ran("ingest", "success", None)
    assert ran("third", "failed", "plans"), "it found them loaded, or loaded the same again"
    assert ran("fourth", "running", "plans")
    assert not ran("other", "failed", "other plans"), "it may have loaded the others"
    assert not ran("back", "running", "plans")
    assert ran("back", "success", "plans")
    assert not ran("narrowed", "success", "some")
    assert ran("night", "success", "plans")
    bq.query("drop table core.plans").result()
    assert not PLANS.are_loaded(), "somebody dropped a table"


@pytest.mark.parametrize(
    ("loaded", "whole", "selected", "noted"),
    [
        (False, True, None, "plans"),
        (True, True, None, "plans"),
        (True, False, None, "plans"),
        (False, False, None, "some"),
        (False, True, ["model.shop.items"], None),
        (False, True, ["model.shop.items", "seed.shop.plans"], "some"),
    ],
)
def test_what_is_noted(loaded: bool, whole: bool, selected: list[str] | None, noted: str | None) -> None:
    assert PLANS.note(loaded, whole, selected) == noted
