"""The contract's files, and the messages for invalid ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from include.contract import ContractError, Entity, __main__, contract, loading
from include.sources import load_sources

COLUMNS = {
    "organization_id": {"type": "string", "description": "The tenant."},
    "id": {"type": "string", "description": "The row."},
}


def test_the_sources_feed_every_entity_with_its_columns() -> None:
    tables = {table.name: table for source in load_sources().values() for table in source.tables.values()}
    assert tables.keys() == {name for name, entity in contract().items() if not entity.optional}
    for name in tables:
        entity = contract()[name]
        assert tables[name].primary_key == entity.key
        required = {column for column, declared in entity.columns.items() if declared.required}
        assert {column.name for column in tables[name].columns.values() if not column.nullable} == required


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": ["id"]}, "key lacks organization_id: two tenants may use the same id"),
        ({"key": ["organization_id", "other"]}, "key names other, which is not a column"),
        ({"event_time": "other"}, "event_time names other, which is not a column"),
        ({"happens_at": "other"}, "happens_at names other, which is not a column"),
        ({"unknown_without": {"other": "Figures."}}, "unknown_without names other, which is not a column"),
    ],
)
def test_an_inconsistent_entity_is_refused(change: dict[str, object], message: str) -> None:
    good = {"description": "One row.", "key": ["organization_id", "id"], "columns": COLUMNS}
    Entity.model_validate(good)
    with pytest.raises(ValidationError, match=message):
        Entity.model_validate(good | change)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "things: {description: Things., key: [id], columns: {id: {type: text, description: The id.}}}",
            "b.yml: things.columns.id.type",
        ),
        ("things: [", "b.yml line "),
        (
            "things: {description: Things., key: [id], columns: {id: {type: string, id_of: thing, description: The id.}}}",
            "things.id: id_of names thing, which is no entity",
        ),
        (
            "same: {description: Things., key: [id], columns: {id: {type: string, description: The id.}}}",
            "b.yml: same is declared in another",
        ),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    (tmp_path / "a.yml").write_text(
        "same: {description: Things., key: [id], columns: {id: {type: string, description: The id.}}}"
    )
    (tmp_path / "b.yml").write_text(text)
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "loading.py"))
    with pytest.raises(ContractError, match=message):
        contract.__wrapped__()


def test_an_outdated_page_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "contract.md"
    monkeypatch.setattr(__main__, "CONTRACT", page)
    assert __main__.main(["--check"]) == 1
    assert __main__.main([]) == 0
    assert __main__.main(["--check"]) == 0
    text = page.read_text()
    assert "| `unit_amount` | decimal | yes |  | Price of one unit per billing period, in `currency`. |" in text
    assert "critical, high, medium, low; 8 synonyms" in text
    page.write_text(text + "more\n")
    assert __main__.main(["--check"]) == 1
