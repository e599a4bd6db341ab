"""A night of a CSV folder that holds every odd, but legal company at once: each table as its definitions want it.

Beside it, on a warehouse that has every table, the golden case of each model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.home import Company
from include.settings import ROOT
from tests.pipeline.comparison import MODELS, capture, differences
from tests.pipeline.conftest import FIRST, PlayedNight
from tests.pipeline.nights import Nights, rows
from tests.pipeline.odd_companies import turn

#: Rows that the staging gate must hold back: they name a row that nobody has.
HELD_BACK = {"stg_crm__deal_stage_history", "stg_crm__order_items", "stg_support__ticket_priority_changes"}


@pytest.fixture(scope="module")
def odd_nights(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """The company, with its warehouse."""
    folder = tmp_path_factory.mktemp("odd") / "all_at_once"
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(folder), "--as-of", FIRST]
    subprocess.run([*command, "--scale", "0.02", "--seed", "5"], check=True, capture_output=True, cwd=ROOT)
    turn(folder, "all_at_once")
    with Nights(Company(FIRST, data=str(folder))) as nights:
        yield nights


@pytest.fixture(scope="module")
def odd_night(odd_nights: Nights) -> PlayedNight:
    """The night, with its warehouse still there."""
    run = odd_nights.play(FIRST, tested=False)
    return PlayedNight(run, Path(odd_nights.stack.company.data or ""), capture())


@pytest.mark.parametrize("name", list(MODELS))
def test_an_odd_company_has_the_figures_that_are_defined(odd_night: PlayedNight, name: str) -> None:
    told = differences(MODELS[name], odd_night.tables, odd_night.truth, odd_night.as_of)
    assert not told, f"{len(told)} differences, the first of them:\n" + "\n".join(told[:30])


@pytest.mark.parametrize("name", list(MODELS))
def test_a_wrong_value_would_be_seen(odd_night: PlayedNight, name: str) -> None:
    # One row with a wrong value in every column: each of them must be told.
    model = MODELS[name]
    spoilt = sorted(set(model.columns) - set(model.key))
    first, *others = odd_night.tables[name]
    tables = {**odd_night.tables, name: [{**first, **dict.fromkeys(spoilt, "wrong")}, *others]}
    told = differences(model, tables, odd_night.truth, odd_night.as_of)
    assert [column for column in spoilt if not any(f": {column} should be" in line for line in told)] == []


def test_the_oddities_have_reached_the_warehouse(odd_night: PlayedNight) -> None:
    tables = odd_night.tables
    organizations = {row["organization_id"] for row in tables["dim_organizations"]}
    with_deals = {row["organization_id"] for row in tables["fct_deals"]}
    with_other_ends = {row["organization_id"] for row in tables["fct_deals"] if not row["is_lost"]}
    assert "org-empty" in organizations - with_deals
    assert any(name.endswith("-undealt") for name in organizations - with_deals)
    assert with_deals - with_other_ends, "an organization that lost every deal"
    currencies = {row["currency"] for name in ("fct_orders", "fct_invoices") for row in tables[name]}
    assert len(currencies) > 100
    assert {row["has_rate"] for row in tables["fct_orders"] if row["currency"].startswith("Q")} == {True, False}


def test_what_names_an_unknown_row_is_held_back(odd_night: PlayedNight) -> None:
    held = {row["relation"] for row in rows("select distinct relation from quarantine.quarantined_rows")}
    assert held >= HELD_BACK


def test_the_golden_cases_of_every_model(odd_nights: Nights, odd_night: PlayedNight) -> None:
    # Those of staging have tests of their own in tests/dbt/staging.
    ran = odd_nights.dbt("test", "--select", "test_type:unit", "--exclude", "path:models/staging", run=odd_night.run)
    cases = json.loads((ROOT / "dbt" / "target" / "manifest.json").read_text())["unit_tests"].values()
    assert set(ran) >= {case["name"] for case in cases if not case["original_file_path"].startswith("models/staging")}
    assert {"fct_tickets", "fct_deal_stage_history", "mart_ticket_sla_compliance", "fct_revenue"} <= {
        case["model"] for case in cases
    }
