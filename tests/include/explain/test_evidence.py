"""The rows of a small table that give a figure, its formula, and the masks of the rows."""

from __future__ import annotations

from datetime import date

import pytest
from sqlglot import exp

from include.explain.evidence import Part, find_evidence
from include.explain.formula import formula_of
from include.explain.project import Project
from include.explain.queries import equals
from include.explain.rows import core_rows
from include.manifest import ensure_manifest, read_manifest
from include.sources import personal_columns
from tests.include.explain.small import ACCOUNTS, FUNNEL, SALES, WEIGHTED, duck, joined_project, small_project


@pytest.mark.parametrize("value", ["{x}", "{root}", "{", "{0}", "it's"])
def test_a_key_may_contain_any_text(value: str) -> None:
    project = small_project()
    row = {"organization_id": "a", "stage": value, "lead_count": 2}
    key = [equals("organization_id", "a"), equals("stage", value)]
    text = value.replace("'", "''")
    with duck(
        "create schema core",
        "create table core.fct_sales (organization_id text, stage text)",
        f"insert into core.fct_sales values ('a', '{text}'), ('a', '{text}'), ('a', 'other'), ('b', '{text}')",
    ) as queries:
        found = find_evidence(project, project.relations[FUNNEL], ["lead_count"], key, row, queries)
    assert found.is_proven and found.values == {"lead_count": 2}
    assert [(part.relation.name, part.row_count) for part in found.parts] == [(SALES, 2)]


def test_a_row_that_is_no_longer_built_has_no_values() -> None:
    project = small_project()
    row = {"organization_id": "a", "stage": "won", "lead_count": 2}
    key = [equals("organization_id", "a"), equals("stage", "won")]
    with duck("create schema core", "create table core.fct_sales as select 'a' as organization_id, 'lost' as stage") as queries:
        found = find_evidence(project, project.relations[FUNNEL], ["lead_count"], key, row, queries)
    assert not found.is_proven and found.values == {}


def test_a_dimension_keeps_the_rows_that_the_facts_name() -> None:
    """And the whole dimension counts if its other rows matter: here they are the denominator."""
    project = joined_project()
    month = date(2026, 9, 1)
    key = [equals("organization_id", "a"), equals("month", month)]
    with duck(
        "create schema core",
        "create table core.dim_accounts (organization_id text, account_key text, weight int)",
        "insert into core.dim_accounts values ('a', 'one', 2), ('a', 'two', 3), ('b', 'one', 9)",
        "create table core.fct_sales (organization_id text, account_key text, month date)",
        "insert into core.fct_sales values ('a', 'one', '2026-09-01'), ('a', 'two', '2026-08-01'), ('b', 'one', '2026-09-01')",
    ) as queries:
        for column, value, accounts in (("weighted_sales", 2, 1), ("all_weights", 5, 2)):
            row = {"organization_id": "a", "month": month, column: value}
            found = find_evidence(project, project.relations[WEIGHTED], [column], key, row, queries)
            assert found.is_proven
            assert {part.relation.name: part.row_count for part in found.parts} == {SALES: 1, ACCOUNTS: accounts}, column
        row = {"organization_id": "a", "month": month, "weighted_sales": 2}
        (named,) = [
            part
            for part in find_evidence(project, project.relations[WEIGHTED], ["weighted_sales"], key, row, queries).parts
            if part.relation.name == ACCOUNTS
        ]
        shown = core_rows(project, named, 10, queries)
    assert shown.where == (
        "organization_id = 'a' and account_key in (select account_key from core.fct_sales where organization_id = 'a' and month = date '2026-09-01')"
    )
    assert [row["account_key"] for row in shown.rows] == ["one"]


@pytest.mark.parametrize(
    ("column", "inputs"), [("organization_leads", []), ("share_pct", [("lead_count", 3)]), ("lead_count", [])]
)
def test_inputs_of_a_formula_are_values_of_its_row(column: str, inputs: list[tuple[str, int]]) -> None:
    """The sum of the organization is over other rows: its own lead_count is no input of it."""
    project = small_project()
    row = {"organization_id": "a", "stage": "won", "lead_count": 3, "organization_leads": 12, "share_pct": 25.0}
    found = formula_of(project, project.relations[FUNNEL], column, row)
    assert [(given.column, given.value) for given in found.inputs] == inputs


def test_names_of_people_are_masked_in_every_table_of_core() -> None:
    ensure_manifest(print)
    project = Project(read_manifest())
    names = {"owner_name", "rep_name", "assignee_name", "primary_contact_name", "full_name"}
    found = {
        (relation.name, column) for relation in project.relations.values() if relation.is_core for column in relation.columns
    }
    people = {(table, column) for table, column in found if column in names and not table.startswith(("staging.", "raw_"))}
    assert {("core.dim_accounts", "owner_name"), ("core.dim_users", "full_name")} <= people
    assert {(t, c) for t, c in people if c not in project.relations[t].personal | personal_columns()} == set()

    accounts = project.relations["core.dim_accounts"]
    part = Part(accounts, exp.true(), frozenset({"owner_name", "account_name"}), row_count=2)
    with duck(
        "create schema core",
        "create table core.dim_accounts (organization_id text, account_name text, owner_name text)",
        "insert into core.dim_accounts values ('a', 'Albion', 'Ada Owner'), ('a', 'Borealis', null)",
    ) as queries:
        shown = core_rows(project, part, 10, queries)
    assert sorted((row["account_name"], row["owner_name"]) for row in shown.rows) == [("Albion", "•••"), ("Borealis", None)]
