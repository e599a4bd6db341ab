"""Tables that a company lacks: a source file leaves them out, and the entity has no rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.settings import ROOT
from include.sources import SourceError, load_sources
from include.sources.feeds import feeds
from include.sources.generated import drift, undeclared, write

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


def test_an_entity_whose_table_is_left_out_is_fed_by_no_view(change: Callable[..., Path], tmp_path: Path) -> None:
    dbt = tmp_path / "dbt"
    write(load_sources(), dbt)
    view = dbt / "models" / "staging" / "support" / f"stg_support__{TABLE}.sql"
    assert view.exists() and feeds(load_sources())[TABLE]
    sources = load_sources(change("support", lambda document: document["tables"].pop(TABLE)))
    assert TABLE not in feeds(sources)
    assert drift(sources, dbt)
    write(sources, dbt)
    assert not view.exists() and not drift(sources, dbt)
    assert f"'{TABLE}': {{\n            'views': []," in (dbt / "macros" / "feeds.sql").read_text()


def test_a_source_file_may_rename_the_columns_of_an_optional_table(change: Callable[..., Path]) -> None:
    renamed = {
        "overlap": "1h",
        "path": "slas",
        "columns": {"target_minutes": {"source_name": "goal"}, "team": {"type": "string", "description": "Team."}},
    }
    sources = load_sources(change("support", lambda document: document["tables"].update({TABLE: renamed})))
    table = sources["support"].tables[TABLE]
    assert (table.overlap, table.path) == (timedelta(hours=1), "slas")
    target = table.columns["target_minutes"]
    assert (target.source_name, target.type) == ("goal", "integer")
    assert set(table.columns) == {*load_sources()["support"].tables[TABLE].columns, "team"}
    named_only = load_sources(change("support", lambda document: document["tables"].update({TABLE: None})))
    without_keys = named_only["support"].tables[TABLE]
    assert without_keys == load_sources()["support"].tables[TABLE].model_copy(update={"refresh_every": None})


@pytest.mark.parametrize("wrong", ["a text", {"columns": "a text"}, {"columns": {"target_minutes": 7}}])
def test_a_wrong_declaration_of_an_optional_table_is_named(change: Callable[..., Path], wrong: object) -> None:
    with pytest.raises(SourceError, match=rf"support\.yml: tables\.{TABLE}"):
        load_sources(change("support", lambda document: document["tables"].update({TABLE: wrong})))


def test_a_missing_table_that_a_hand_written_view_reads_is_named_with_the_remedy(tmp_path: Path) -> None:
    view = tmp_path / "models" / "staging" / "shop" / "stg_shop__items.sql"
    view.parent.mkdir(parents=True)
    view.write_text("select 1")
    (message,) = undeclared(load_sources(), tmp_path)
    assert message == "shop.yml: tables.items is missing, and stg_shop__items reads it. Declare the table, or delete the view."
