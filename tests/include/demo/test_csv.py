"""A company that is written as CSV and read again is the same company."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.demo import Company, CsvError, read_csv, write_csv
from include.demo.schema import TABLES


def test_a_company_is_unchanged_after_writing_and_reading(company: Company, tmp_path: Path) -> None:
    write_csv(company, tmp_path)
    again = read_csv(tmp_path)
    assert again.warnings == []
    for name in TABLES:
        assert again.tables[name].equals(company.tables[name].combine_chunks()), name


def test_written_csv_is_stable_and_has_plain_numbers(company: Company, tmp_path: Path) -> None:
    write_csv(company, tmp_path / "one")
    write_csv(read_csv(tmp_path / "one"), tmp_path / "two")
    for name in TABLES:
        assert (tmp_path / "one" / f"{name}.csv").read_bytes() == (tmp_path / "two" / f"{name}.csv").read_bytes()
    text = (tmp_path / "one" / "orders.csv").read_text()
    assert "E-9" not in text
    assert text.splitlines()[1].count("T") >= 2


def test_a_problem_refuses_the_company(tmp_path: Path) -> None:
    (tmp_path / "fx_rates.csv").write_text("rate_date,currency,rate_to_usd\n2026-01-02,EUR,x\n")
    with pytest.raises(CsvError, match=r'^fx_rates.csv, line 2, column rate_to_usd: "x" is not a number'):
        read_csv(tmp_path)
    with pytest.raises(CsvError, match="is not a folder"):
        read_csv(tmp_path / "nowhere")
