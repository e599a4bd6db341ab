"""A gate narrowed to what a run makes: which rules judge it, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.orchestration.refreshes import refreshes
from include.quality import GateBlocked, Scope, run_gate
from include.quality.builder import gates as all_gates
from include.run_context import RunContext
from tests.warehouse import rows

TICK = RunContext("scheduled__2026-10-01T10:15:00+00:00", datetime(2026, 10, 1, 10, 15, tzinfo=UTC))
Make = Callable[..., Path]


def rule(name: str, relation: str, rows: str, action: str = "block", key: tuple[str, ...] = ("id",)) -> dict[str, Any]:
    reason = "A value counts things."
    return {"name": name, "relation": relation, "action": action, "reason": reason, "key": list(key), "rows": rows}


def negative(table: str, action: str = "block") -> dict[str, Any]:
    name = f"no_negative_value_in_{table.split('.')[1]}"
    return rule(name, table, f"select * from {table} where value < 0", action)


def table(bq: Client, name: str, *values: int) -> None:
    data = ", ".join(f"struct('k{i}' as id, {value} as value)" for i, value in enumerate(values))
    bq.query(f"create or replace table {name} as select * from unnest([{data}])").result()


def test_only_what_the_run_makes_is_judged(bq: Client, gates: Make) -> None:
    both = "select made.* from core.made inner join core.old using (id) where old.value < 0"
    gates({"core": [negative("core.made"), negative("core.old"), rule("as_in_old", "core.made", both)]})
    table(bq, "core.made", 1)
    table(bq, "core.old", -1)
    with pytest.raises(GateBlocked):
        run_gate("core", TICK)
    scope = Scope({}, frozenset({"core.made"}))
    verdict = run_gate("core", TICK, scope=scope)
    assert [outcome.name for outcome in verdict.outcomes] == ["no_negative_value_in_made"]
    assert [row["expectation"] for row in ops.gate_results(TICK.run_id, client=bq)] == ["no_negative_value_in_made"]
    table(bq, "core.made", -1)
    with pytest.raises(GateBlocked, match="block: no_negative_value_in_made"):
        run_gate("core", TICK, scope=scope)
    # A gate with no rule on what the run makes lets it pass.
    assert (
        run_gate("core", TICK, scope=Scope({}, frozenset({"core.other"}))).message == "Gate core: pass, 0 of 0 expectations hold."
    )


def test_what_is_made_from_an_older_table_is_compared_with_it_and_that_alone_is_not_judged(bq: Client, gates: Make) -> None:
    both = "select made.* from core.made left join core.old using (id) where old.id is null"
    gates({"core": [negative("core.old"), rule("of_known", "core.old", both), negative("core.made")]})
    table(bq, "core.made", 1, 1)
    table(bq, "core.old", -1)
    scope = Scope({}, frozenset({"core.made"}), taken=frozenset({"core.old"}))
    with pytest.raises(GateBlocked, match="of_known"):
        run_gate("core", TICK, scope=scope)
    table(bq, "core.old", -1, -1)
    verdict = run_gate("core", TICK, scope=scope)
    assert {outcome.name for outcome in verdict.outcomes} == {"of_known", "no_negative_value_in_made"}


def test_two_runs_of_one_id_keep_their_own_verdicts(bq: Client, gates: Make) -> None:
    """An ingest DAG's run and a refresh's may have been given the same id by their clocks."""
    gates({"core": [negative("core.made"), negative("core.old", "warn")]})
    table(bq, "core.made", 1)
    table(bq, "core.old", -1)
    night = RunContext(TICK.run_id, datetime(2026, 10, 1, tzinfo=UTC))
    run_gate("core", night)
    run_gate("core", TICK, scope=Scope({}, frozenset({"core.made"})))
    assert len(ops.gate_results(as_of=night.as_of, client=bq)) == 2
    assert len(ops.gate_results(as_of=TICK.as_of, client=bq)) == 1


def test_rows_of_other_tables_stay_in_quarantine(bq: Client, gates: Make) -> None:
    def orphans(view: str) -> dict[str, Any]:
        return negative(f"staging.{view}", "quarantine")

    gates({"staging": [orphans("stg_shop__made"), orphans("stg_shop__old")]})
    for view in ("stg_shop__made", "stg_shop__old"):
        bq.query(f"create or replace view staging.{view} as select 'k' as id, 'o' as organization_id, -1 as value").result()
    run_gate("staging", RunContext("night", datetime(2026, 10, 1, tzinfo=UTC)))
    bq.query("create or replace view staging.stg_shop__made as select 'k' as id, 'o' as organization_id, 1 as value").result()
    assert run_gate("staging", TICK, scope=Scope({}, frozenset({"staging.stg_shop__made"}))).verdict == "pass"
    assert rows(bq, "select distinct relation, run_id from quarantine.quarantined_rows") == [("stg_shop__old", "night")]


@pytest.mark.parametrize(
    ("dag_id", "gate", "inside", "outside"),
    [
        ("refresh_every_15_minutes", "staging", "priority_changes_of_known_tickets", "orders_of_known_accounts"),
        ("refresh_every_15_minutes", "staging", "rows_of_known_organizations", "organizations_are_known"),
        ("refresh_every_15_minutes", "core", "tickets_reach_core", "orders_reach_core"),
        ("refresh_every_15_minutes", "core", "raw_keys_are_staged", "mrr_is_invoiced"),
        ("refresh_every_15_minutes", "marts", "tickets_reach_the_mart", "tickets_reach_every_mart"),
        ("refresh_hourly", "core", "raw_keys_are_staged", "tickets_reach_core"),
        ("refresh_hourly", "raw_crm", "every_table_arrived", "keys_present_in_deals"),
    ],
)
def test_the_platforms_own_gates_as_refreshes_meet_them(
    manifest: Path, dag_id: str, gate: str, inside: str, outside: str
) -> None:
    refresh = refreshes()[dag_id]
    narrowed = Scope(refresh.sources, refresh.relations, refresh.reused).narrow(all_gates(refresh.sources)[gate])
    assert narrowed is not None
    found = {rule.name: rule for rule in narrowed.rules}
    assert inside in found and outside not in found
    assert outside in {rule.name for rule in all_gates()[gate].rules}, "the night is judged by it"
    for name in ("every_table_arrived", "raw_keys_are_staged"):
        text = str(found[name].rows or found[name].reconcile) if name in found else ""
        assert "survey_responses" not in text, "rules made from the sources speak of what is landed"
