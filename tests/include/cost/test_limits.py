"""The limits and the first one that is reached, compared with numbers computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from include.cost.limits import Limit, limits
from include.cost.prices import GIB
from include.cost.sizes import Size
from include.cost.work import Work


def load(target: str) -> dict[str, Any]:
    return {"kind": "load", "target": target, "error": None, "labels": {}, "origin": "", "sql": "", "statements": []}


def query(sql: str, kind: str, target: str | None, *tables: str) -> dict[str, Any]:
    billed = {table: {"columns": ["n"], "ranges": [{}]} for table in tables}
    statements = [{"kind": kind, "target": target, "billed": billed}]
    return {
        "kind": "query",
        "target": None,
        "error": None,
        "labels": {"node": "m"},
        "origin": "",
        "sql": sql,
        "statements": statements,
    }


SIZES = {
    "raw_product.events": Size(100_000, {"n": 2 * GIB}, {f"2026-01-{day:02}": 1 for day in range(1, 32)}, "DAY"),
    "core.usage": Size(10, {"n": GIB}, {"2026-01-01": 5, "2026-02-01": 5}, "MONTH"),
}
WORKS = [
    Work(
        "nightly run",
        1,
        [load("raw_product.events"), query("select 12", "CREATE_TABLE_AS_SELECT", "core.usage", "raw_product.events")],
    ),
    Work("refresh_hourly", 24, [load("raw_product.events"), query("s", "SELECT", None, "core.usage", "raw_product.events")]),
]


@pytest.fixture
def found() -> dict[str, Limit]:
    return {limit.name: limit for limit in limits(WORKS, SIZES, cap=30 * GIB)}


def test_the_limit_that_growth_reaches_first_comes_first() -> None:
    first = limits(WORKS, SIZES, cap=30 * GIB)[0]
    # The largest query reads 3 GiB: ten times that is the cap.
    assert (first.name, first.factor) == ("bytes billed of one query, BIGQUERY_MAXIMUM_BYTES_BILLED", pytest.approx(10))


def test_a_limit_on_size_has_the_factor_at_which_it_is_reached(found: dict[str, Limit]) -> None:
    # 15 TiB are 15,360 GiB, half as many times 2 GiB.
    assert found["bytes of one load job"].factor == pytest.approx(7_680)
    # 2 GiB once and 3 GiB 24 times are 74 GiB; 200 TiB are 204,800.
    assert found["bytes that all queries read in a day"].factor == pytest.approx(204_800 / 74)


def test_a_limit_on_time_or_code_has_no_factor(found: dict[str, Limit]) -> None:
    counted = {name: (limit.today, limit.of, limit.factor) for name, limit in found.items() if not limit.grows}
    assert counted == {
        "changes of one table in a day": (25, "raw_product.events", None),
        "load jobs of a project in a day": (25, "everything", None),
        "partitions that one job changes": (2, "core.usage", None),
        "partitions of one table": (31, "raw_product.events", None),
        "tables that one query refers to": (2, "", None),
        "characters of one query": (9, "m", None),
    }
