"""A nightly run on landed tables: the views, the record of the loader's last sync, and the raw gate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.bigquery import Client

from include.ingestion import LoadError
from include.landed import load
from include.quality import run_gate
from include.quality.gate import GateBlocked
from include.run_context import RunContext
from include.settings import settings
from include.sources import Source, load_sources
from tests.warehouse import connected, rows

RUN = RunContext("nightly", datetime(2026, 10, 1, tzinfo=UTC))
FILE: dict[str, Any] = {
    "description": "A shop, landed by Airbyte.",
    "owner": "data_platform",
    "tier": "critical",
    "freshness": {"warn_after": "12h", "error_after": "24h"},
    "reader": {"type": "landed", "loader": "airbyte", "dataset": "landing"},
    "tables": {
        "companies": {
            "entity": "accounts",
            "columns": {"account_id": "Id", "organization_id": {"value": "o"}, "name": "Name", "employee_count": "Size"},
        },
        "people": {
            "entity": "contacts",
            "table": "Person",
            "columns": {"contact_id": "Id", "organization_id": {"value": "o"}, "account_id": "Company", "phone": "Phone"},
        },
    },
}
SYSTEM = "_airbyte_extracted_at timestamp, _airbyte_meta json, _airbyte_generation_id int64"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Client, Source]]:
    """Two companies that were synced at noon, and a person who was synced at six in the evening."""
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(FILE))
    monkeypatch.setenv("PLATFORM_SOURCES_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path / "dbt"))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch, "raw_shop") as bq:
        bq.create_dataset("landing", exists_ok=True)
        bq.query(
            f"create or replace table landing.companies (Id string, Name string, `Size` string, {SYSTEM});"
            f"create or replace table landing.Person (Id int64, Company string, {SYSTEM});"
            "insert into landing.companies values ('1', 'A', '10', timestamp '2026-09-30 12:00:00+00', json '{}', 0), "
            "('2', 'B', ' ', timestamp '2026-09-30 12:00:00+00', json '{}', 0);"
            "insert into landing.Person values (7, '1', timestamp '2026-09-30 18:00:00+00', json '{}', 0)"
        ).result()
        yield bq, load_sources()["shop"]
        for name in ("companies", "people"):
            bq.query(f"drop view if exists raw_shop.{name}").result()
    settings.cache_clear()


def test_a_load_copies_nothing_and_records_the_last_sync(shop: tuple[Client, Source]) -> None:
    bq, source = shop
    for _ in range(2):
        load(source, RUN)
        assert run_gate("raw_shop", RUN).message.splitlines()[1:] == [
            f"- warn: schema_as_agreed on ops.schema_changes: 1 rows. {_MISSING}"
        ]
    synced = datetime(2026, 9, 30, 18, tzinfo=UTC)
    assert rows("select table_name, rows_read, is_whole, loaded_at, extracted_at from ops.loads order by 1", bq) == [
        ("companies", 2, True, synced, synced),
        ("people", 1, True, synced, synced),
    ]
    assert {table.table_type for table in bq.list_tables("raw_shop")} == {"VIEW"}
    assert rows("select id, phone, _batch_id from raw_shop.people", bq) == [("7", None, "shop@2026-09-30T180000Z")]
    bq.query("insert into landing.companies values ('3', 'C', '', timestamp '2026-09-30 20:00:00+00', json '{}', 0)").result()
    assert rows("select count(*) from raw_shop.companies", bq) == [(3,)]


_MISSING = (
    "A column that the source's YAML reads or declares is missing or of another type, or the source sent one that a table without mapping "
    "does not declare. No value was lost: see ops.schema_changes. "
    "For example people|phone|missing_column."
)


@pytest.mark.parametrize(("day", "verdict"), [(1, "pass"), (2, "block")])
def test_an_old_sync_blocks(shop: tuple[Client, Source], day: int, verdict: str) -> None:
    """The last sync is of 30 September, 18:00. On 2 October that is more than 24 hours ago."""
    _, source = shop
    run = RunContext("nightly", datetime(2026, 10, day, tzinfo=UTC))
    load(source, run)
    if verdict == "pass":
        assert "loader" not in run_gate("raw_shop", run).message
    else:
        with pytest.raises(GateBlocked, match=r"loader_has_synced.*more than 24 hours older than the as-of time"):
            run_gate("raw_shop", run)


def test_what_cannot_be_read_and_what_the_loader_altered_are_named(shop: tuple[Client, Source]) -> None:
    bq, source = shop
    bq.query(
        "insert into landing.companies values ('3', 'C', 'many', timestamp '2026-09-30 12:00:00+00', "
        """json '{"changes": [{"field": "Name", "change": "TRUNCATED"}]}', 0)"""
    ).result()
    load(source, RUN)
    message = run_gate("raw_shop", RUN).message
    assert "values_are_readable_in_companies on raw_shop.companies: 1 rows" in message and "3|size" in message
    assert "loader_kept_values_in_companies on raw_shop.companies: 1 rows" in message and "3|1" in message
    assert rows("select size from raw_shop.companies order by id", bq) == [(10,), (None,), (None,)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("drop table landing.Person", "people: there is no table landing.Person. `table` is its name in the dataset"),
        ("alter table landing.Person drop column Id", "people: landing.Person has no column Id, which is part of the key"),
        (
            "alter table landing.Person drop column _airbyte_generation_id",
            "people: landing.Person has no column _airbyte_generation_id, which airbyte adds",
        ),
    ],
)
def test_a_table_that_is_not_as_its_file_says_stops_only_itself(shop: tuple[Client, Source], change: str, message: str) -> None:
    bq, source = shop
    bq.query(change).result()
    with pytest.raises(LoadError) as caught:
        load(source, RUN)
    assert str(caught.value) == f"1 of 2 tables of shop cannot be read:\n{message}"
    assert rows("select table_name from ops.loads", bq) == [("companies",)]


def test_a_loader_that_has_not_synced_yet_is_named(shop: tuple[Client, Source]) -> None:
    bq, source = shop
    bq.query("truncate table landing.companies; truncate table landing.Person").result()
    with pytest.raises(LoadError, match="the loader has not synced yet"):
        load(source, RUN)
