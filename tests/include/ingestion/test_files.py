"""Files of all formats are loaded once, and unreadable records are rejected."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.ingestion import LoadError, load
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.world import Warehouse, columns, day, dies

READER = {"type": "files", "formats": ["jsonl", "parquet"]}
EVENTS = {
    "description": "One row per event.",
    "primary_key": ["id"],
    "glob": "events/date=*/*",
    "event_time": "at",
    "by_delivery": True,
    "columns": columns(id="string", what="string", count="integer", at="timestamp", properties="json"),
}
RATES = {
    "description": "One row per currency and day.",
    "primary_key": ["day", "currency"],
    "glob": "rates.csv",
    "event_time": "day",
    "detect_deletes": True,
    "columns": columns(day="date", currency="string", rate="decimal", note="string"),
}


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "what": "login", "count": number, "at": "2026-10-01T08:00:00Z", "properties": {"a": [1]}} | more


def write(path: Path, *records: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records))


def loaded(source: Any, folder: Path, as_of: int, **more: Any) -> Any:
    connection = SourceConnection.of(source.connection, {"extra": {"url": folder.as_uri()}})
    return load(source, connection, RunContext("test", day(as_of), **more))


def test_events(warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str) -> None:
    landing = tmp_path / "landing"
    first = landing / "events" / "date=2026-10-01"
    odd = event(4, what='quotes " and\nnewlines 🎉', new_one=7)
    write(first / "a.jsonl", event(1), event(2), '{"id": "broken', "[1]", event(3) | {"id": None}, odd, "")
    table = pa.table(
        {
            "id": ["e10", "e11"],
            "what": ["x", None],
            "count": pa.array([1, 2], pa.int32()),
            "at": pa.array([1_790_000_000, 1_790_000_001], pa.timestamp("s")),
            "properties": ['{"b": 2}', "no json"],
        }
    )
    pq.write_table(table, first / "b.parquet")
    (first / "c.jsonl.gz").write_bytes(gzip.compress(json.dumps(event(20)).encode()))
    (first / "d.parquet").write_text("not parquet at all")
    (first / "_SUCCESS").write_text("")
    source = write_source(READER, {"events": EVENTS})

    report = loaded(source, landing, 2).tables["events"]
    assert (report.rows, report.files, len(report.rejected)) == (6, 4, 4)
    events = warehouse.latest(f"raw_{name}.events", order="")
    assert set(events) == {"e1", "e2", "e4", "e10", "e11", "e20"}
    assert (events["e4"]["what"], events["e4"]["new_one"]) == ('quotes " and\nnewlines 🎉', 7)
    assert events["e1"]["properties"] == '{"a":[1]}'
    assert (events["e10"]["properties"], events["e11"]["properties__v_text"]) == ('{"b": 2}', "no json")
    assert events["e10"]["at"].year == 2026
    path, checksum = events["e1"]["_source_file_id"].split("#")
    assert path == "events/date=2026-10-01/a.jsonl"
    assert len(checksum) == 32
    rejected = warehouse.rows(
        f"select * from quarantine.rejected_records where source = '{name}' order by source_file_id, line_number"
    )
    assert [(r["line_number"], r["reason"].split(":")[0]) for r in rejected] == [
        (3, "not JSON"),
        (4, "not a JSON object"),
        (5, "no value for the key id"),
        (None, "not a Parquet file"),
    ]
    assert rejected[0]["payload"] == '{"id": "broken'
    assert rejected[3]["source_file_id"].startswith("events/date=2026-10-01/d.parquet#")

    # Second run: only the new file and the file whose content changed are read.
    write(landing / "events" / "date=2026-10-02" / "a.jsonl", event(30))
    write(first / "a.jsonl", event(1, what="corrected"), event(5))
    second = loaded(source, landing, 3).tables["events"]
    assert (second.rows, second.files, second.rejected) == (3, 2, [])
    events = warehouse.latest(f"raw_{name}.events", order="")
    assert len(events) == 8
    assert events["e1"]["what"] == "corrected"
    # When the old content returns, the file counts as changed again.
    write(first / "a.jsonl", event(1), event(5))
    assert loaded(source, landing, 4).tables["events"].files == 1
    assert loaded(source, landing, 4).tables["events"].files == 0
    assert loaded(source, landing, 4, full_refresh=True).tables["events"].files == 5


@pytest.mark.parametrize("point", ["some_loaded", "all_loaded"])
def test_killed_and_run_again(
    warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str, point: str
) -> None:
    """A file counts as read only when the load of its rows is completed."""
    write(tmp_path / "events" / "date=2026-10-01" / "a.jsonl", event(1), event(2))
    source = write_source(READER, {"events": EVENTS})
    assert dies(point, "events", lambda: loaded(source, tmp_path, 2))
    assert warehouse.value(f"select count(*) from raw_{name}._files") == 1
    assert loaded(source, tmp_path, 2).tables["events"].files == 1
    assert len(warehouse.latest(f"raw_{name}.events", order="")) == 2
    assert loaded(source, tmp_path, 3).tables["events"].files == 0


def test_another_file_system(warehouse: Warehouse, write_source: Callable[..., Any], name: str) -> None:
    """The reader uses fsspec for all access. This test uses a folder in memory instead of a bucket."""
    bucket = fsspec.filesystem("memory")
    source = write_source(READER, {"events": EVENTS})
    connection = SourceConnection.of(name, {"extra": {"url": f"memory://{name}"}})
    with pytest.raises(LoadError, match=f"the folder memory://{name} of connection {name} does not exist"):
        load(source, connection, RunContext("test", day(2)))
    bucket.pipe(f"/{name}/events/date=2026-10-01/a.jsonl", json.dumps(event(1)).encode())
    assert load(source, connection, RunContext("test", day(2))).rows == 1
    (row,) = warehouse.rows(f"select * from raw_{name}.events")
    assert row["_source_file_id"].startswith("events/date=2026-10-01/a.jsonl#")


def test_rates(warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    rates = folder / "rates.csv"
    header = "day,currency,rate,note\n"
    rates.write_text(
        header + '2026-10-01,EUR,1.1,"two\nlines"\n2026-10-01,GBP,,""\n2026-10-01,USD\n2026-10-02,EUR,not a rate,x\n,CHF,1,\n'
    )
    source = write_source({"type": "files", "formats": ["csv"]}, {"rates": RATES})
    first = loaded(source, folder, 2).tables["rates"]
    assert (first.rows, [r.reason for r in first.rejected]) == (3, ["2 fields instead of 4", "no value for the key day"])
    rows = {(str(r["day"]), r["currency"]): r for r in warehouse.rows(f"select * from raw_{name}.rates")}
    assert rows[("2026-10-01", "EUR")]["note"] == "two\nlines"
    assert (rows[("2026-10-01", "GBP")]["rate"], rows[("2026-10-01", "GBP")]["note"]) == (None, None)
    assert rows[("2026-10-02", "EUR")]["rate__v_text"] == "not a rate"

    # A new delivery holds the whole table: missing rows are deleted.
    rates.write_text(header + "2026-10-01,EUR,1.2,\n2026-10-02,EUR,1.3,\n")
    second = loaded(source, folder, 3).tables["rates"]
    assert (second.rows, second.tombstones) == (2, 1)
    live = warehouse.rows(
        f"select * from raw_{name}.rates qualify row_number() over (partition by day, currency order by _extracted_at desc) = 1 "
        "and not _is_deleted"
    )
    assert {(str(r["day"]), str(r["rate"])) for r in live} == {("2026-10-01", "1.200000000"), ("2026-10-02", "1.300000000")}
    # If part of the file cannot be read, no row is deleted.
    rates.write_text(header + "2026-10-01,EUR,1.2,\nhalf a line")
    assert loaded(source, folder, 4).tables["rates"].tombstones == 0
    rates.write_text("")
    assert [r.reason for r in loaded(source, folder, 5).tables["rates"].rejected] == [
        "the file is empty: its first line must name the columns"
    ]
    rates.unlink()
    assert loaded(source, folder, 6).tables["rates"].rows == 0

    with pytest.raises(LoadError, match=rf"the folder file://{tmp_path}/elsewhere of connection {name} does not exist"):
        loaded(source, tmp_path / "elsewhere", 6)


def test_a_delivery_loads_only_changes(warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str) -> None:
    """Each delivery holds the whole table. A row that raw already holds gets no second version."""
    rates = tmp_path / "rates.csv"
    source = write_source({"type": "files", "formats": ["csv"]}, {"rates": RATES})

    def deliver(as_of: int, *lines: str, header: str = "day,currency,rate,note", **more: Any) -> tuple[int, int]:
        rates.write_text("\n".join([header, *lines]) + "\n")
        report = loaded(source, tmp_path, as_of, **more).tables["rates"]
        loaded_rows = f"select count(*) from raw_{name}.rates where _loaded_at = timestamp '{report.loaded_at.isoformat()}'"
        assert warehouse.value(loaded_rows) == report.rows + report.tombstones
        return report.rows, report.tombstones

    def live() -> dict[str, tuple[Any, ...]]:
        latest = "qualify row_number() over (partition by day, currency order by _extracted_at desc, _is_deleted desc) = 1"
        found = warehouse.rows(f"select * from raw_{name}.rates {latest} and not _is_deleted")
        return {row["currency"]: (None if row["rate"] is None else float(row["rate"]), row["note"]) for row in found}

    eur, gbp, odd = "2026-10-01,EUR,1.10,a", "2026-10-01,GBP,,", "2026-10-01,SEK,not a rate,"
    assert deliver(2, eur, gbp, odd) == (3, 0)
    # Another order and one trailing zero less change nothing; one row is new, one is corrected.
    assert deliver(3, odd, "2026-10-01,GBP,1.3,", "2026-10-01,EUR,1.1,a", "2026-10-01,USD,1,") == (2, 0)
    # A missing row is deleted. When it returns unchanged, it is loaded again.
    assert deliver(4, eur, "2026-10-01,GBP,1.3,", "2026-10-01,USD,1,") == (0, 1)
    assert deliver(5, eur, "2026-10-01,GBP,1.3,", "2026-10-01,USD,1,", odd) == (1, 0)
    assert live() == {"EUR": (1.1, "a"), "GBP": (1.3, None), "USD": (1.0, None), "SEK": (None, None)}
    # A value that becomes empty is a change. A new column is a change only where it has a value.
    wider = "day,currency,rate,note,bank"
    assert deliver(6, eur + ",", "2026-10-01,GBP,,,", "2026-10-01,USD,1,,Fed", odd + ",", header=wider) == (2, 0)
    assert deliver(7, eur, gbp, "2026-10-01,USD,1,", odd) == (1, 0)
    # Two rows have the same key: the choice between them must not depend on earlier loads.
    for as_of in (8, 9):
        assert deliver(as_of, eur, gbp, "2026-10-01,USD,1,", odd, f"2026-10-01,EUR,1.2,{as_of}") == (2, 0)
    # A table with rejected records is loaded whole, so that their share is known. A full refresh loads all rows too.
    assert deliver(10, eur, gbp, odd, "half a line") == (3, 0)
    assert deliver(11, eur, gbp, odd, full_refresh=True) == (3, 1)
    assert deliver(12, gbp, odd, eur) == (0, 0)
    assert live() == {"EUR": (1.1, "a"), "GBP": (None, None), "SEK": (None, None)}


def test_a_refused_delivery_stays_refused(
    warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    """A file of dated rows that is cut is refused again and again, and none of it is loaded, until it changes or the YAML accepts it."""
    rates = tmp_path / "rates.csv"
    days = [f"{year}-{month:02}-{number:02}" for year in (2024, 2025) for month in range(1, 13) for number in range(1, 29)]
    whole = ["day,currency,rate,note", *(f"{one},{currency},1.1,x" for one in days for currency in ("EUR", "GBP", "SEK"))]
    cut = whole[: int(len(whole) * 0.93)]
    cut[-1] = cut[-1].replace("1.1", "1")

    def deliver(lines: list[str], as_of: int, source: Any) -> Any:
        rates.write_text("\n".join(lines) + "\n")
        return loaded(source, tmp_path, as_of).tables["rates"]

    source = write_source({"type": "files", "formats": ["csv"]}, {"rates": RATES})
    assert deliver(whole, 2, source).rows == 2016
    gone = 2017 - len(cut)
    for as_of in (3, 3, 4):
        message = rf"rates: the source no longer holds {gone} of 2016 live keys, more than max_deleted_share \(5%\).* set it to 0.08 or more"
        with pytest.raises(LoadError, match=message):
            deliver(cut, as_of, source)
    assert warehouse.value(f"select count(*) from raw_{name}.rates") == 2016
    assert warehouse.value(f"select count(*) from ops.loads where source = '{name}'") == 1, (
        "the raw gate sees that the table is missing"
    )
    accepting = write_source({"type": "files", "formats": ["csv"]}, {"rates": RATES | {"max_deleted_share": 0.08}})
    accepted = deliver(cut, 4, accepting)
    assert (accepted.rows, accepted.tombstones) == (1, gone)
    assert deliver(whole, 5, source).rows == gone + 1


def test_rows_without_a_key_are_left_out_if_the_table_says_so(
    warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    # Most of the rows have no key, and more than the number from which a missing key stops a table.
    lines = ["day,currency,rate,note", "2026-10-01,EUR,1.1,", *[f",CHF,{number},x" for number in range(30)]]
    (folder / "rates.csv").write_text("\n".join(lines) + "\n")
    source = write_source({"type": "files", "formats": ["csv"]}, {"rates": RATES | {"empty_keys": "skip"}})
    report = loaded(source, folder, 2).tables["rates"]
    assert (report.rows, report.rejected) == (1, [])
    assert warehouse.value(f"select count(*) from raw_{name}.rates") == 1


def test_a_renamed_key_does_not_leave_out_every_row(
    warehouse: Warehouse, write_source: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    lines = ["date,currency,rate,note", *[f"2026-10-01,C{number:02d},1.1,x" for number in range(30)]]
    (folder / "rates.csv").write_text("\n".join(lines) + "\n")
    source = write_source({"type": "files", "formats": ["csv"]}, {"rates": RATES | {"empty_keys": "skip"}})
    with pytest.raises(
        LoadError, match=r"day \(a key\) is missing in all 30 rows, so that `empty_keys: skip` would leave out all"
    ):
        loaded(source, folder, 2)
