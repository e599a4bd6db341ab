"""A gate narrowed to the tables that a run builds: which rules apply, and which rows and results do not change."""

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

REFRESH = RunContext("scheduled__2026-10-01T10:15:00+00:00", datetime(2026, 10, 1, 10, 15, tzinfo=UTC))
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


def test_only_rules_on_tables_that_the_run_builds_apply(bq: Client, gates: Make) -> None:
    both = "select built.* from core.built inner join core.old using (id) where old.value < 0"
    gates({"core": [negative("core.built"), negative("core.old"), rule("as_in_old", "core.built", both)]})
    table(bq, "core.built", 1)
    table(bq, "core.old", -1)
    with pytest.raises(GateBlocked):
        run_gate("core", REFRESH)
    scope = Scope({}, frozenset({"core.built"}))
    verdict = run_gate("core", REFRESH, scope=scope)
    assert [outcome.name for outcome in verdict.outcomes] == ["no_negative_value_in_built"]
    assert [row["expectation"] for row in ops.gate_results(REFRESH.run_id, client=bq)] == ["no_negative_value_in_built"]
    table(bq, "core.built", -1)
    with pytest.raises(GateBlocked, match="block: no_negative_value_in_built"):
        run_gate("core", REFRESH, scope=scope)
    # A gate without a rule on the tables of the run passes.
    assert (
        run_gate("core", REFRESH, scope=Scope({}, frozenset({"core.other"}))).message
        == "Gate core: pass, 0 of 0 expectations hold."
    )


def test_a_rule_may_compare_a_built_table_with_a_reused_one_but_no_rule_checks_the_reused_one_alone(
    bq: Client, gates: Make
) -> None:
    both = "select built.* from core.built left join core.old using (id) where old.id is null"
    gates({"core": [negative("core.old"), rule("of_known", "core.old", both), negative("core.built")]})
    table(bq, "core.built", 1, 1)
    table(bq, "core.old", -1)
    scope = Scope({}, frozenset({"core.built"}), reused=frozenset({"core.old"}))
    with pytest.raises(GateBlocked, match="of_known"):
        run_gate("core", REFRESH, scope=scope)
    table(bq, "core.old", -1, -1)
    verdict = run_gate("core", REFRESH, scope=scope)
    assert {outcome.name for outcome in verdict.outcomes} == {"of_known", "no_negative_value_in_built"}


def test_two_runs_with_the_same_id_keep_their_own_verdicts(bq: Client, gates: Make) -> None:
    """A run of an ingest DAG and a refresh have the same id if they are scheduled at the same time."""
    gates({"core": [negative("core.built"), negative("core.old", "warn")]})
    table(bq, "core.built", 1)
    table(bq, "core.old", -1)
    nightly = RunContext(REFRESH.run_id, datetime(2026, 10, 1, tzinfo=UTC))
    run_gate("core", nightly)
    run_gate("core", REFRESH, scope=Scope({}, frozenset({"core.built"})))
    assert len(ops.gate_results(as_of=nightly.as_of, client=bq)) == 2
    assert len(ops.gate_results(as_of=REFRESH.as_of, client=bq)) == 1


def test_rows_of_other_tables_stay_in_quarantine(bq: Client, gates: Make) -> None:
    def orphans(view: str) -> dict[str, Any]:
        return negative(f"conformed.{view}", "quarantine")

    gates({"conformed": [orphans("conformed_built"), orphans("conformed_old")]})
    for view in ("conformed_built", "conformed_old"):
        bq.query(f"create or replace view conformed.{view} as select 'k' as id, 'o' as organization_id, -1 as value").result()
    run_gate("conformed", RunContext("nightly", datetime(2026, 10, 1, tzinfo=UTC)))
    bq.query("create or replace view conformed.conformed_built as select 'k' as id, 'o' as organization_id, 1 as value").result()
    assert run_gate("conformed", REFRESH, scope=Scope({}, frozenset({"conformed.conformed_built"}))).verdict == "pass"
    assert rows("select distinct relation, run_id from quarantine.quarantined_rows", bq) == [("conformed_old", "nightly")]


@pytest.mark.parametrize(
    ("dag_id", "gate", "inside", "outside"),
    [
        ("refresh_every_15_minutes", "conformed", "priority_changes_of_known_tickets", "orders_of_known_accounts"),
        ("refresh_every_15_minutes", "conformed", "rows_of_known_organizations", "organizations_are_known"),
        ("refresh_every_15_minutes", "core", "tickets_reach_core", "orders_reach_core"),
        ("refresh_every_15_minutes", "core", "raw_keys_are_conformed", "mrr_is_invoiced"),
        ("refresh_every_15_minutes", "marts", "tickets_reach_the_mart", "tickets_reach_every_mart"),
        ("refresh_hourly", "core", "raw_keys_are_conformed", "tickets_reach_core"),
        ("refresh_hourly", "marts", "leads_reach_every_scenario", "leads_reach_funnel_and_cohorts"),
        ("refresh_hourly", "raw_crm", "every_table_arrived", "keys_present_in_deals"),
    ],
)
def test_the_platforms_own_gates_are_narrowed_for_refreshes(
    manifest: Path, dag_id: str, gate: str, inside: str, outside: str
) -> None:
    refresh = refreshes()[dag_id]
    narrowed = Scope(refresh.sources, refresh.relations, refresh.reused).narrow(all_gates(refresh.sources)[gate])
    assert narrowed is not None
    found = {rule.name: rule for rule in narrowed.rules}
    assert inside in found and outside not in found
    assert outside in {rule.name for rule in all_gates()[gate].rules}, "the nightly run has the rule"
    for name in ("every_table_arrived", "raw_keys_are_conformed"):
        text = str(found[name].rows or found[name].reconcile) if name in found else ""
        assert "survey_responses" not in text, "rules that follow from the sources name only loaded tables"
