"""Source files of landed tables: what follows from the loader, and the message of each mistake."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.sources import Source, SourceError, load_source

FILE: dict[str, Any] = {
    "description": "A shop, landed by a loader.",
    "owner": "tests",
    "tier": "low",
    "freshness": {"warn_after": "26h", "error_after": "50h"},
    "reader": {"type": "landed", "loader": "fivetran", "dataset": "landing"},
    "tables": {
        "account": {
            "entity": "accounts",
            "columns": {"account_id": "id", "organization_id": {"value": "o"}, "name": "name", "created_at": "created"},
        }
    },
}


def source(folder: Path, *changes: tuple[str, Any]) -> Source:
    """The source of the file after changes, each a path of keys and a value. None removes the key."""
    document = copy.deepcopy(FILE)
    for path, value in changes:
        place: Any = document
        *keys, last = path.split("/")
        for key in keys:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    file = folder / "shop.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return load_source(file)


@pytest.mark.parametrize(
    ("loader", "changes", "cursor", "event_time"),
    [
        ("fivetran", [], None, "created_at"),
        ("fivetran", [("tables/account/columns/created_at", None)], None, "none"),
        ("fivetran", [("tables/account/history", True)], "fivetran_start", None),
        ("airbyte", [("tables/account/history", True)], "airbyte_extracted_at", None),
        ("airbyte", [("tables/account/history", True), ("tables/account/cursor", "updated")], "updated", None),
        ("stitch", [("defaults", {"history": True})], "sdc_received_at", None),
        ("dlt", [("tables/account/cursor", "updated")], "updated", "created_at"),
    ],
)
def test_the_time_of_a_version_follows_from_the_loader(
    tmp_path: Path, loader: str, changes: list[tuple[str, Any]], cursor: str | None, event_time: str | None
) -> None:
    table = source(tmp_path, ("reader/loader", loader), *changes).tables["account"]
    assert (table.cursor, table.event_time, table.by_delivery) == (cursor, event_time, False)


def test_events_keep_their_time_and_count_whenever_the_loader_has_read_them(tmp_path: Path) -> None:
    events = {"entity": "usage_events", "columns": {"event_id": "id", "organization_id": {"value": "o"}, "occurred_at": "at"}}
    table = source(tmp_path, ("tables/account", events)).tables["account"]
    assert (table.event_time, table.by_delivery) == ("occurred_at", False)


def test_a_table_without_columns_has_those_of_the_contract(tmp_path: Path) -> None:
    table = source(tmp_path, ("tables/account", {"entity": "accounts", "history": True})).tables["account"]
    assert set(table.primary_key) == {"account_id", "organization_id"}
    assert "updated_at" not in table.columns and table.cursor == "fivetran_start"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("connection", "shop")], "shop.yml: connection: landed tables are in the warehouse: remove it"),
        ([("reader/loader", "fivetrain")], "shop.yml: reader.loader: Input should be 'fivetran', 'airbyte', 'stitch' or 'dlt'"),
        ([("reader/dataset", "a-b")], "shop.yml: reader.dataset: String should match pattern"),
        ([("tables/account/glob", "*")], "shop.yml: tables.account.glob is for files readers; this one is landed"),
        (
            [("tables/account/detect_deletes", True)],
            "shop.yml: tables.account: overlap, detect_deletes and max_deleted_share are for",
        ),
        (
            [("tables/account/history", True), ("tables/account/columns/updated_at", "modified")],
            "shop.yml: tables.account.updated_at: remove it: _fivetran_start is the time of each version",
        ),
        (
            [("reader/loader", "dlt"), ("tables/account/history", True)],
            "shop.yml: tables.account.cursor: is missing: it orders the versions that dlt keeps",
        ),
        ([("tables/account/columns/industry", "kind.name")], "shop.yml: tables.account.columns: kind.name: `joins` has no kind"),
        (
            [("tables/account/joins", {"kind": {"table": "kind", "key": {"id": "other.id"}}})],
            "shop.yml: tables.account: joins.kind.key: other.id is of no earlier join",
        ),
        (
            [("tables/account/joins", {"landed": {"table": "kind", "key": {"id": "kind_id"}}})],
            "shop.yml: tables.account: joins.landed: the name is taken",
        ),
        (
            [("tables/account/joins", {"kind": {"table": "a`b", "key": {"id": "kind_id"}}})],
            "shop.yml: tables.account.joins.kind.table: String should match pattern",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, changes: list[tuple[str, Any]], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        source(tmp_path, *changes)
    assert str(caught.value).startswith(message)


def test_tables_of_other_readers_have_neither_history_nor_joins(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"tables\.account\.history is for landed readers; this one is sql"):
        source(
            tmp_path,
            ("reader", {"type": "sql", "schema": "shop"}),
            ("connection", "shop"),
            ("tables/account/history", True),
            ("tables/account/cursor", "modified"),
        )
