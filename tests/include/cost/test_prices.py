"""Bills, compared with bytes and dollars computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from include.cost.prices import MIB, TIB, Bill, bill, share
from include.cost.sizes import Size

# 100 million rows: a date takes 800 MB; a quarter of the rows lie in January.
EVENTS = Size(100, {"day": 8 * MIB, "note": 400 * MIB, "props": 900 * MIB}, {"2026-01-01": 25, "2026-02-01": 75}, "MONTH")
SIZES = {"d.events": EVENTS, "d.orgs": Size(3, {"org": 30, "name": 60})}


def statement(**billed: dict[str, Any]) -> dict[str, Any]:
    return {"billed": {f"d.{name}": read for name, read in billed.items()}}


def read(*columns: str, ranges: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {"columns": list(columns), "ranges": ranges or [{}]}


def test_columns_are_read_whole_and_a_small_table_costs_the_minimum() -> None:
    found = bill(statement(events=read("day", "note"), orgs=read("org")), SIZES)
    # 8 + 400 MiB of events, 30 bytes of orgs, which are billed as 10 MiB.
    assert found == Bill(bytes=418 * MIB, processed=408 * MIB + 30, tables=2)


def test_partitions_that_a_constant_leaves_out_are_not_read() -> None:
    found = bill(statement(events=read("day", "note", ranges=[{"from": "2026-02-10"}])), SIZES)
    assert found.bytes == 306 * MIB  # three quarters of 408


def test_a_statement_without_tables_is_free() -> None:
    assert bill(statement(), SIZES) == Bill()


def test_an_unknown_table_counts_the_minimum() -> None:
    assert bill(statement(columns=read("x")), SIZES) == Bill(10 * MIB, 0, 1)


def test_a_temporary_table_of_dbt_has_the_size_of_its_target() -> None:
    assert bill(statement(events__dbt_tmp=read("note")), SIZES).bytes == 400 * MIB
    assert bill(statement(events__dbt_tmp_123456=read("note")), SIZES).bytes == 400 * MIB


def test_a_tebibyte_has_the_price_of_google() -> None:
    assert Bill(TIB // 2, 0, 1).dollars == 3.125


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([{}], 1.0),
        ([{"from": "2026-01-31"}], 1.0),  # the last day of January touches its partition
        ([{"from": "2026-02-01"}], 0.75),
        ([{"to": "2026-01-31"}], 0.25),
        ([{"from": "2026-03-01"}], 0.0),
        ([{"from": "2026-01-05", "to": "2026-01-05"}], 0.25),
        ([{"from": "2026-01-05", "to": "2026-01-05"}, {"from": "2026-02-05", "to": "2026-02-05"}], 1.0),
        ([{"to": "2026-01-31"}, {}], 1.0),  # the statement reads the table a second time, whole
        ([{"from": "?"}], 1.0),
        ([{"from": "?", "to": "2026-01-31"}], 0.25),
    ],
)
def test_the_share_of_rows_in_the_partitions_that_are_touched(ranges: list[dict[str, str]], expected: float) -> None:
    assert share(ranges, EVENTS) == expected


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([{"from": "__NULL__", "to": "__NULL__"}], 0.2),
        ([{"from": "__NULL__", "to": "__NULL__"}, {"from": "2026-02-01", "to": "2026-02-28"}], 0.8),
        ([{"from": "2020-01-01"}], 0.8),  # no value lies in no range
        ([{}], 1.0),
    ],
)
def test_rows_without_a_value_are_a_partition_of_their_own(ranges: list[dict[str, str]], expected: float) -> None:
    tickets = Size(100, {}, {"2026-01-01": 20, "2026-02-01": 60, "__NULL__": 20}, "MONTH")
    assert share(ranges, tickets) == expected


def test_partitions_of_a_day_end_with_it() -> None:
    daily = Size(4, {}, {"2026-01-01": 1, "2026-01-02": 3}, "DAY")
    assert share([{"from": "2026-01-02"}], daily) == 0.75


def test_a_table_without_known_partitions_is_read_whole() -> None:
    assert share([{"from": "2026-01-02", "to": "2026-01-02"}], Size(4, {})) == 1.0
