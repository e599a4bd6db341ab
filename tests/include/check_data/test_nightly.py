"""A nightly run writes what its raw tables hold, lack and break, whichever source a row's ids name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.bigquery import Client

from include.check_data.nightly import input_report, write_input_report
from include.ingestion import load
from include.run_context import RunContext
from include.settings import settings
from include.sources import SourceConnection, load_sources
from tests.include.check_data.test_loaded import source
from tests.warehouse import connected

NOW = datetime(2026, 10, 1, tzinfo=UTC)
RUN = RunContext("nightly", NOW)
SHOP = source(
    "shop",
    {
        "customer": {
            "entity": "accounts",
            "glob": "customer.csv",
            "where": {"Test": "no"},
            "columns": {
                "account_id": "Id",
                "organization_id": {"value": "o1"},
                "name": "Name",
                "domain": "Web",
                "city": "City",
                "status": {"from": "State", "values": {"Live": "active"}},
                "owner_user_id": "Owner",
                "updated_at": "Changed",
            },
        },
        "sale": {
            "entity": "orders",
            "glob": "sale.csv",
            "columns": {
                "order_id": "Id",
                "organization_id": {"value": "o1"},
                "account_id": "Customer",
                "currency": "Currency",
                "total_amount": "Total",
                "ordered_at": "Day",
                "updated_at": "Day",
            },
        },
    },
)
PEOPLE = source(
    "people",
    {
        "tenant": {
            "entity": "organizations",
            "glob": "tenant.csv",
            "columns": {"organization_id": "Id", "reporting_currency": "Currency", "updated_at": "Changed"},
        },
        "person": {
            "entity": "users",
            "glob": "person.csv",
            "columns": {"user_id": "Id", "organization_id": {"value": "o1"}, "full_name": "Name", "updated_at": "Changed"},
        },
        "firm": {
            "entity": "accounts",
            "glob": "firm.csv",
            "columns": {
                "account_id": "Id",
                "organization_id": {"value": "o1"},
                "domain": "Web",
                "updated_at": "Changed",
            },
        },
        "rate": {
            "entity": "fx_rates",
            "glob": "rate.csv",
            "columns": {"rate_date": "Day", "currency": "Currency", "rate_to_usd": "Rate"},
        },
    },
)
#: The rate of 1 May counts until 8 May. No sale is on the 100 days from 11 May to 18 August; before and after, one is on every day.
DAYS = [f"2026-05-{day:02}" for day in range(1, 11)] + [f"2026-08-{day}" for day in range(19, 31)]
FILES = {
    "customer.csv": "Id,Name,Web,State,Owner,Test,Changed,City\n"
    "1,A,,Live,u1,no,2026-01-01,\n"
    "2,B,c.example,Lead,u2,no,2026-01-01,\n"
    "3,,,lead,u2,no,2026-01-01,\n"
    "4,C,,Live,u3,yes,2026-01-01,\n",
    "sale.csv": "Id,Customer,Currency,Total,Day\n"
    + "".join(f"s{number},1,{'USD' if number else 'eur '},5,{day}\n" for number, day in enumerate(DAYS)),
    "tenant.csv": "Id,Currency,Changed\no1,EUR,2026-01-01\n",
    "person.csv": "Id,Name,Changed\nu1,P,2026-01-01\n",
    # The system people stands before the system shop, because its name does.
    "firm.csv": "Id,Web,Changed\nf1,b.example,2026-01-01\nf2,https://www.c.example/,2026-01-01\n",
    "rate.csv": "Day,Currency,Rate\n2026-05-01,EUR,1.1\n",
}


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name, declared in {"shop": SHOP, "people": PEOPLE}.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(declared))
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("PLATFORM_SOURCES_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch, "raw_shop", "raw_people") as bq:
        for name, declared in load_sources().items():
            load(declared, SourceConnection(name, extra={"url": tmp_path.as_uri()}), RunContext("test", NOW))
        yield bq
    settings.cache_clear()


def of(kind: str, found: list[dict[str, Any]]) -> set[tuple[object, ...]]:
    return {(row["table_name"], row["column_name"], row["row_count"], row["value"]) for row in found if row["kind"] == kind}


def test_what_the_raw_tables_hold_lack_and_break(loaded: Client) -> None:
    counts = write_input_report(RUN)
    found = input_report("nightly")
    assert sum(counts.values()) == len(found)
    assert {row["as_of"] for row in found} == {NOW}
    # The fourth customer is a test and no row.
    assert of("table", found) == {
        (name, None, rows, None)
        for name, rows in (("customer", 3), ("sale", 22), ("tenant", 1), ("person", 1), ("rate", 1), ("firm", 2))
    }
    assert of("missing_values", found) == {("customer", "name", 1, None), ("customer", "domain", 2, None)}
    assert of("empty", found) == {("customer", "city", 3, None)}
    assert of("unknown_word", found) == {("customer", "status", 2, "lead")}
    # The user of the first account is a row of the other source.
    assert of("orphan", found) == {("customer", "owner_user_id", 2, "u2")}
    # The sale in euros needs no rate. The dollars of nine days in May and twelve in August do; seven of these days have one.
    assert of("no_rate", found) == {("sale", "currency", 14, "EUR")}
    assert of("identity", found) == {(None, None, 1, "matched by domain"), (None, None, 2, "unmatched")}
    assert {row["source"] for row in found if row["kind"] == "identity"} == {"shop"}
    (gap,) = [row for row in found if row["kind"] == "gap"]
    assert (gap["table_name"], gap["first_at"], gap["last_at"], gap["row_count"]) == (
        "sale",
        datetime(2026, 5, 11, tzinfo=UTC),
        datetime(2026, 8, 18, tzinfo=UTC),
        100,
    )
    figures = {(row["entity"], row["column_name"]): row["figures"] for row in found if row["kind"] == "unknown_figure"}
    assert figures["subscriptions", None].startswith("MRR")
    assert figures["accounts", "region"] == "figures by region"
    assert ("accounts", "owner_user_id") not in figures
    lacks = {
        row["column_name"]: row["figures"] for row in found if row["kind"] == "unknown_column" and row["table_name"] == "customer"
    }
    assert lacks["region"] == "figures by region" and lacks["industry"] is None and "name" not in lacks


def test_a_rerun_replaces_the_report_and_an_unread_source_is_named(loaded: Client) -> None:
    write_input_report(RUN)
    before = len(input_report("nightly"))
    write_input_report(RUN)
    write_input_report(RunContext("next", NOW))
    assert len(input_report("nightly")) == len(input_report("next")) == before
    loaded.delete_table("raw_people.person")
    write_input_report(RUN)
    unread = {row["source"]: row["message"] for row in input_report("nightly") if row["kind"] == "not_checked"}
    # Ids of customers name people, so neither source can be checked in full.
    assert unread.keys() == {"people", "shop"} and "raw_people.person" in unread["people"]
