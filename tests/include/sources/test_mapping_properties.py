"""Random values through the SQL of mappings on the local warehouse, against plain Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import iso4217
import pytest
from google.cloud.bigquery import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.sources.derivation import MappingError
from include.sources.expressions import identifier, string
from include.sources.schema import Table
from tests.include.sources.mapped import select, table
from tests.warehouse import connected

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "UTC",
]
PER_SECOND = {"epoch_seconds": 1, "epoch_milliseconds": 1000, "epoch_microseconds": 1_000_000}
#: Seconds since 1970 up to which the local warehouse's answers are exact to the microsecond.
EXACT = 2**53 // 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Texts that SQL, JSON and Jinja might read as their own; no control characters, and no blanks around them.
TEXTS = st.text(
    st.one_of(st.sampled_from("'\"\\`{}%#$|;-/*?@[].,\n ßé名🎉"), st.characters(exclude_categories=["C", "Z"])), min_size=1
).filter(lambda text: text == text.strip())
few = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch, connected(patch) as bq:
        yield bq


def found(warehouse: Client, mapped: Table, column: str, rows: list[dict[str, str]]) -> list[Any]:
    return [row.found for row in warehouse.query(select(mapped, column, rows)).result()]


def test_every_currency(warehouse: Client) -> None:
    mapped = table("deals", {"amount": {"from": "Minor", "unit": "minor", "currency": "Code"}})
    codes = {currency.code: currency.exponent for currency in iso4217.Currency}
    assert len(codes) > 150
    rows = [{"Minor": "123456789", "Code": f"'{code}'"} for code in codes]
    wrong = {
        code: amount
        for code, amount in zip(codes, found(warehouse, mapped, "amount", rows), strict=True)
        if amount != (None if codes[code] is None else Decimal(123456789).scaleb(-codes[code]))
    }
    assert wrong == {}


@few
@given(st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=12), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_amounts(warehouse: Client, amounts: list[int], code: str) -> None:
    mapped = table("deals", {"amount": {"from": "Minor", "unit": "minor", "currency": {"value": code}}})
    exponent = iso4217.Currency(code).exponent
    rows = [{"Minor": str(amount)} for amount in amounts]
    assert found(warehouse, mapped, "amount", rows) == [Decimal(amount).scaleb(-exponent) for amount in amounts]


@few
@given(
    st.lists(st.integers(-EXACT, EXACT - 1), min_size=1, max_size=12),
    st.sampled_from(list(PER_SECOND)),
    st.integers(0, 999_999),
)
def test_epochs(warehouse: Client, seconds: list[int], unit: str, rest: int) -> None:
    mapped = table("accounts", {"created_at": {"from": "At", "unit": unit}})
    parts = rest * PER_SECOND[unit] // 1_000_000
    rows = [{"At": str(value * PER_SECOND[unit] + parts)} for value in seconds]
    expected = [EPOCH + timedelta(seconds=value, microseconds=parts * 1_000_000 // PER_SECOND[unit]) for value in seconds]
    assert found(warehouse, mapped, "created_at", rows) == expected


@few
@given(
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)), min_size=1, max_size=12),
    st.sampled_from(ZONES),
)
def test_local_times(warehouse: Client, times: list[datetime], zone: str) -> None:
    """Hours that clocks skip are included. Of an hour that exists twice, the local warehouse takes the second, and BigQuery the first."""
    name = ZoneInfo(zone)
    changes = _changes_of(name)
    local = [at for at in [*times, *changes, *(at + timedelta(minutes=45) for at in changes)] if not _exists_twice(at, name)]
    mapped = table("accounts", {"created_at": {"from": "At", "timezone": zone}})
    rows = [{"At": f"timestamp '{at:%Y-%m-%d %H:%M:%S.%f}+00:00'"} for at in local]
    assert found(warehouse, mapped, "created_at", rows) == [at.replace(tzinfo=name).astimezone(UTC) for at in local]


@cache
def _changes_of(zone: ZoneInfo) -> list[datetime]:
    """The last half hour before each change of the clock in 2026."""
    halves = [datetime(2026, 1, 1) + timedelta(minutes=30 * number) for number in range(365 * 48)]
    offsets = [half.replace(tzinfo=zone).utcoffset() for half in halves]
    return [half for half, (before, after) in zip(halves, pairwise(offsets), strict=False) if before != after]


def _exists_twice(at: datetime, zone: ZoneInfo) -> bool:
    first, second = (at.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


@few
@given(
    st.dictionaries(TEXTS, st.sampled_from(["active", "churned", "inactive"]), min_size=1, max_size=8),
    st.lists(TEXTS, max_size=8),
)
def test_words(warehouse: Client, words: dict[str, str], others: list[str]) -> None:
    mapped = table("accounts", {"status": {"from": "State", "values": words}})
    given_words = [*words, *others]
    rows = [{"State": string(word)} for word in given_words]
    assert found(warehouse, mapped, "status", rows) == [words.get(word, word) for word in given_words]


@few
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_constants_and_first_and_keys(warehouse: Client, texts: list[str]) -> None:
    for text in texts:
        assert found(warehouse, table("accounts", {"city": {"value": text}}), "city", [{}]) == [text]
    columns = [f"Part {number}" for number in range(len(texts))]
    row = {column: string(text) for column, text in zip(columns, texts, strict=True)}
    keyed = table("deal_stage_history", {"history_id": {"key": columns}}, id_prefix="x:")
    assert found(warehouse, keyed, "history_id", [row]) == ["x:" + "|".join(texts)]
    first = table("accounts", {"city": {"first": ["Empty", *columns]}})
    assert found(warehouse, first, "city", [{"Empty": "' '", **row}]) == [texts[0]]


#: Keys of JSON objects that a path can name.
KEYS = TEXTS.filter(lambda text: not re.search(r'["\\\n]', text))


@few
@given(st.lists(st.one_of(KEYS, st.integers(0, 3)), min_size=1, max_size=4), TEXTS)
def test_paths_in_json(warehouse: Client, parts: list[str | int], value: str) -> None:
    document: Any = value
    for part in reversed(parts):
        document = {"another key": 1, part: document} if isinstance(part, str) else [*[None] * part, document]
    path = "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in parts).removeprefix(".")
    mapped = table("accounts", {"city": {"from": "Data", "path": path}})
    rows = [{"Data": string(json.dumps(document, ensure_ascii=ascii_only))} for ascii_only in (True, False)]
    assert found(warehouse, mapped, "city", rows) == [value, value]


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12), min_size=1, max_size=6, unique=True))
@settings(derandomize=True, deadline=None)
def test_names_of_columns(names: list[str]) -> None:
    """Each column of the source has a valid name of its own in the warehouse, or the message names the two."""
    columns = dict(zip(["name", "city", "region", "country", "industry", "domain"], names, strict=False))
    try:
        mapped = table("accounts", columns)
    except MappingError as error:
        assert "would both be" in str(error)
        return
    assert {column.source_name for column in mapped.columns.values()} >= set(names)
    for name in mapped.columns:
        assert re.fullmatch(r"`?[a-z][a-z0-9_]*`?", identifier(name))
