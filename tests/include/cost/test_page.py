"""The page: figures of a small project, and its place between two marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.cost import page
from include.cost.prices import GIB, TIB
from include.cost.sizes import NO_VALUE, Size
from include.cost.work import Nodes, Work

NODES = Nodes(
    {
        "nodes": {
            "model.p.fct_tickets": {
                "resource_type": "model",
                "name": "fct_tickets",
                "schema": "core",
                "alias": "fct_tickets",
                "config": {"materialized": "incremental"},
                "depends_on": {"nodes": ["source.p.raw.tickets"]},
            }
        }
    }
)


def job(kind: str, target: str | None, billed: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "query",
        "target": None,
        "error": None,
        "labels": {"node": "fct_tickets"},
        "origin": "",
        "sql": "",
        "statements": [{"kind": kind, "target": target, "billed": billed}],
    }


def text() -> str:
    merge = job(
        "MERGE",
        "core.fct_tickets",
        {"core.fct_tickets": {"columns": ["n"], "ranges": [{"from": NO_VALUE, "to": NO_VALUE}, {"from": "2026-09-01"}]}},
    )
    read = job("SELECT", None, {"core.fct_tickets": {"columns": ["n"], "ranges": [{}]}})
    sizes = {"core.fct_tickets": Size(7, {"n": 64 * GIB})}
    return page.page([Work("nightly run", 1, [merge, read]), Work("refresh_hourly", 24, [read])], sizes, NODES, "a shop", TIB)


def test_prices_of_a_run_and_a_month() -> None:
    lines = text().splitlines()
    # Twice 64 GiB an eighth of a TiB: 0.78 dollars; a hundred times that is 78.125.
    assert "| nightly run | 2 | 2 | 128 GiB | 12.5 TiB | 1,250 TiB | 0.78 | 78.12 | 7,812 |" in lines
    # 30 nightly runs of 0.78125, 720 refreshes of 0.390625, and 64 GiB of storage at 0.02 each.
    assert "| nightly run | 1 | 23.44 | 2,344 | 234,375 |" in lines
    assert "| refresh_hourly | 24 | 281 | 28,125 | 2,812,500 |" in lines
    assert "| storage (active, logical) |  | 1.28 | 128 | 12,800 |" in lines
    assert "| **all** |  | **306** | **30,597** | **3,059,675** |" in lines


def test_the_partitions_of_incremental_models_are_shown() -> None:
    assert "| `fct_tickets` | MERGE | rows without a value; 2026-09-01 to … |" in text().splitlines()


def test_the_page_keeps_the_text_around_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "cost.md"
    path.write_text(f"# Cost\n\nBefore.\n\n{page.BEGIN}\n\nold\n\n{page.END}\n\nAfter.\n")
    page.write(path, "new\n")
    page.write(path, "newer\n")
    assert path.read_text() == f"# Cost\n\nBefore.\n\n{page.BEGIN}\n\nnewer\n\n{page.END}\n\nAfter.\n"
