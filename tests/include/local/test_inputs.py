"""The summary says in one line what the input report of a run has found."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include import ops
from include.local.inputs import input_line
from tests.warehouse import connected

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def test_the_findings_of_a_run_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ["table", "table", "missing_values", "identity", "orphan", "unknown_word", "unknown_word"]
    written = [("one", kind) for kind in kinds] + [("clean", "table"), ("other", "gap")]
    with connected(monkeypatch):
        ops.append(
            "ops.input_report", [{"run_id": run, "kind": kind, "message": "m", "checked_at": NOW} for run, kind in written]
        )
        assert input_line("one") == "Input report of 2 tables: 2 unknown_word, 1 orphan (ops.input_report)"
        assert input_line("clean") == "Input report of 1 tables: no findings (ops.input_report)"
        assert input_line("gone").startswith("Input report: none was written")
