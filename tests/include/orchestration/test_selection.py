"""A run of `transform` with a selection checks and publishes only the tables that it builds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.orchestration import scope_of_selection, selected_tables
from include.orchestration.selection import selected_nodes
from include.quality.builder import gates
from include.settings import settings


def context(*names: str) -> dict[str, Any]:
    selected = [f"model.customer_intelligence.{name}" for name in names] or None
    return {"ti": SimpleNamespace(xcom_pull=lambda task_ids: {"selected": selected})}


def rules(gate: str, *names: str) -> dict[str, str]:
    """The SQL of the rules of a gate that apply to a run with a selection, by name."""
    scope = scope_of_selection(context(*names))
    assert scope is not None
    narrowed = scope.narrow(gates(scope.sources)[gate])
    return {rule.name: str(rule.rows or rule.reconcile) for rule in narrowed.rules} if narrowed else {}


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_dbt_resolves_a_selection(state: Path) -> None:
    def selecting(select: str | None) -> dict[str, Any]:
        return {"params": {"select": select}}

    revenue = "model.customer_intelligence.mtr_revenue_by_month"
    assert selected_nodes(selecting(None)) is None
    assert selected_nodes(selecting("mtr_revenue_by_month")) == [revenue]
    both = selected_nodes(selecting("1+mtr_revenue_by_month order_statuses"))
    assert {revenue, "model.customer_intelligence.fct_orders", "seed.customer_intelligence.order_statuses"} <= set(both or [])
    with pytest.raises(ValueError, match="'no_such_model' names no model"):
        selected_nodes(selecting("no_such_model"))


def test_a_run_without_a_selection_checks_and_publishes_all() -> None:
    assert scope_of_selection(context()) is None and selected_tables(context()) is None


def test_raw_is_compared_only_with_the_staging_views_that_the_run_builds(manifest: Path) -> None:
    """A view of another run shows another as-of time: a refresh has built it since, or raw has later rows."""
    assert "raw_keys_are_conformed" not in rules("core", "fct_orders", "mart_top_root_causes")
    balance = rules("core", "stg_crm__orders", "conformed_orders", "fct_orders")["raw_keys_are_conformed"]
    assert "raw_crm.orders" in balance and balance.count("as part") == 1
    assert "raw_keys_are_conformed" in rules("core", "stg_crm__order_items", "conformed_order_items", "clean_order_items")


@pytest.mark.parametrize(
    ("selected", "inside", "outside"),
    [
        (("mart_top_root_causes",), set(), {"tickets_reach_every_mart", "sla_counts_agree_by_segment"}),
        (("mart_satisfaction_rollups",), {"answers_reach_the_rollups"}, {"tickets_reach_every_mart"}),
    ],
)
def test_a_rule_applies_if_the_run_builds_its_tables_from_the_others(
    manifest: Path, selected: tuple[str, ...], inside: set[str], outside: set[str]
) -> None:
    found = set(rules("marts", *selected))
    assert inside <= found and not outside & found
    assert outside <= {rule.name for rule in gates()["marts"].rules}, "a run without a selection has the rule"


def test_only_selected_tables_are_published(manifest: Path) -> None:
    assert selected_tables(context("fct_orders", "mtr_revenue_by_month", "mart_nrr_summary")) == [
        "marts.mart_nrr_summary",
        "metrics.mtr_revenue_by_month",
    ]
    assert selected_tables(context("fct_orders")) == []
