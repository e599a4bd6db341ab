"""The landing and reference files: one folder per delivery day. Unchanged files are not written again."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from include.demo import Company
from include.demo.landing import write_landing, write_reference


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("part-*"))}


def events(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return pq.read_table(file, partitioning=None).to_pylist()


def test_files_contain_the_events_of_their_delivery_day(company: Company, tmp_path: Path) -> None:
    report = write_landing(company, tmp_path)
    files = sorted((tmp_path / "usage_events").glob("date=*/part-*"))
    assert report.written == len(files) > 1000
    assert {file.suffix for file in files} == {".parquet", ".jsonl"}
    found: Counter[str] = Counter()
    late = 0
    for file in files:
        day = date.fromisoformat(file.parent.name.removeprefix("date="))
        for event in events(file):
            occurred = event["occurred_at"]
            happened = date.fromisoformat(occurred[:10]) if isinstance(occurred, str) else occurred.date()
            assert happened <= day
            late += happened < day
            found[event["event_id"]] += 1
    assert set(found) == set(company.tables["usage_events"]["event_id"].to_pylist())
    twice = {event for event, count in found.items() if count == 2}
    labelled = {case.key for case in company.cases if case.title == "duplicate delivery (files)"}
    assert labelled <= twice
    assert len(twice) == len(company.delivered_again)
    assert max(found.values()) == 2
    assert late > 1000


def test_properties_are_objects_in_jsonl_and_text_in_parquet(company: Company, tmp_path: Path) -> None:
    write_landing(company, tmp_path)
    for suffix, kind in ((".jsonl", dict), (".parquet", str)):
        file = next(file for file in sorted(tmp_path.rglob(f"*{suffix}")) if any(event["properties"] for event in events(file)))
        assert {type(event["properties"]) for event in events(file)} <= {kind, type(None)}


def test_a_later_day_writes_only_new_and_changed_files(company_at: Callable[[str], Company], tmp_path: Path) -> None:
    write_landing(company_at("2026-10-01"), tmp_path)
    before = content(tmp_path)
    stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in before}
    assert write_landing(company_at("2026-10-01"), tmp_path).written == 0
    again: list[str] = []
    for day in ("2026-10-02", "2026-10-03", "2026-10-04"):
        write_landing(company_at(day), tmp_path)
        after = content(tmp_path)
        assert before.keys() < after.keys()
        changed = [name for name in before if after[name] != before[name]]
        again += changed
        for name in before.keys() - set(changed):
            assert (tmp_path / name).stat().st_mtime_ns == stamps[name]
        before = after
        stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in before}
    assert len(again) == 1, "one file in three days is delivered again with new content"


def test_an_earlier_as_of_removes_later_files(company_at: Callable[[str], Company], tmp_path: Path) -> None:
    write_landing(company_at("2026-10-04"), tmp_path / "a")
    write_landing(company_at("2026-10-01"), tmp_path / "a")
    write_landing(company_at("2026-10-01"), tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_truncated_line_is_written_on_request_only(company_at: Callable[[str], Company], tmp_path: Path) -> None:
    def broken() -> list[str]:
        lines = [line for file in tmp_path.rglob("*.jsonl") for line in file.read_text().splitlines()]
        return [line for line in lines if not line.endswith("}")]

    write_landing(company_at("2026-10-01"), tmp_path)
    assert broken() == []
    write_landing(company_at("2026-10-01"), tmp_path, bad_lines=True)
    assert len(broken()) == 1


def test_a_company_without_events_has_an_empty_folder(company_at: Callable[[str], Company], tmp_path: Path) -> None:
    company = company_at("2026-10-01")
    nothing = {**company.tables, "usage_events": company.tables["usage_events"].slice(0, 0)}
    empty = replace(company, tables=nothing, delivered_on=[], delivered_again=[])
    write_landing(empty, tmp_path)
    assert content(tmp_path) == {}
    assert (tmp_path / "usage_events").is_dir()


def test_reference_files_are_csv(company: Company, tmp_path: Path) -> None:
    write_reference(company, tmp_path)
    with (tmp_path / "business_hours.csv").open() as file:
        hours = list(csv.DictReader(file))
    assert {row["weekday"] for row in hours} == set("123456")
    assert {row["opens_at"] for row in hours} >= {"09:00", "13:00"}
    assert write_reference(company, tmp_path).unchanged == 4
