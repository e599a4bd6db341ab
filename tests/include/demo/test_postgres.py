"""The CRM database: real types, the exact rows of the company, and no writes to unchanged rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg2
import pyarrow as pa
import pytest

from include.demo import Company
from include.demo.postgres import Synced, sync
from include.demo.schema import tables_of

ROWS = "select * from crm.{} order by 1"


@pytest.fixture
def ask(postgres_url: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Runs a query on the CRM in UTC. The schema is dropped before and after the test."""
    connection = psycopg2.connect(postgres_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'; drop schema if exists crm cascade")

        def run(query: str) -> list[tuple[Any, ...]]:
            cursor.execute(query)
            return list(cursor.fetchall())

        yield run
        cursor.execute("drop schema if exists crm cascade")
    connection.close()


Ask = Callable[[str], list[tuple[Any, ...]]]
CompanyAt = Callable[[str], Company]


def expected(company: Company, table: str) -> list[tuple[Any, ...]]:
    rows = [tuple(row.values()) for row in company.tables[table].to_pylist()]
    return sorted(rows, key=lambda row: str(row[0]))


def assert_contains(ask: Ask, company: Company) -> None:
    for table in tables_of("crm"):
        assert ask(ROWS.format(table.name)) == expected(company, table.name), table.name


def test_a_sync_gives_the_exact_rows_and_does_not_write_unchanged_ones(
    company_at: CompanyAt, postgres_url: str, ask: Ask
) -> None:
    first, second = company_at("2026-10-01"), company_at("2026-10-02")
    total = sum(first.tables[table.name].num_rows for table in tables_of("crm"))
    assert sync(first, postgres_url) == Synced(inserted=total)
    assert_contains(ask, first)
    stamps = dict(ask("select deal_id, xmin::text from crm.deals"))
    assert sync(first, postgres_url) == Synced()
    assert dict(ask("select deal_id, xmin::text from crm.deals")) == stamps
    change = sync(second, postgres_url)
    assert change.inserted > 0
    assert change.updated > 0
    assert change.deleted >= 2
    assert_contains(ask, second)
    sync(first, postgres_url)
    assert_contains(ask, first)


def test_types_and_primary_keys_are_declared(company_at: CompanyAt, postgres_url: str, ask: Ask) -> None:
    sync(company_at("2026-10-01"), postgres_url)
    types = dict(
        ask("select column_name, data_type from information_schema.columns where table_schema = 'crm' and table_name = 'deals'")
    )
    assert types["amount"] == "numeric"
    assert types["closed_at"] == "timestamp with time zone"
    assert types["expected_close_date"] == "date"
    constraints = ask(
        "select constraint_type, count(*) from information_schema.table_constraints"
        " where table_schema = 'crm' and constraint_type <> 'CHECK' group by 1"
    )
    assert constraints == [("PRIMARY KEY", len(tables_of("crm")))]
    assert ask("select amount::text from crm.deals limit 1")[0][0].count(".") == 1


def test_an_extra_column_is_added_and_dropped_with_the_company(company_at: CompanyAt, postgres_url: str, ask: Ask) -> None:
    plain = company_at("2026-10-01")
    facilities = plain.tables["facilities"]
    notes = pa.array(['ünïcode \\N \\. "x"\nnew line'] + [None] * (facilities.num_rows - 1), pa.string())
    extended = replace(plain, tables={**plain.tables, "facilities": facilities.append_column('a "note"', notes)})
    sync(plain, postgres_url)
    assert sync(extended, postgres_url).updated == 1
    assert ask('select "a ""note""" from crm.facilities where "a ""note""" is not null') == [(notes[0].as_py(),)]
    sync(plain, postgres_url)
    assert_contains(ask, plain)


def test_a_failed_sync_changes_nothing(company_at: CompanyAt, postgres_url: str, ask: Ask) -> None:
    plain, next_day = company_at("2026-10-01"), company_at("2026-10-02")
    sync(plain, postgres_url)
    checks = next_day.tables["compliance_checks"]
    new = checks.slice(0, 1).set_column(0, "check_id", pa.array(["new"]))
    twice = replace(next_day, tables={**next_day.tables, "compliance_checks": pa.concat_tables([checks, new, new])})
    with pytest.raises(OSError, match="duplicate key"):
        sync(twice, postgres_url)
    assert_contains(ask, plain)


def test_an_unreachable_database_gives_one_sentence(company_at: CompanyAt) -> None:
    with pytest.raises(OSError, match=r"The CRM database failed: .*port 1 failed"):
        sync(company_at("2026-10-01"), "postgresql://postgres@127.0.0.1:1/none")
