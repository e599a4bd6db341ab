"""Source files: their schema, and the messages for invalid files."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.demo.schema import TABLES
from include.sources import SourceError, load_sources
from include.terms import NIGHTLY_SCHEDULE

GOOD: dict[str, Any] = {
    "description": "A source.",
    "owner": "someone",
    "tier": "low",
    "schedule": "0 2 * * *",
    "connection": "shop",
    "freshness": {"warn_after": "26h", "error_after": "2d"},
    "reader": {"type": "sql", "schema": "shop"},
    "defaults": {"cursor": "changed_at", "overlap": "90m"},
    "tables": {
        "items": {
            "description": "One row per item.",
            "primary_key": ["id"],
            "columns": {
                "id": {"type": "string", "description": "Identifies the item.", "nullable": False},
                "price": {"type": "decimal", "description": "Price of the item.", "source_name": "Price (EUR)"},
                "changed_at": {"type": "timestamp", "description": "Time of the last change."},
            },
        }
    },
}


def problem(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The error message for a valid file after one change."""
    document = copy.deepcopy(GOOD)
    change(document)
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document))
    with pytest.raises(SourceError) as caught:
        load_sources(tmp_path)
    return str(caught.value)


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


ITEMS = ("tables", "items")
REST = {
    "type": "rest",
    "paginator": {"kind": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put("owner_email", value="x"), "shop.yml: owner_email: unknown key"),
        (lambda d: d.pop("owner"), "shop.yml: owner: is missing"),
        (put(*ITEMS, "columns", "id", "pi", value=True), "shop.yml: tables.items.columns.id.pi: unknown key"),
        (put(*ITEMS, "columns", "id", "type", value="text"), "shop.yml: tables.items.columns.id.type: Input should be 'string'"),
        (put("reader", "schemas", value="x"), "shop.yml: reader.schemas: unknown key"),
        (put("reader", "type", value="soap"), "shop.yml: reader: Input tag 'soap'"),
        (put("freshness", "warn_after", value="26"), "shop.yml: freshness.warn_after: '26' is not a duration"),
        (put("freshness", "warn_after", value="3d"), "shop.yml: freshness: warn_after is longer than error_after"),
        (put("schedule", value="nightly"), "shop.yml: schedule 'nightly' is not a cron expression"),
        (put("tier", value="gold"), "shop.yml: tier: Input should be 'low'"),
        (put("defaults", "cursors", value="x"), "shop.yml: defaults.cursors: "),
        (put(*ITEMS, "primary_key", value=["key"]), "shop.yml: tables.items: primary_key names key, which is not a column"),
        (put(*ITEMS, "primary_key", value=["price"]), "shop.yml: tables.items: primary_key column price is a decimal"),
        (
            put(*ITEMS, "columns", "organization_id", value={"type": "string", "description": "The tenant."}),
            "shop.yml: tables.items: primary_key lacks organization_id: two tenants may use the same id",
        ),
        (put(*ITEMS, "cursor", value="id"), "shop.yml: tables.items: cursor column id must be a timestamp"),
        (put(*ITEMS, "cursor", value="at"), "shop.yml: tables.items: cursor names at, which is not a column"),
        (put(*ITEMS, "event_time", value="at"), "shop.yml: tables.items: event_time names at, which is not a column"),
        (
            put(*ITEMS, "event_time", value="price"),
            "shop.yml: tables.items: event_time column price must be a timestamp or a date",
        ),
        (put(*ITEMS, "happens_at", value="at"), "shop.yml: tables.items: happens_at names at, which is not a column"),
        (put(*ITEMS, "happens_at", value="price"), "shop.yml: tables.items: happens_at column price must be a timestamp"),
        (put("defaults", "cursor", value=None), "shop.yml: tables.items: event_time is missing: name the column that says when"),
        (put(*ITEMS, "by_delivery", value="late"), "shop.yml: tables.items.by_delivery: Input should be a valid boolean"),
        (put(*ITEMS, "refresh_every", value="daily"), "shop.yml: tables.items.refresh_every: 'daily' is not a duration"),
        (put(*ITEMS, "refresh_every", value="0m"), "shop.yml: tables.items.refresh_every: "),
        (put("defaults", "refresh_every", value="1"), "shop.yml: defaults.refresh_every: "),
        (put(*ITEMS, "glob", value="*"), "shop.yml: tables.items.glob is for files readers; this one is sql"),
        (put("reader", value={"type": "files", "formats": ["csv"]}), "shop.yml: tables.items.glob is missing"),
        (put("reader", value={"type": "files", "formats": ["xls"]}), "shop.yml: reader.formats.0: Input should be 'csv'"),
        (put("reader", value=REST | {"auth": "oauth"}), "shop.yml: reader.auth: Input should be 'none'"),
        (
            put("reader", value=REST | {"allowed_hosts": ["https://x.example"]}),
            "shop.yml: reader.allowed_hosts.0: String should match",
        ),
        (put("max_volume_drop", value=1), "shop.yml: max_volume_drop: Input should be less than 1"),
        (put(*ITEMS, "may_be_empty", value="perhaps"), "shop.yml: tables.items.may_be_empty: Input should be a valid boolean"),
        (put("tables", value={"Items": GOOD["tables"]["items"]}), "shop.yml: tables.Items: String should match pattern"),
    ],
)
def test_messages_name_file_and_key(tmp_path: Path, change: Any, expected: str) -> None:
    assert problem(tmp_path, change).startswith(expected)


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["owner"] = "Not Allowed"
        document["tables"]["items"]["columns"]["id"]["colour"] = "red"

    (tmp_path / "broken.yml").write_text("owner: [")
    (tmp_path / "twice.yml").write_text("owner: a\nowner: b\n")
    (tmp_path / "list.yml").write_text("- a\n")
    message = problem(tmp_path, change).splitlines()
    assert message[0].startswith("broken.yml line ")
    assert message[1] == "list.yml: expected a mapping with owner, reader, tables, …"
    assert message[2].startswith("shop.yml: owner: String should match pattern")
    assert message[3] == "shop.yml: tables.items.columns.id.colour: unknown key"
    assert message[4] == "twice.yml line 2: the key 'owner' is given twice"


def test_defaults_and_names(tmp_path: Path) -> None:
    document = copy.deepcopy(GOOD)
    document["tables"]["fixed"] = document["tables"]["items"] | {"cursor": None, "event_time": "none"}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document))
    source = load_sources(tmp_path)["shop"]
    assert (source.name, source.dataset) == ("shop", "raw_shop")
    items = source.tables["items"]
    assert (items.name, items.cursor, items.overlap) == ("items", "changed_at", timedelta(minutes=90))
    assert items.columns["price"].name == "price"
    assert (source.tables["fixed"].cursor, source.tables["fixed"].overlap) == (None, timedelta(0))


@pytest.mark.parametrize(
    ("keys", "updated_at", "changed_at", "event_time"),
    [
        ({}, "timestamp", "changed_at", "changed_at"),
        ({"cursor": None}, "timestamp", "updated_at", "updated_at"),
        ({"cursor": None, "event_time": "bought_on"}, "date", None, "bought_on"),
        ({"event_time": "bought_on"}, "date", "changed_at", "bought_on"),
        ({"event_time": "none"}, "timestamp", "changed_at", None),
    ],
)
def test_event_time(
    tmp_path: Path, keys: dict[str, Any], updated_at: str, changed_at: str | None, event_time: str | None
) -> None:
    document = copy.deepcopy(GOOD)
    document["tables"]["items"] |= keys
    columns = {"updated_at": updated_at, "bought_on": "date"}
    document["tables"]["items"]["columns"] |= {name: {"type": kind, "description": "A time."} for name, kind in columns.items()}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document))
    items = load_sources(tmp_path)["shop"].tables["items"]
    assert (items.changed_at, items.event_column and items.event_column.name) == (changed_at, event_time)


def test_without_a_schedule_a_source_is_loaded_for_the_nightly_run(tmp_path: Path) -> None:
    document = copy.deepcopy(GOOD)
    document.pop("schedule")
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document))
    assert load_sources(tmp_path)["shop"].schedule == NIGHTLY_SCHEDULE


def test_refresh_every(tmp_path: Path) -> None:
    document = copy.deepcopy(GOOD)
    document["tables"] |= {"slow": document["tables"]["items"] | {"refresh_every": "24h"}}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document))
    tables = load_sources(tmp_path)["shop"].tables
    quarter, hour, day = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
    assert [tables["items"].is_loaded_every(interval) for interval in (quarter, hour, day)] == [True, True, True]
    assert [tables["slow"].is_loaded_every(interval) for interval in (quarter, hour, day)] == [False, False, True]
    document["defaults"]["refresh_every"] = "1h"
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(document))
    tables = load_sources(tmp_path)["shop"].tables
    assert [tables["items"].is_loaded_every(interval) for interval in (quarter, hour, day)] == [False, True, True]
    assert not tables["slow"].is_loaded_every(hour), "the table's own value takes precedence"


def test_the_platforms_sources_are_the_contract() -> None:
    """Every table and column of the contract is declared in the right source, with its type and nullability.

    A local time is loaded as text, so that one that cannot be read reaches staging.
    """
    sources = load_sources()
    assert list(sources) == ["billing", "crm", "product", "reference", "support"]
    declared = {
        (source.name, table.name): (
            table.primary_key,
            [(column.name, column.type, column.nullable) for column in table.columns.values()],
        )
        for source in sources.values()
        for table in source.tables.values()
    }
    contract = {
        (table.system, table.name): (
            table.key,
            [(c.name, "string" if c.type == "time" else c.type, not c.required) for c in table.columns],
        )
        for table in TABLES.values()
    }
    assert declared == contract
    pii = {f"{t.name}.{c.name}" for s in sources.values() for t in s.tables.values() for c in t.columns.values() if c.pii}
    assert {"contacts.email", "contacts.phone", "users.full_name", "survey_responses.comment"} <= pii


def test_a_source_with_some_of_its_tables() -> None:
    crm = load_sources()["crm"]
    some = crm.only({"leads", "accounts"}, overlap=timedelta(hours=1))
    assert (some.name, some.dataset, list(some.tables)) == ("crm", "raw_crm", ["accounts", "leads"])
    assert (some.tables["leads"].name, some.tables["leads"].overlap) == ("leads", timedelta(hours=1))
    assert crm.only({"leads"}, overlap=timedelta(days=9)).tables["leads"].overlap == timedelta(hours=24), (
        "the overlap never grows"
    )
    assert (len(crm.tables), crm.tables["leads"].overlap) == (14, timedelta(hours=24)), "the source itself is unchanged"
    with pytest.raises(KeyError, match="crm has no table cakes"):
        crm.only({"leads", "cakes"})


def test_import_is_light() -> None:
    """Every parse of the DAG files imports these packages, so they must not import heavy libraries."""
    code = (
        "import sys, time, pydantic, pydantic.main, yaml\n"
        "from pydantic import BaseModel\n"
        "class Warm(BaseModel): x: int\n"
        "started = time.process_time()\n"
        "import include.ingestion, include.sources\n"
        "include.sources.load_sources()\n"
        "took = time.process_time() - started\n"
        "heavy = {'dlt', 'airflow', 'pandas', 'pyarrow', 'sqlalchemy', 'requests', 'google.cloud.bigquery'} & set(sys.modules)\n"
        "print(took, sorted(heavy))\n"
        "sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
