"""The run's parameter `select`: how it narrows a build, and the tasks that it skips."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include.transform.selection import narrow_to_selection, skip_unselected

MART = "model.customer_intelligence.mtr_revenue_by_month"


def context(select: str | None, node: str = MART, selected: list[str] | None = None) -> dict[str, Any]:
    ti = SimpleNamespace(xcom_pull=lambda task_ids: {"selected": selected})
    return {"params": {"select": select}, "task": SimpleNamespace(model_unique_id=node), "ti": ti}


def test_the_build_is_narrowed_word_by_word() -> None:
    operator = SimpleNamespace(select="path:seeds path:models/conformed")
    narrow_to_selection(context("a+ b"), operator)
    assert operator.select == "path:seeds,a+ path:seeds,b path:models/conformed,a+ path:models/conformed,b"


def test_a_model_left_out_is_skipped() -> None:
    skip_unselected(context(None))
    skip_unselected(context("x", selected=[MART]))
    with pytest.raises(AirflowSkipException, match="not part of this run"):
        skip_unselected(context("x", node="model.customer_intelligence.other", selected=[MART]))
