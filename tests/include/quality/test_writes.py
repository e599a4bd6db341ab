"""Gates send few statements, to evaluate rules and to write audit tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.quality import run_gate, run_gates
from include.run_context import RunContext
from tests.proxy import Proxy, proxied
from tests.warehouse import rows, running

RUN = RunContext("manual__2026-10-01T00:00:00+00:00", datetime(2026, 10, 1, tzinfo=UTC))
SHARED: dict[str, Any] = {"relation": "core.t", "action": "block", "reason": "The test needs a rule.", "key": ["part"]}
Make = Callable[..., Path]


@pytest.fixture
def proxy(bq: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that records the statements that are sent."""
    with proxied(running().url) as made:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", made.url)
        yield made


def sides(name: str, left: int, source: str = "") -> dict[str, Any]:
    sql = f"select 'all' as part, {left} as left_value, 1 as right_value, 0 as row_count {source}"
    return SHARED | {"name": name, "reconcile": sql}


def none(name: str, condition: str) -> dict[str, Any]:
    return SHARED | {"name": name, "rows": f"select id as part from core.t where {condition}"}


def test_a_gate_that_passes_refers_to_its_tables_in_one_statement(bq: Client, gates: Make, proxy: Proxy) -> None:
    """BigQuery bills at least 10 MB for each table that a statement refers to, however often it refers to it."""
    gates({"core": [none("a", "id < 0"), none("b", "id > 9"), sides("c", 1, "from core.t"), sides("d", 1, "from core.t")]})
    bq.query("create table core.t as select 1 as id").result()
    assert run_gate("core", RUN).verdict == "pass"
    asked, *written = proxy.statements()
    assert sorted(re.findall(r"-- (\S+)", asked)) == ["core.a", "core.b", "core.c", "core.d"]
    assert [sql.split()[1] for sql in written] == ["ops.reconciliation", "ops.gate_results"]


def test_gates_that_run_together_send_one_statement_with_each_gates_own_batch(bq: Client, gates: Make, proxy: Proxy) -> None:
    names = ["raw_one", "raw_two"]
    gates({name: [none("other_batch", f"@batch_id != '{RUN.batch_id(name[4:])}'")] for name in names})
    bq.query("create table core.t as select 1 as id").result()
    assert [(verdict.gate, verdict.verdict) for verdict in run_gates(names, RUN)] == [("raw_one", "pass"), ("raw_two", "pass")]
    assert len(proxy.statements("core.t")) == 1


def test_several_gates_change_the_audit_tables_once(bq: Client, gates: Make, proxy: Proxy) -> None:
    """BigQuery allows a table 1,500 changes a day, and refreshes run their gates a hundred times a day."""
    gates({"core": [sides("a", 1), sides("b", 1)], "marts": [sides("c", 2), sides("d", 1)]})
    for _ in range(2):
        proxy.jobs.clear()
        core, marts = run_gates(["core", "marts"], RUN)
        assert (core.verdict, marts.verdict) == ("pass", "block")
        changed = [sql.split()[1] for sql in proxy.statements() if sql.split()[0] == "merge"]
        assert changed == ["ops.reconciliation", "ops.gate_results"]
    kept = rows("select gate, reconciliation, left_value, right_value, difference from ops.reconciliation order by 2", bq)
    assert kept == [("core", "a", 1, 1, 0), ("core", "b", 1, 1, 0), ("marts", "c", 2, 1, 1), ("marts", "d", 1, 1, 0)]
    verdicts = rows("select expectation, success, unexpected_count, verdict from ops.gate_results order by 1", bq)
    assert verdicts == [("a", True, 0, "pass"), ("b", True, 0, "pass"), ("c", False, 1, "block"), ("d", True, 0, "pass")]
