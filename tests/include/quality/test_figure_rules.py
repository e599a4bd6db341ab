"""The rules on figures of ended months: what warns, what blocks, and what a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.manifest import nodes_of, read_manifest
from include.quality import run_gates
from include.quality.figure_rules import figure_rules
from include.quality.parameters import values_of, with_literals
from include.run_context import RunContext
from include.settings import settings
from tests.warehouse import connected, empty, rows

TABLE = "metrics.mtr_revenue_by_month"
FIRST = RunContext("nightly__1", datetime(2026, 10, 1, tzinfo=UTC))
SECOND = RunContext("nightly__2", datetime(2026, 10, 2, tzinfo=UTC))
RULES = {rule.name: rule for rule in figure_rules()}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A warehouse in which the first run has published 100 of revenue from 40 orders in September."""
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch, "marts_build", "metrics_build") as bq:
        about = {"run_id": FIRST.run_id, "as_of": FIRST.as_of, "published_at": FIRST.as_of}
        of_september = about | {"organization_id": "acme", "month": datetime(2026, 9, 1, tzinfo=UTC).date(), "part": "total"}
        recorded = [
            of_september | {"metric": "order_revenue", "value": 100},
            of_september | {"metric": "order_count", "value": 40, "base_count": 40},
        ]
        ops.append("ops.published_figures", recorded, client=bq)
        table = {"table_name": "mtr_revenue_by_month", "dataset": "metrics", "build_dataset": "metrics_build"}
        ops.append("ops.publications", [about | table | {"state": "published", "code_version": "c1"}], client=bq)
        build(bq)
        yield bq


def test_every_rule_can_be_evaluated_on_the_columns_of_its_table(published: Client, manifest: Path) -> None:
    nodes = {f"{node['schema']}.{node['name']}": node for node in nodes_of(read_manifest(manifest), "model")}
    for dataset in ("marts_build", "metrics_build"):
        empty(published, dataset)
    for relation in sorted({rule.relation for rule in RULES.values()}):
        columns = ", ".join(f"`{name}` {column['data_type']}" for name, column in nodes[relation]["columns"].items())
        published.query(f"create table {relation} ({columns})").result()
    for rule in RULES.values():
        if "mtr_revenue" not in rule.name:
            assert rows(with_literals(str(rule.rows), values_of(SECOND, "marts")), published) == [], rule.name


def build(bq: Client, revenue: str = "100", orders: int = 40, month: str = "2026-09-01", complete: bool = True) -> None:
    bq.query(
        f"create or replace table metrics_build.mtr_revenue_by_month as select 'acme' as organization_id, date '{month}' as month, "
        f"{str(complete).lower()} as is_complete, numeric '{revenue}' as order_revenue, {orders} as order_count"
    ).result()


def found(bq: Client, run: RunContext = SECOND, versions: str = f"{TABLE}:c1") -> dict[str, list[str]]:
    """Action → the figures that break its rule."""
    values = values_of(run, "marts") | {"code_versions": versions}
    return {
        action: [str(figure) for (figure,) in rows(with_literals(str(rule.rows), values), bq)]
        for action in ("warn", "block")
        for rule in [RULES[f"restatement_{action}s_mtr_revenue_by_month"]]
    }


@pytest.mark.parametrize(
    ("revenue", "warns", "blocks"),
    # 5 % warns, 50 % blocks; the tolerance itself is allowed.
    [("100", 0, 0), ("95", 0, 0), ("94.9", 1, 0), ("105.1", 1, 0), ("150", 1, 0), ("49.9", 1, 1), ("150.1", 1, 1)],
)
def test_the_two_tolerances(published: Client, revenue: str, warns: int, blocks: int) -> None:
    build(published, revenue)
    assert {action: len(figures) for action, figures in found(published).items()} == {"warn": warns, "block": blocks}


def test_the_message_names_metric_organization_month_and_both_values(published: Client) -> None:
    build(published, "30.456")
    assert found(published)["block"] == ["order_revenue of acme in 2026-09: 100.00 → 30.46"]


def test_a_figure_of_few_rows_is_not_judged(published: Client) -> None:
    published.query("update ops.published_figures set value = 10, base_count = 10 where metric = 'order_count'").result()
    build(published, orders=29)
    assert found(published) == {"warn": [], "block": []}


def test_a_figure_that_has_lost_most_of_its_rows_is_judged(published: Client) -> None:
    build(published, orders=10)
    lost = ["order_count of acme in 2026-09: 40.00 → 10.00"]
    assert found(published) == {"warn": lost, "block": lost}


def test_a_figure_that_has_grown_is_judged(published: Client) -> None:
    build(published, orders=58)
    assert found(published) == {"warn": ["order_count of acme in 2026-09: 40.00 → 58.00"], "block": []}


def test_a_figure_that_vanishes_blocks(published: Client) -> None:
    build(published, month="2026-08-01")
    vanished = ["order_count of acme in 2026-09: 40.00 → none", "order_revenue of acme in 2026-09: 100.00 → none"]
    appeared = ["order_count of acme in 2026-08: none → 40.00", "order_revenue of acme in 2026-08: none → 100.00"]
    assert {action: sorted(figures) for action, figures in found(published).items()} == {
        "warn": sorted(vanished + appeared),
        "block": vanished,
    }


def test_other_code_and_a_full_refresh_warn_only(published: Client) -> None:
    build(published, "30")
    assert {action: len(figures) for action, figures in found(published, versions=f"{TABLE}:c2").items()} == {
        "warn": 1,
        "block": 0,
    }
    refreshed = replace(SECOND, full_refresh=True)
    assert {action: len(figures) for action, figures in found(published, refreshed).items()} == {"warn": 1, "block": 0}


def test_a_backfill_of_an_earlier_day_is_not_judged(published: Client) -> None:
    build(published, "30")
    earlier = RunContext("backfill", datetime(2026, 9, 30, 23, tzinfo=UTC))
    published.query("update metrics_build.mtr_revenue_by_month set month = date '2026-08-01' where true").result()
    assert found(published, earlier) == {"warn": [], "block": []}


def test_the_gate_blocks_with_the_figure_in_its_message(
    published: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The rules of other tables and of the YAML are left out: their tables do not exist here."""
    folder = tmp_path / "gx"
    (folder / "gates").mkdir(parents=True)
    declared = (settings().gx_dir / "figures.yml").read_text()
    start, end = declared.index("  - metric: mrr\n"), declared.index("  - metric: order_revenue\n")
    tail = declared.index("  - metric: lead_count\n"), declared.index("\nrows:\n")
    (folder / "figures.yml").write_text(declared[:start] + declared[end : tail[0]] + declared[tail[1] :])
    (folder / "gates" / "marts.yml").write_text(
        "gate: marts\nrules:\n  - name: any\n    relation: metrics_build.mtr_revenue_by_month\n    action: warn\n"
        "    reason: There is a rule.\n    rows: select 1 as one from metrics_build.mtr_revenue_by_month where false\n"
    )
    monkeypatch.setenv("PLATFORM_GX_DIR", str(folder))
    settings.cache_clear()
    published.query("update ops.publications set code_version = null where true").result()
    build(published, "30")
    (verdict,) = run_gates(["marts"], SECOND, published)
    assert verdict.verdict == "block"
    assert "order_revenue of acme in 2026-09: 100.00 → 30.00" in verdict.message
    assert rows("select expectation, verdict from ops.gate_results where not success order by 1", published) == [
        ("restatement_blocks_mtr_revenue_by_month", "block"),
        ("restatement_warns_mtr_revenue_by_month", "warn"),
    ]
