"""A new source needs one YAML file and no code: a sixth source is loaded, and dbt knows it."""

from __future__ import annotations

import shutil
from pathlib import Path

from include.ingestion import load
from include.run_context import RunContext
from include.settings import ROOT
from include.sources import SourceConnection, load_sources
from include.sources.__main__ import main
from tests.include.ingestion.world import Warehouse, day

PARTNERS = """
description: Partners and their commissions, from a folder of CSV files.
owner: partnerships
tier: low
schedule: "30 3 * * 1"
connection: partners
freshness: {warn_after: 8d, error_after: 15d}
reader: {type: files, formats: [csv]}
tables:
  commissions:
    description: One row per partner and month.
    primary_key: [partner_id, month]
    glob: "*.csv"
    event_time: month
    columns:
      partner_id: {type: string, nullable: false, description: Identifies the partner., source_name: Partner}
      month: {type: date, nullable: false, description: First day of the month., source_name: Month}
      amount: {type: decimal, description: Commission of the partner., source_name: Amount (EUR)}
"""


def test_a_sixth_source(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    shutil.copytree(ROOT / "include" / "sources", folder, ignore=lambda _, names: [n for n in names if not n.endswith(".yml")])
    (folder / "partners.yml").write_text(PARTNERS)
    sources = load_sources(folder)
    assert list(sources) == ["billing", "crm", "partners", "product", "reference", "support"]

    files = tmp_path / "files"
    files.mkdir()
    (files / "2026-09.csv").write_text('Partner,Month,Amount (EUR)\nP1,2026-09-01,"1200.50"\nP2,2026-09-01,\n')
    connection = SourceConnection.of("partners", {"extra": {"url": str(files)}})
    report = load(sources["partners"], connection, RunContext("test", day(2)))
    assert (report.rows, report.tables["commissions"].changes) == (2, [])
    rows = warehouse.rows("select partner_id, cast(month as string) as m, amount from raw_partners.commissions order by 1")
    assert [(r["partner_id"], r["m"], r["amount"] and str(r["amount"])) for r in rows] == [
        ("P1", "2026-09-01", "1200.500000000"),
        ("P2", "2026-09-01", None),
    ]

    assert main(["--folder", str(folder), "dbt-sources", "--dbt-dir", str(tmp_path / "dbt")]) == 0
    text = (tmp_path / "dbt" / "models" / "staging" / "partners" / "_partners__sources.yml").read_text()
    assert "name: commissions" in text
    assert "schema: raw_partners" in text
