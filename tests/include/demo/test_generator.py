"""The generator: the same bytes in every process, the sizes of the contract, and consistent data at later as-of times."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from include.demo import Company, generate
from include.demo.schema import TABLES, Table
from include.settings import ROOT

SIZES = {
    "organizations": 2,
    "facilities": 8,
    "users": 40,
    "accounts": 150,
    "leads": 2000,
    "deals": 1500,
    "tickets": 15000,
    "orders": 10000,
    "subscriptions": 2000,
    "invoices": 20000,
    "usage_events": 150000,
}
CHANGING = [table for table in TABLES.values() if "updated_at" in table.by_name]


def rows_by_key(company: Company, table: Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    """A table's rows by primary key."""
    return {tuple(row[name] for name in table.key): row for row in company.tables[table.name].to_pylist()}


def digest(folder: Path) -> dict[str, str]:
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_the_bytes_are_the_same_in_every_process(tmp_path: Path) -> None:
    results = []
    for run, hash_seed in enumerate(("0", "4321")):
        folder = tmp_path / str(run)
        command = [sys.executable, "-m", "include.demo", "generate", "--out", str(folder), "--scale", "0.02", "--seed", "7"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": ("UTC", "Asia/Tokyo")[run]}
        subprocess.run([*command, "--as-of", "2026-10-01"], check=True, cwd=ROOT, env=environment, capture_output=True)
        results.append(digest(folder))
    assert results[0] == results[1]
    assert set(results[0]) == {f"{name}.csv" for name in TABLES} | {"demo_cases.md"}


def test_the_sizes_of_scale_one() -> None:
    begun, worked = time.monotonic(), time.process_time()
    company = generate(1.0, 42, datetime(2026, 10, 1, tzinfo=UTC))
    wall, worked = time.monotonic() - begun, time.process_time() - worked
    counts = {name: company.tables[name].num_rows for name in SIZES}
    print(f"scale 1 in {wall:.1f} s ({worked:.1f} s of processor): {counts}")
    assert worked < 15
    for name, size in SIZES.items():
        assert counts[name] == pytest.approx(size, rel=0.05), name


def test_another_seed_or_scale_is_another_company(company_at: Callable[[str], Company]) -> None:
    as_of = datetime(2026, 10, 1, tzinfo=UTC)
    ids = [
        set(other.tables["organizations"]["organization_id"].to_pylist())
        for other in (company_at("2026-10-01"), generate(0.02, 8, as_of), generate(0.03, 7, as_of))
    ]
    assert all(len(each) == 2 for each in ids)
    assert len(set.union(*ids)) == 6


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-10-01", "2026-10-02"),
        ("2026-10-02", "2026-10-03"),
        ("2026-10-01T13:07:31", "2026-10-01T13:07:32"),
        ("2024-02-10", "2026-10-01"),
        ("2023-11-01", "2027-03-29"),
    ],
)
def test_a_later_as_of_continues_an_earlier_one(company_at: Callable[[str], Company], before: str, after: str) -> None:
    assert_continues(company_at(before), company_at(after))


def test_a_larger_company_continues_too() -> None:
    """This company is large enough for rare states: pauses, cancellations before the end, and running trials."""
    worlds = [generate(0.4, 3, datetime(2025, month, 11, tzinfo=UTC)) for month in (3, 9)]
    assert_continues(*worlds)


def assert_continues(earlier: Company, later: Company) -> None:
    """Assert that changed rows have a newer updated_at, and that only tables with labelled deletions lose rows."""
    assert earlier.as_of is not None
    boundary = earlier.as_of
    for table in CHANGING:
        old, new = rows_by_key(earlier, table), rows_by_key(later, table)
        for key, row in new.items():
            if row["updated_at"] < boundary:
                assert old.get(key) == row, f"{table.name} {key} changed without a newer updated_at"
            elif key in old:
                assert row["updated_at"] > old[key]["updated_at"]
        for key, row in old.items():
            assert row["updated_at"] < boundary, f"{table.name} {key} is from the future"
            # A missing row was deleted. Only tables with labelled deletions may lose rows.
            assert key in new or table.name in ("activities", "contacts"), f"{table.name} {key} is gone"


@pytest.mark.parametrize("day", ["2024-05-06", "2026-10-01", "2026-10-02", "2026-12-31", "2028-02-28"])
def test_every_day_has_inserts_updates_deletes_and_late_events(company_at: Callable[[str], Company], day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    following = date.fromordinal(start.date().toordinal() + 1).isoformat()
    before, after = company_at(day), company_at(following)
    inserted = updated = deleted = 0
    for table in CHANGING:
        old, new = rows_by_key(before, table), rows_by_key(after, table)
        inserted += len(new.keys() - old.keys())
        deleted += len(old.keys() - new.keys())
        updated += sum(old[key] != new[key] for key in old.keys() & new.keys())
    assert inserted >= 1
    assert updated >= 1
    assert deleted >= 2
    gone = [case for case in after.cases if case.where == "gone"]
    assert {case.table for case in gone} == {"activities", "contacts"}
    for case in gone:
        if f"deleted at {day}" in case.see:
            assert case.key in {key[-1] for key in rows_by_key(before, TABLES[case.table])}
    events = TABLES["usage_events"]
    old, new = rows_by_key(before, events), rows_by_key(after, events)
    assert old.items() <= new.items()
    assert any(new[key]["occurred_at"] < start for key in new.keys() - old.keys())


def test_usage_events_appear_when_their_delivery_day_has_ended(company_at: Callable[[str], Company]) -> None:
    noon, midnight = company_at("2026-10-01T12:00:00"), company_at("2026-10-02")
    assert max(noon.delivered_on) == date(2026, 9, 30)
    assert max(midnight.delivered_on) == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "2023-10-31"], "history begins in October 2023"),
        (["--as-of", "yesterday"], "'yesterday' is not a date"),
        (["--as-of", "2026-10-01", "--scale", "0.001"], "scale must be at least 0.02"),
        (["--as-of", "2026-10-01", "--scale", "nan"], "scale must be at least 0.02"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "include.demo", "generate", "--out", str(tmp_path / "out"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
