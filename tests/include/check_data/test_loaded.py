"""The raw tables of a source are checked by the contract, whichever source a row's ids name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from google.cloud.bigquery import Client

from include.check_data.__main__ import main
from include.check_data.loaded import check_source
from include.check_data.render import verdict
from include.ingestion import load
from include.run_context import RunContext
from include.settings import settings
from include.sources import SourceConnection, SourceError, load_sources
from tests.warehouse import connected

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FRESH = {"warn_after": "26h", "error_after": "50h"}


def source(name: str, tables: dict[str, object]) -> dict[str, object]:
    return {
        "description": f"Files of {name}.",
        "owner": "data_platform",
        "tier": "medium",
        "connection": name,
        "freshness": FRESH,
        "reader": {"type": "files", "formats": ["csv"]},
        "tables": tables,
    }


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
                "status": {"from": "State", "values": {"Live": "active"}},
                "annual_revenue": {"from": "Cents", "unit": "minor", "currency": {"value": "USD"}},
                "owner_user_id": "Owner",
                "updated_at": "Changed",
            },
        }
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
    },
)
FILES = {
    "customer.csv": "Id,Name,State,Cents,Owner,Test,Changed\n"
    "1,A,Live,1250,u1,no,2026-01-01\n"
    "2,B,Lead,,u2,no,2026-01-01\n"
    "3,C,Live,,u3,yes,2026-01-01\n",
    "tenant.csv": "Id,Currency,Changed\no1,USD,2026-01-01\n",
    "person.csv": "Id,Name,Changed\nu1,P,2026-01-01\n",
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


def test_a_source(loaded: Client) -> None:
    report = check_source("shop", NOW)
    (accounts,) = report.tables
    # The third customer is a test and no row.
    assert (accounts.table, accounts.file, accounts.rows, accounts.nulls["annual_revenue"]) == (
        "accounts",
        "raw_shop.customer",
        2,
        0.5,
    )
    found = {(each.kind, each.column): (each.count, each.file, each.message) for each in report.findings}
    assert found["unknown_word", "status"] == (1, "customer.csv", '"Lead" is no known word')
    # The user of the first account is a row of the other source.
    assert found["orphan", "owner_user_id"] == (1, "customer.csv", '"u2" is not in users')
    assert "industry" in found["unknown_column", None][2]
    assert {kind for kind, _ in found} == {"unknown_word", "orphan", "unknown_column"}
    assert report.identities == []
    lost = {(each.table, each.column): each.figures for each in report.unknown_figures}
    assert lost["accounts", "region"] == "figures by region" and ("orders", None) not in lost
    assert not report.blocked
    assert verdict(report) == "2 rows in 1 of 1 tables. 3 findings make figures unknown or wrong."
    with pytest.raises(SourceError, match=r"there is no source shopp among people, shop\. Did you mean shop\?"):
        check_source("shopp", NOW)


def test_another_source_need_not_be_loaded(loaded: Client, capsys: pytest.CaptureFixture[str]) -> None:
    loaded.delete_table("raw_people.person")
    report = check_source("shop", NOW)
    assert report.notes == ["raw_people.person is not loaded yet: what names users is not checked"]
    assert {each.kind for each in report.findings} == {"unknown_word", "unknown_column"}
    (word,) = [each for each in report.findings if each.kind == "unknown_word"]
    assert (word.remedy, word.words) == ("add the word to `values` of its column in shop.yml", (("Lead", None),))
    assert main(["--source", "people"]) == 2
    assert capsys.readouterr().err.startswith("Failed a source is not loaded yet: ")
