"""Tables that a company lacks: optional ones that a source file leaves out, and others that it declares as absent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.settings import ROOT
from include.sources import Source, SourceError, load_sources
from include.sources.__main__ import main
from include.sources.dbt_sources import render, render_macro

TABLE = "ticket_sla_events"
Document = dict[str, Any]


@pytest.fixture
def change(tmp_path: Path) -> Callable[[str, Callable[[Document], object]], Path]:
    """Copies the source files and changes one of them; returns the folder."""

    def changed(name: str, edit: Callable[[Document], object]) -> Path:
        folder = tmp_path / "sources"
        folder.mkdir(exist_ok=True)
        for path in (ROOT / "include" / "sources").glob("*.yml"):
            shutil.copy(path, folder)
        document = yaml.safe_load((folder / f"{name}.yml").read_text())
        edit(document)
        (folder / f"{name}.yml").write_text(yaml.safe_dump(document, sort_keys=False))
        return folder

    return changed


def test_a_table_that_is_left_out_is_absent_and_known_to_dbt(change: Callable[..., Path]) -> None:
    given = load_sources()["support"].tables[TABLE]
    sources = load_sources(change("support", lambda document: document["tables"].pop(TABLE)))
    left_out = sources["support"].tables[TABLE]
    assert (left_out.absent, given.absent) == (True, False)
    assert (left_out.columns, left_out.primary_key) == (given.columns, given.primary_key)
    assert not left_out.is_loaded_every(timedelta(days=7))
    assert (given.cursor, given.overlap, left_out.cursor) == ("updated_at", timedelta(hours=24), None)
    before, after = (_lines(found) for found in (load_sources(), sources))
    assert before == after, "dbt knows the same table, only in another place"


def _lines(sources: Mapping[str, Source]) -> list[str]:
    return sorted((render(sources["support"]) + render_macro(sources)).splitlines())


def test_a_source_file_may_rename_the_columns_of_an_optional_table(change: Callable[..., Path]) -> None:
    renamed = {
        "overlap": "1h",
        "path": "slas",
        "columns": {"target_minutes": {"source_name": "goal"}, "team": {"type": "string", "description": "Team."}},
    }
    sources = load_sources(change("support", lambda document: document["tables"].update({TABLE: renamed})))
    table = sources["support"].tables[TABLE]
    assert (table.absent, table.overlap, table.path) == (False, timedelta(hours=1), "slas")
    target = table.columns["target_minutes"]
    assert (target.source_name, target.type) == ("goal", "integer")
    assert set(table.columns) == {*load_sources()["support"].tables[TABLE].columns, "team"}
    named_only = load_sources(change("support", lambda document: document["tables"].update({TABLE: None})))
    assert named_only["support"].tables[TABLE] == load_sources()["support"].tables[TABLE]


@pytest.mark.parametrize("wrong", ["a text", {"columns": "a text"}, {"columns": {"target_minutes": 7}}])
def test_a_wrong_declaration_of_an_optional_table_is_named(change: Callable[..., Path], wrong: object) -> None:
    with pytest.raises(SourceError, match=rf"support\.yml: tables\.{TABLE}"):
        load_sources(change("support", lambda document: document["tables"].update({TABLE: wrong})))


def test_a_missing_table_that_a_view_reads_is_named_with_the_remedy(
    change: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = change("crm", lambda document: document["tables"].pop("deals"))
    for command in (["check"], ["dbt-sources", "--check"]):
        assert main(["--folder", str(folder), *command]) == 1
        shown = capsys.readouterr().err
        assert shown.startswith(
            "crm.yml: tables.deals is missing, and stg_crm__deals reads it. Declare the table, with `absent: true`"
        )


def test_any_table_may_be_absent(change: Callable[..., Path]) -> None:
    def lacks_two(document: Document) -> None:
        document["tables"]["holidays"] |= {"absent": True}
        document["tables"]["holidays"].pop("glob")

    folder = change("reference", lacks_two)
    assert load_sources(folder)["reference"].tables["holidays"].absent
    assert main(["--folder", str(folder), "dbt-sources", "--check"]) == 0
