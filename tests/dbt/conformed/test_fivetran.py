"""The ready source files for Fivetran on tables that nobody here has written: the seeds of Fivetran's dbt packages.

Expected values are worked out by hand from `tests/data/fivetran`. `NOTICE` beside the files names their origin.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import yaml
from google.cloud import bigquery

from include.contract import TENANT, contract
from include.landed import load
from include.run_context import RunContext
from include.settings import ROOT, settings
from include.sources import load_sources
from tests.dbt.conformed.copies import AS_OF, Project, copy_dbt
from tests.warehouse import connected, rows

DATA = ROOT / "tests" / "data" / "fivetran"
EXAMPLES = ROOT / "include" / "sources" / "examples"
SYSTEMS = sorted(path.name for path in DATA.iterdir() if path.is_dir())
SYNCED = "_fivetran_synced"
RUN = RunContext("nightly", datetime.fromisoformat(AS_OF).replace(tzinfo=UTC))


def landed(path: Path) -> pa.Table:
    """A seed in the types in which a loader lands it. Some seeds lack the time of the sync, which Fivetran adds to every table."""
    padded = re.sub(r"(\d{4}-\d\d-\d\d) (\d:\d\d:\d\d)", r"\1 0\2", path.read_text(encoding="utf-8"))
    table = pa.csv.read_csv(
        io.BytesIO(padded.encode()), parse_options=pa.csv.ParseOptions(newlines_in_values=True), convert_options=OPTIONS
    )
    if SYNCED not in table.column_names:
        table = table.append_column(SYNCED, pa.array([datetime(2026, 9, 30, tzinfo=UTC)] * len(table)))
    return table.cast(pa.schema([(field.name, _type(field)) for field in table.schema]))


#: Arrow's types → the warehouse's.
NAMES = {
    pa.string(): "STRING",
    pa.int64(): "INT64",
    pa.float64(): "FLOAT64",
    pa.bool_(): "BOOL",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
    pa.date32(): "DATE",
}
OPTIONS = pa.csv.ConvertOptions(strings_can_be_null=True, true_values=["TRUE", "true"], false_values=["FALSE", "false"])


def _type(field: pa.Field) -> pa.DataType:
    if pa.types.is_timestamp(field.type):
        return pa.timestamp("us", "UTC")
    return pa.string() if pa.types.is_null(field.type) else field.type


def source_file(system: str) -> dict[str, Any]:
    """The ready file with the dataset of the test, and without the tables that the company lacks."""
    given: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{system}_fivetran.yml").read_text(encoding="utf-8"))
    given["reader"]["dataset"] = dataset(system)
    there = {path.stem for path in (DATA / system).glob("*.csv")}
    given["tables"] = {name: table for name, table in given["tables"].items() if table.get("table", name) in there}
    return given


def dataset(system: str) -> str:
    return f"fivetran_{system}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The conformed views of all four systems."""
    home = tmp_path_factory.mktemp("fivetran")
    sources = home / "sources"
    sources.mkdir()
    for system in SYSTEMS:
        (sources / f"{system}.yml").write_text(yaml.safe_dump(source_file(system), sort_keys=False))
    copy_dbt(home / "dbt", sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORM_SOURCES_DIR", str(sources))
        patch.setenv("PLATFORM_DBT_DIR", str(home / "dbt"))
        patch.setenv("DBT_GOLDEN_CASES", "0")
        with connected(patch, "staging", "conformed") as bq:
            for system in SYSTEMS:
                bq.create_dataset(f"raw_{system}", exists_ok=True)
                bq.create_dataset(dataset(system), exists_ok=True)
                for path in (DATA / system).glob("*.csv"):
                    put(bq, f"{dataset(system)}.{path.stem}", landed(path))
            for source in load_sources().values():
                load(source, RUN)
            project = Project(home / "dbt", bq)
            done = project.dbt("run", "--select", *(f"+conformed_{entity}" for entity in COUNTS))
            assert done.returncode == 0, done.stdout[-4000:]
            yield project
            for system in SYSTEMS:
                bq.delete_dataset(f"raw_{system}", delete_contents=True)
                bq.delete_dataset(dataset(system), delete_contents=True)
    settings.cache_clear()


def put(bq: bigquery.Client, name: str, table: pa.Table) -> None:
    columns = ", ".join(f"`{field.name}` {NAMES[field.type]}" for field in table.schema)
    bq.query(f"create or replace table {name} ({columns})").result()
    body = io.BytesIO()
    pa.parquet.write_table(table, body)
    body.seek(0)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    bq.load_table_from_file(body, f"{bq.project}.{name}", job_config=config).result()


COUNTS = {
    # One account of ten is not deleted, and one of twelve customers is.
    "accounts": {"hubspot": 24, "salesforce": 1, "stripe": 11, "zendesk": 10},
    "contacts": {"hubspot": 22, "salesforce": 4, "zendesk": 9},
    # Five of the ten users in Salesforce are deleted. One of the ten in Zendesk is an agent.
    "users": {"hubspot": 100, "salesforce": 5, "zendesk": 1},
    # All ten opportunities are deleted.
    "deals": {"hubspot": 44},
    "activities": {"hubspot": 1, "salesforce": 10},
    "products": {"salesforce": 2, "stripe": 10},
    "subscriptions": {"stripe": 14},
    # The other invoice is one of test mode.
    "invoices": {"stripe": 1},
    # Two of ten tickets are deleted.
    "tickets": {"zendesk": 8},
    "ticket_priority_changes": {"zendesk": 5},
}


@pytest.mark.parametrize("entity", COUNTS)
def test_rows_and_keys(built: Project, entity: str) -> None:
    key = next(name for name in contract()[entity].key if name != TENANT)
    shown = f"select source_system, count(*), count(distinct {key}) from conformed.conformed_{entity} group by 1"
    found = {row[0]: row[1:] for row in rows(shown, built.bq)}
    assert found == {system: (count, count) for system, count in COUNTS[entity].items()}


def test_tickets_and_their_priorities(built: Project) -> None:
    """Ticket 11071 has changed its priority four times, each time together with other fields."""
    assert rows(
        "select ticket_id, to_priority, changed_at from conformed.conformed_ticket_priority_changes order by 1, 3", built.bq
    ) == [
        ("zd_11071", "medium", datetime(2020, 8, 28, 11, 1, 27, tzinfo=UTC)),
        ("zd_11071", "medium", datetime(2020, 9, 30, 11, 1, 27, tzinfo=UTC)),
        ("zd_11071", "high", datetime(2020, 10, 15, 11, 1, 27, tzinfo=UTC)),
        ("zd_11071", "critical", datetime(2020, 11, 2, 11, 1, 27, tzinfo=UTC)),
        ("zd_980", "solved", datetime(2020, 2, 10, 22, 6, 57, tzinfo=UTC)),
    ]
    shown = "priority, status, channel, account_id, contact_id, assignee_user_id, created_at"
    assert rows(f"select {shown} from conformed.conformed_tickets where ticket_id = 'zd_11071'", built.bq) == [
        ("critical", "closed", "email", None, "zd_2222", "zd_1111", datetime(2020, 8, 28, 18, 6, 36, tzinfo=UTC))
    ]


def test_invoices_and_subscriptions(built: Project) -> None:
    """Amounts are in cents. The price of the item is not among those of the company, so its amount is unknown."""
    shown = "account_id, status, currency, total_amount, amount_paid, period_end"
    assert rows(f"select {shown} from conformed.conformed_invoices", built.bq) == [
        ("st_sdgfs84854", "paid", "USD", Decimal(10), Decimal(10), datetime(2021, 2, 19, 14, 16, 37, tzinfo=UTC))
    ]
    shown = "account_id, status, quantity, unit_amount, started_at, cancelled_at"
    item = "st_bea81c1795a612d8fc3a232b15646701"
    assert rows(f"select {shown} from conformed.conformed_subscriptions where subscription_id = '{item}'", built.bq) == [
        (
            "st_sdf6547",
            "active",
            1,
            None,
            datetime(2024, 7, 1, 10, tzinfo=UTC),
            datetime(2021, 2, 18, 14, 16, 37, tzinfo=UTC),
        )
    ]


def test_accounts_people_and_activities(built: Project) -> None:
    """The times of a call are in a table of its own."""
    shown = "account_id, account_name, annual_revenue, country, account_type"
    picked = "account_id in ('hs_2182162682', 'sf_0015500000Xyy06AAB')"
    assert rows(f"select {shown} from conformed.conformed_accounts where {picked} order by 1", built.bq) == [
        ("hs_2182162682", "4b2c13cca3eb58ee49bbddcf00417130", Decimal(10_000_000), "United States", None),
        ("sf_0015500000Xyy06AAB", "Eric's Test", None, None, "prospect"),
    ]
    shown = "activity_type, account_id, contact_id, completed_at, created_at"
    assert rows(f"select {shown} from conformed.conformed_activities where source_system = 'hubspot'", built.bq) == [
        (
            "call",
            None,
            "hs_501",
            datetime(2014, 8, 27, 20, 50, 44, 778000, tzinfo=UTC),
            datetime(2022, 3, 1, 19, 43, 5, 526000, tzinfo=UTC),
        )
    ]
    shown = "account_id, phone, title, status"
    assert rows(f"select {shown} from conformed.conformed_contacts where contact_id = 'sf_0031G00000q9jPQAQ'", built.bq) == [
        ("sf_0011G00000eM9wvQAC", "(555) 555-5555", "Daa Science Direcor", "active")
    ]


def test_a_day_that_is_landed_as_an_instant(built: Project) -> None:
    assert rows("select min(date(close_date)), max(date(close_date)) from raw_salesforce.opportunity", built.bq) == [
        (date(2018, 10, 31), date(2018, 12, 19))
    ]


def test_columns_that_the_tables_lack_are_named(built: Project) -> None:
    found = rows("select column_name from ops.schema_changes where table_name = 'account' order by 1", built.bq)
    assert [name for (name,) in found] == ["created_date", "currency_iso_code", "system_modstamp"]
