"""A nightly run of a CSV folder with every odd but legal company, whose organizations share all ids: each table equals its recomputation.

Before a release, the unit tests of all models also run here, because this warehouse has every table. CI runs them on Google's evaluator.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.demo.schema import TABLES
from include.local.home import Company
from include.manifest import read_manifest
from include.settings import ROOT
from include.sources import load_sources
from tests.pipeline.comparison import MODELS, capture, differences
from tests.pipeline.conftest import FIRST, FinishedRun, before_a_release
from tests.pipeline.nightly_runs import NightlyRuns, rows
from tests.pipeline.odd_companies import UNKNOWN_WORD, make_odd
from tests.recompute.sources import HAPPENS_AT, instant

#: Relations with rows that the gate `conformed` must quarantine, because they refer to a missing row.
QUARANTINED = {"conformed_deal_stage_history", "conformed_order_items", "conformed_ticket_priority_changes"}
#: The folders of the layer `conformed`, as dbt selects them.
CONFORMED = ("path:models/staging", "path:models/conformed")

#: Model → a rule that rows of the odd company break.
WARNINGS = {
    "dim_accounts": "dim_accounts_roll_up_reaches_a_top",
    "fct_deal_stage_history": "fct_deal_stage_history_agrees_with_the_deal",
    "fct_orders": "fct_orders_has_rate",
    "fct_revenue": "fct_revenue_has_rates",
    "fct_tickets": "fct_tickets_resolution_time_is_known",
    "int_billing__subscription_versions": "int_billing__subscription_versions_cancelled_has_an_end",
}


@pytest.fixture(scope="module")
def odd_company(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightlyRuns]:
    """The company with its warehouse."""
    folder = tmp_path_factory.mktemp("odd") / "all_at_once"
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(folder), "--as-of", FIRST]
    subprocess.run([*command, "--scale", "0.02", "--seed", "5"], check=True, capture_output=True, cwd=ROOT)
    make_odd(folder, "all_at_once")
    with NightlyRuns(Company(FIRST, data=str(folder))) as company:
        yield company


@pytest.fixture(scope="module")
def odd_run(odd_company: NightlyRuns) -> FinishedRun:
    """The nightly run. Its warehouse is still up."""
    run = odd_company.run(FIRST, tested=False)
    return FinishedRun(run, Path(odd_company.stack.company.data or ""), capture())


@pytest.mark.parametrize("name", list(MODELS))
def test_the_tables_of_an_odd_company_equal_their_recomputation(odd_run: FinishedRun, name: str) -> None:
    found = differences(MODELS[name], odd_run.tables, odd_run.truth, odd_run.as_of)
    assert not found, f"{len(found)} differences, the first of them:\n" + "\n".join(found[:30])


@pytest.mark.parametrize("name", list(MODELS))
def test_a_wrong_value_in_any_column_is_reported(odd_run: FinishedRun, name: str) -> None:
    model = MODELS[name]
    spoilt = sorted(set(model.columns) - set(model.key))
    first, *others = odd_run.tables[name]
    tables = {**odd_run.tables, name: [{**first, **dict.fromkeys(spoilt, "wrong")}, *others]}
    found = differences(model, tables, odd_run.truth, odd_run.as_of)
    assert [column for column in spoilt if not any(f": {column} should be" in line for line in found)] == []


def test_the_oddities_have_reached_the_warehouse(odd_run: FinishedRun) -> None:
    tables = odd_run.tables
    organizations = {row["organization_id"] for row in tables["dim_organizations"]}
    with_deals = {row["organization_id"] for row in tables["fct_deals"]}
    with_other_ends = {row["organization_id"] for row in tables["fct_deals"] if not row["is_lost"]}
    assert "org-empty" in organizations - with_deals
    assert any(name.endswith("-undealt") for name in organizations - with_deals)
    assert with_deals - with_other_ends, "an organization that lost every deal"
    currencies = {row["currency"] for name in ("fct_orders", "fct_invoices") for row in tables[name]}
    assert len(currencies) > 100
    assert {row["has_rate"] for row in tables["fct_orders"] if row["currency"].startswith("Q")} == {True, False}


def test_every_organization_keeps_its_row_of_an_id_that_others_use_too(odd_run: FinishedRun) -> None:
    for table in TABLES.values():
        if not table.id.endswith("_id") or table.name == "organizations":
            continue
        with (odd_run.truth / f"{table.name}.csv").open(encoding="utf-8", newline="") as lines:
            times = [name for name in ("updated_at", "occurred_at", HAPPENS_AT.get(table.name)) if name]
            seen = [
                row for row in csv.DictReader(lines) if all(instant(row[name]) < odd_run.as_of for name in times if row.get(name))
            ]
        sent = Counter((row["organization_id"], row[table.id]) for row in seen)
        shared = Counter(name for _, name in sent)
        assert max(shared.values()) >= 4, table.name
        conformed = rows(f"select organization_id, {table.id} as id from conformed.conformed_{table.name}")
        assert Counter((row["organization_id"], row["id"]) for row in conformed) == sent, table.name


def test_a_row_that_refers_to_a_missing_row_is_quarantined(odd_run: FinishedRun) -> None:
    found = {row["relation"] for row in rows("select distinct relation from quarantine.quarantined_rows")}
    assert found >= QUARANTINED


def test_an_unknown_word_is_a_warning_of_the_gate_conformed_and_stops_nothing(
    odd_company: NightlyRuns, odd_run: FinishedRun
) -> None:
    """Each column with accepted values has such a word. Figures show it, so no data test of dbt may fail on it."""
    listed = {
        f"conformed_{table.name}": [column.name for column in table.columns.values() if column.accepted_values]
        for source in load_sources().values()
        for table in source.tables.values()
    }
    found = {
        row["relation"]
        for row in rows("select relation from ops.gate_results where expectation like 'known_categories_of_%' and not success")
    }
    assert found == {f"conformed.{view}" for view, columns in listed.items() if columns}
    for view, columns in listed.items():
        for column in columns:
            assert rows(f"select 1 from conformed.{view} where {column} = '{UNKNOWN_WORD}' limit 1"), f"{view}.{column}"
    ran = odd_company.dbt("test", "--exclude-resource-type", "unit_test", run=odd_run.run)
    assert {"fct_leads_rows_are_valid", "fct_tickets_rows_are_valid"} <= set(ran)
    messages = {row["name"]: row["message"] for row in rows("select name, message from ops.dbt_results where status = 'warn'")}
    for name, rule in WARNINGS.items():
        assert re.search(rf"\b{rule} [1-9]", messages[f"{name}_rows_are_valid"]), name


@before_a_release
def test_the_unit_tests_of_every_model(odd_company: NightlyRuns, odd_run: FinishedRun) -> None:
    # The unit tests of the staging and conformed views run in tests/dbt/conformed.
    ran = odd_company.dbt("test", "--select", "test_type:unit", "--exclude", *CONFORMED, run=odd_run.run)
    cases = read_manifest()["unit_tests"].values()
    folders = tuple(path.removeprefix("path:") for path in CONFORMED)
    assert set(ran) >= {case["name"] for case in cases if not case["original_file_path"].startswith(folders)}
    assert {"fct_tickets", "fct_deal_stage_history", "mart_ticket_sla_compliance", "fct_revenue"} <= {
        case["model"] for case in cases
    }
