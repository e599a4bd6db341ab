"""Mappings in source files: what they become in raw, what `mapping` shows, and the messages for mistakes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.sources import SourceError, load_sources
from include.sources.__main__ import main
from include.sources.paths import json_path, parts_of
from include.sources.versions import change_time, deleted, happened, times_at, visible
from tests.include.sources.mapped import table

GOOD: dict[str, Any] = {
    "description": "A source.",
    "owner": "someone",
    "tier": "low",
    "connection": "sf",
    "freshness": {"warn_after": "26h", "error_after": "2d"},
    "reader": {"type": "sql", "schema": "sf"},
    "id_prefix": "sf_",
    "tables": {
        "account": {
            "entity": "accounts",
            "table": "Account",
            "where": {"RecordTypeId": ["012A"], "IsPersonAccount": False},
            "deleted_when": "IsDeleted",
            "cursor": "SystemModstamp",
            "columns": {
                "account_id": "Id",
                "organization_id": {"value": "org_1"},
                "name": "Name",
                "annual_revenue": {"from": "Revenue", "unit": "minor", "currency": "Code"},
                "status": {"from": "Status__c", "values": {"Active": "active"}, "default": "inactive"},
                "created_at": "CreatedDate",
                "city": {"from": "Address", "path": "city"},
            },
        }
    },
}
ACCOUNT = ("tables", "account")
COLUMNS = (*ACCOUNT, "columns")
Change = Callable[[dict[str, Any]], object]


def put(*path: Any, value: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return change


def test_raw_columns_follow_from_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "sf.yml").write_text(yaml.safe_dump(GOOD, sort_keys=False))
    account = load_sources(tmp_path)["sf"].tables["account"]
    assert {name: (column.source_name, column.type) for name, column in account.columns.items()} == {
        "id": ("Id", "string"),
        "name": ("Name", "string"),
        "revenue": ("Revenue", "decimal"),
        "code": ("Code", "string"),
        "status_c": ("Status__c", "string"),
        "created_date": ("CreatedDate", "timestamp"),
        "address": ("Address", "json"),
        "system_modstamp": ("SystemModstamp", "timestamp"),
        "record_type_id": ("RecordTypeId", "string"),
        "is_person_account": ("IsPersonAccount", "boolean"),
        "is_deleted": ("IsDeleted", "boolean"),
    }
    assert (account.primary_key, account.cursor, account.table, account.entity) == (
        ("id",),
        "system_modstamp",
        "Account",
        "accounts",
    )
    assert [name for name, column in account.columns.items() if not column.nullable] == ["id"]
    assert change_time(account) == "system_modstamp", "the cursor is the time of the last change, unless updated_at is mapped"
    assert deleted(account).split("\n    ") == [
        "(",
        "_is_deleted",
        "or coalesce(is_deleted, false)",
        "or not coalesce(record_type_id = '012A', false)",
        "or not coalesce(is_person_account = false, false)\n)",
    ]


def test_personal_data_stay_marked() -> None:
    mapped = table("contacts", {"email": "Mail", "title": "Title", "first_name": {"from": "Who", "path": "first"}})
    assert [name for name, column in mapped.columns.items() if column.pii] == ["mail", "who"]


def test_a_column_that_is_a_text_and_a_time_is_loaded_as_both() -> None:
    mapped = table("deal_stage_history", {"history_id": {"key": ["Id", "Created"]}, "changed_at": "Created"})
    assert {name: column.type for name, column in mapped.columns.items() if column.source_name == "Created"} == {
        "created": "timestamp",
        "created_text": "string",
    }
    assert mapped.primary_key == ("organization_id", "id", "created_text")
    assert happened(mapped) == "(created < @as_of or created is null)"


def test_names_of_which_the_warehouse_keeps_nothing_are_kept_apart() -> None:
    mapped = table("accounts", {"name": "名前", "city": "都市"})
    names = {column.source_name: name for name, column in mapped.columns.items()}
    assert names["名前"] != names["都市"]
    assert all(name.isascii() and name.startswith("column_") for source, name in names.items() if not source.isascii())


def test_time_is_read_by_the_mapping() -> None:
    local = table("accounts", {"updated_at": {"from": "Changed", "timezone": "Europe/Berlin"}}, event_time=None)
    source_of = type("S", (), {"name": "shop", "dataset": "raw_shop"})()
    changed = "timestamp(datetime(changed), 'Europe/Berlin')"
    returned = "(_restored_at < @as_of or _restored_at is null)"
    assert visible(source_of, local) == f"({changed} < @as_of or {changed} is null) and {returned}"
    assert visible(source_of, table("accounts", {})) == "true"
    assert happened(table("deals", {})) == "true", "a time that the source lacks hides nothing"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("Changed", {"changed": datetime(2026, 7, 1, 9, 59, 59, 999999, UTC)}),
        ({"from": "Changed", "unit": "epoch_seconds"}, {"changed": 1782899999}),
        ({"from": "Changed", "unit": "epoch_milliseconds"}, {"changed": 1782899999999}),
        ({"from": "Changed", "unit": "epoch_microseconds"}, {"changed": 1782899999999999}),
        ({"from": "Changed", "timezone": "Europe/Berlin"}, {"changed": datetime(2026, 7, 1, 11, 59, 59, 999999, UTC)}),
        ({"first": ["Changed", "Created"]}, {"changed": datetime(2026, 7, 1, 9, 59, 59, 999999, UTC)}),
        (
            {"from": "Meta", "path": "times[1].changed"},
            {"meta": '{"times": [null, {"changed": "2026-07-01 09:59:59.999999+00:00"}]}'},
        ),
    ],
)
def test_a_tombstone_has_the_time_in_the_source_s_form(form: Any, expected: dict[str, Any]) -> None:
    mapped = table("accounts", {"updated_at": form}, event_time=None)
    assert times_at(mapped, datetime(2026, 7, 1, 9, 59, 59, 999999, UTC)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put(*ACCOUNT, "entity", value="acounts"), "account.entity: the contract has no entity 'acounts'. Did you mean accounts?"),
        (drop(*ACCOUNT, "entity"), "account.entity is missing: it says of which entity the mapped columns are. Did you mean accounts?"),
        (put(*COLUMNS, "nmae", value="Name"), "account.columns.nmae: accounts has no such column. Did you mean name?"),
        (drop(*COLUMNS, "account_id"), "account.columns: account_id is missing: it is part of the key"),
        (put(*COLUMNS, "account_id", value={"value": "a"}), "account.columns: the key organization_id, account_id is the same in every row"),
        (put(*COLUMNS, "account_id", value={"first": ["A", "B"]}), "account.columns.account_id: a part of the key comes from one column"),
        (put(*COLUMNS, "account_id", value={"from": "A", "path": "id"}), "account.columns.account_id: a part of the key comes from one"),
        (put(*COLUMNS, "name", value={}), "account.columns.name: expected a column of the source, or a mapping with one of value, first,"),
        (put(*COLUMNS, "name", value={"from": "A", "value": 1}), "account.columns.name: expected a column of the source, or a mapping with"),
        (put(*COLUMNS, "name", value={"source_name": "A"}), "account.columns.name: expected a column of the source, or a mapping with one"),
        (put(*COLUMNS, "name", value=7), "account.columns.name: expected a column of the source"),
        (put(*COLUMNS, "name", value={"value": None}), "account.columns.name.value: there is no value. Leave the column out"),
        (put(*COLUMNS, "status", "valeus", value={}), "account.columns.status.valeus: unknown key. Did you mean values?"),
        (put(*COLUMNS, "status", "values", value={"A": "activ"}), "account.columns.status: 'activ' is none of active, churned, inactive. Did you"),
        (put(*COLUMNS, "status", "values", value={" A": "active"}), "account.columns.status: values: ' A' has blanks around it"),
        (put(*COLUMNS, "status", "values", value={}), "account.columns.status.values: Dictionary should have at least 1 item"),
        (put(*COLUMNS, "status", "values", value={"A": None}), "account.columns.status: values: 'A' has no word of the platform"),
        (put(*COLUMNS, "status", "default", value="gone"), "account.columns.status: 'gone' is none of active, churned, inactive"),
        (put(*COLUMNS, "status", "unit", value="epoch_seconds"), "account.columns.status: `values` maps words, so it has neither a unit nor"),
        (put(*COLUMNS, "name", value={"from": "A", "default": "x"}), "account.columns.name: default is for words that `values` lacks"),
        (drop(*COLUMNS, "annual_revenue", "currency"), "account.columns.annual_revenue: `unit: minor` and `currency` belong together"),
        (put(*COLUMNS, "annual_revenue", "currency", value={"value": "Euro"}), "account.columns.annual_revenue: currency: 'Euro' is no ISO 4217"),
        (put(*COLUMNS, "annual_revenue", "unit", value="cents"), "account.columns.annual_revenue.unit: Input should be 'minor'"),
        (put(*COLUMNS, "name", value={"from": "A", "unit": "minor", "currency": "C"}), "account.columns.name: `unit: minor` is for amounts"),
        (put(*COLUMNS, "name", value={"from": "A", "unit": "epoch_seconds"}), "account.columns.name: `unit: epoch_seconds` is for times"),
        (put(*COLUMNS, "name", value={"from": "A", "timezone": "UTC"}), "account.columns.name: `timezone` is for times, and the column is a string"),
        (put(*COLUMNS, "created_at", value={"from": "A", "timezone": "Europe/Berln"}), "account.columns.created_at.timezone: 'Europe/Berln' is no IANA time zone. Did you mean Europe/Berlin?"),
        (put(*COLUMNS, "created_at", value={"from": "A", "timezone": "UTC", "unit": "epoch_seconds"}), "account.columns.created_at: a time in epoch units"),
        (put(*COLUMNS, "city", value={"from": "A", "where": {}}), "account.columns.city.where: Dictionary should have at least 1 item"),
        (put(*COLUMNS, "city", value={"from": "A", "where": {"B": [True, "x"]}}), "account.columns.city.where: B: expected a text, whole number, true, false or null"),
        (put(*COLUMNS, "city", value={"from": "A", "where": {"B": []}}), "account.columns.city.where: B: expected a text, whole number"),
        (put(*COLUMNS, "city", "path", value="a..b"), "account.columns.city.path: 'a..b' is no path: write keys joined by dots"),
        (put(*COLUMNS, "employee_count", value={"value": "many"}), "account.columns.employee_count: 'many' is no integer"),
        (put(*COLUMNS, "created_at", value={"value": "yesterday"}), "account.columns.created_at: 'yesterday' is no timestamp"),
        (put(*COLUMNS, "city", value={"value": "a\x00b"}), "account.columns.city: 'a\\x00b' has the control character"),
        (put(*COLUMNS, "employee_count", value={"key": ["A", "B"]}), "account.columns.employee_count: `key` builds a text, and the column is a integer"),
        (put(*COLUMNS, "signup_date", value="CreatedDate"), "account.columns.signup_date: CreatedDate is read as date here and as timestamp for columns.created_at. For the date, add the `timezone`"),
        (put(*COLUMNS, "employee_count", value="CreatedDate"), "account.columns.employee_count: CreatedDate is read as integer here and as timestamp for columns.created_at. Give the source a view"),
        (put(*COLUMNS, "city", value="Created_Date"), "account.columns.city: Created_Date and CreatedDate would both be created_date in the warehouse"),
        (put(*ACCOUNT, "cursor", value=None), "account.columns: updated_at is missing: it says which version of a row a run sees"),
        (put(*ACCOUNT, "event_time", value="updated"), "account.columns: updated is missing: it says when a row happened"),
        (put(*ACCOUNT, "where", value=["x"]), "account.where: expected columns of the source, each with its value or a list"),
        (put(*ACCOUNT, "where", value={"A": []}), "account.where.A: the list of values is empty"),
        (put(*ACCOUNT, "where", value={"A": ["x", 1.5]}), "account.where.A: 1.5 is no string"),
        (put(*ACCOUNT, "deleted_when", value={"column": "A"}), "account.deleted_when: expected a column of true and false, or {column: …, in: [values]}"),
        (put(*ACCOUNT, "mapping", value={}), "account.mapping: unknown key. A mapping is written below `columns`"),
        (put("id_prefix", value="a'b"), "id_prefix: String should match pattern"),
        (put(*ACCOUNT, "tabel", value="Account"), "account.tabel: unknown key"),
        (put("reader", value={"type": "files", "formats": ["csv"]}), ""),
    ],
)  # fmt: skip
def test_messages_name_the_key_and_the_remedy(tmp_path: Path, change: Change, expected: str) -> None:
    document = copy.deepcopy(GOOD)
    change(document)
    (tmp_path / "sf.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(SourceError) as caught:
        load_sources(tmp_path)
    start = f"sf.yml: tables.{expected}" if expected.startswith("account.") else f"sf.yml: {expected}"
    assert str(caught.value).startswith(start)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    document = copy.deepcopy(GOOD)
    put(*COLUMNS, "nmae", value="Name")(document)
    put(*COLUMNS, "status", "valeus", value={})(document)
    (tmp_path / "sf.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(SourceError) as caught:
        load_sources(tmp_path)
    assert len(str(caught.value).splitlines()) == 2


def test_paths() -> None:
    assert parts_of('lines[0]."unit.price".a b') == ["lines", 0, "unit.price", "a b"]
    assert json_path('lines[0]."unit.price".a b') == '$.lines[0]."unit.price"."a b"'
    for wrong in ("", ".a", "a.", "a..b", "a[x]", "a[0]b", 'a"b"', 'a."x\\"y"'):
        with pytest.raises(ValueError, match="path"):
            parts_of(wrong)


def test_a_mapping_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sf.yml").write_text(yaml.safe_dump(GOOD, sort_keys=False))
    assert main(["--folder", str(tmp_path), "mapping", "sf"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "accounts ← sf.Account (staging.stg_sf__account)"
    shown = dict(line.strip().split("  ← ", 1) for line in lines if "  ← " in line)
    assert {name.strip(): text for name, text in shown.items()} == {
        "account_id": "Id, after 'sf_'",
        "organization_id": "always 'org_1'",
        "name": "Name",
        "annual_revenue": "Revenue, in the smallest unit of the currency in Code",
        "status": "Status__c, Active → active, other words → inactive",
        "city": "Address at city",
        "created_at": "CreatedDate",
        "updated_at": "SystemModstamp",
    }
    assert "  only rows where IsPersonAccount is False" in lines
    assert "  deleted if IsDeleted is True" in lines
    assert next(line for line in lines if line.startswith("  unknown: ")).startswith("  unknown: parent_account_id, merged_into")
    assert lines[-1].startswith("  unknown: ")
    assert main(["--folder", str(tmp_path), "mapping", "sff"]) == 1
    assert "there is no source sff among sf. Did you mean sf?" in capsys.readouterr().err


def test_a_mapping_shows_what_it_lacks_of_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = copy.deepcopy(GOOD)
    columns = {"contact_id": "Id", "organization_id": {"value": "org_1"}}
    document["tables"] = {"contact": {"entity": "contacts", "table": "Contact", "cursor": "SystemModstamp", "columns": columns}}
    (tmp_path / "sf.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    assert main(["--folder", str(tmp_path), "mapping", "sf"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  unknown although the contract asks for it: account_id"
