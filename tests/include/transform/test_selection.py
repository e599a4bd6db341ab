"""The run's parameter `select`: the nodes that it names, and the tasks that it skips."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include.settings import settings
from include.transform.selection import narrow_to_selection, selected_nodes, skip_unselected

MART = "model.customer_intelligence.mtr_revenue_by_month"


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


def context(select: str | None, node: str = MART, selected: list[str] | None = None) -> dict[str, Any]:
    ti = SimpleNamespace(xcom_pull=lambda task_ids: {"selected": selected})
    return {"params": {"select": select}, "task": SimpleNamespace(model_unique_id=node), "ti": ti}


def test_dbt_resolves_a_selection() -> None:
    assert selected_nodes(context(None)) is None
    assert selected_nodes(context("mtr_revenue_by_month")) == [MART]
    both = selected_nodes(context("1+mtr_revenue_by_month order_statuses"))
    assert {MART, "model.customer_intelligence.fct_orders", "seed.customer_intelligence.order_statuses"} <= set(both or [])
    with pytest.raises(ValueError, match="'no_such_model' names no model"):
        selected_nodes(context("no_such_model"))


def test_the_build_is_narrowed_word_by_word() -> None:
    operator = SimpleNamespace(select="path:seeds path:models/staging")
    narrow_to_selection(context("a+ b"), operator)
    assert operator.select == "path:seeds,a+ path:seeds,b path:models/staging,a+ path:models/staging,b"


def test_a_model_left_out_is_skipped() -> None:
    skip_unselected(context(None))
    skip_unselected(context("x", selected=[MART]))
    with pytest.raises(AirflowSkipException, match="not part of this run"):
        skip_unselected(context("x", node="model.customer_intelligence.other", selected=[MART]))
