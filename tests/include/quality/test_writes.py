"""How often gates change the audit tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.quality import run_gates
from include.runs import RunContext
from tests.warehouse import rows

RUN = RunContext("manual__2026-10-01T00:00:00+00:00", datetime(2026, 10, 1, tzinfo=UTC))


def test_several_gates_change_the_audit_tables_once(
    bq: Client, gates: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BigQuery allows a table 1,500 changes a day, and refreshes pass their gates a hundred times."""

    def sides(name: str, left: int) -> dict[str, Any]:
        sql = f"select 'all' as part, {left} as left_value, 1 as right_value, 0 as row_count"
        shared = {"relation": "ops.loads", "action": "block", "reason": "Left and right are the same thing.", "key": ["part"]}
        return {"name": name, "reconcile": sql, **shared}

    gates({"core": [sides("a", 1), sides("b", 1)], "marts": [sides("c", 2), sides("d", 1)]})
    sent: list[str] = []
    query = Client.query
    monkeypatch.setattr(Client, "query", lambda self, sql, *a, **k: (sent.append(sql), query(self, sql, *a, **k))[1])
    for _ in range(2):
        sent.clear()
        core, marts = run_gates(["core", "marts"], RUN)
        assert (core.verdict, marts.verdict) == ("pass", "block")
        changed = [sql.split()[1] for sql in sent if sql.split()[0] == "merge"]
        assert changed == ["ops.reconciliation", "ops.gate_results"]
    kept = rows(bq, "select gate, reconciliation, left_value, right_value, difference from ops.reconciliation order by 2")
    assert kept == [("core", "a", 1, 1, 0), ("core", "b", 1, 1, 0), ("marts", "c", 2, 1, 1), ("marts", "d", 1, 1, 0)]
    verdicts = rows(bq, "select expectation, success, unexpected_count, verdict from ops.gate_results order by 1")
    assert verdicts == [("a", True, 0, "pass"), ("b", True, 0, "pass"), ("c", False, 1, "block"), ("d", True, 0, "pass")]
