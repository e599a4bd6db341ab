"""A table that the company lacks: its raw table exists, and no run reads the table."""

from __future__ import annotations

from pathlib import Path

import yaml

from include import ops
from include.ingestion import land
from include.run_context import RunContext
from include.sources import Source, SourceConnection, load_sources
from tests.include.ingestion.test_new_source import PARTNERS
from tests.include.ingestion.world import Warehouse, day


def _source(folder: Path, *, absent: bool) -> Source:
    document = yaml.safe_load(PARTNERS)
    table = document["tables"]["commissions"] | {"detect_deletes": True}
    document["tables"] = {"commissions": table, "bonuses": {**table, "glob": "bonus/*.csv", "absent": absent}}
    folder.mkdir(exist_ok=True)
    (folder / "lacking.yml").write_text(yaml.safe_dump(document))
    return load_sources(folder)["lacking"]


def test_an_absent_table_is_empty_and_keeps_what_was_loaded_before(warehouse: Warehouse, tmp_path: Path) -> None:
    files = tmp_path / "files"
    (files / "bonus").mkdir(parents=True)
    for name in ("2026-09.csv", "bonus/2026-09.csv"):
        (files / name).write_text("Partner,Month,Amount (EUR)\nP1,2026-09-01,10\n")
    connection = SourceConnection.of("partners", {"extra": {"url": str(files)}})

    report = land(_source(tmp_path / "sources", absent=True), connection, RunContext("first", day(2)))
    assert (report.tables["commissions"].rows, report.tables["bonuses"].rows) == (1, 0)
    assert warehouse.rows("select * from raw_lacking.bonuses") == []
    columns = {field.name for field in warehouse.client.get_table(f"{warehouse.client.project}.raw_lacking.bonuses").schema}
    assert {"partner_id", "month", "amount", "_loaded_at", "_is_deleted"} <= columns
    loads = {row["table_name"]: row["rows_loaded"] for row in ops.loads(as_of=day(2)) if row["source"] == "lacking"}
    assert loads == {"commissions": 1, "bonuses": 0}

    present = land(_source(tmp_path / "sources", absent=False), connection, RunContext("second", day(3)))
    assert present.tables["bonuses"].rows == 1, "the file was not marked as read while the table was absent"
    (files / "bonus" / "2026-09.csv").unlink()
    again = land(_source(tmp_path / "sources", absent=True), connection, RunContext("third", day(4)))
    assert (again.tables["bonuses"].rows, again.tables["bonuses"].tombstones) == (0, 0)
    assert warehouse.value("select count(*) from raw_lacking.bonuses where not _is_deleted") == 1
