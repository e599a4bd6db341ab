"""The jobs of each scheduled run, their kinds, and the growth of the tables."""

from __future__ import annotations

from typing import Any

from include.cost.prices import MIB
from include.cost.sizes import Size
from include.cost.work import NIGHTLY, Nodes, Work, by_kind, dearest, grown, works


def node(kind: str, name: str, *parents: str, schema: str = "core") -> dict[str, Any]:
    return {"resource_type": kind, "name": name, "schema": schema, "alias": name, "depends_on": {"nodes": list(parents)}}


NODES = Nodes(
    {
        "nodes": {
            "seed.p.tiers": node("seed", "tiers", schema="seeds"),
            "model.p.dim_date": node("model", "dim_date"),
            "model.p.fct_usage": node("model", "fct_usage", "source.p.raw.usage", "seed.p.tiers"),
            "model.p.mart_usage": node("model", "mart_usage", "model.p.fct_usage", schema="marts_build"),
            "model.p.mart_days": node("model", "mart_days", "model.p.dim_date", schema="marts_build"),
            "test.p.unique_tiers": node("test", "unique_tiers", "seed.p.tiers"),
            "test.p.unique_usage": node("test", "unique_usage", "model.p.fct_usage", "seed.p.tiers"),
        }
    }
)
USAGE = {"core.fct_usage": {"columns": ["n"], "ranges": [{}]}}


def job(phase: str, label: str = "", error: str | None = None, **labels: str) -> dict[str, Any]:
    kind = "CREATE_TABLE_AS_SELECT" if label == "fct_usage" else "SELECT"
    statements = [{"kind": kind, "target": None, "billed": USAGE}]
    given = labels | ({"node": label} if label else {})
    return {
        "phase": phase,
        "labels": given,
        "error": error,
        "kind": "query",
        "target": None,
        "statements": statements,
        "origin": "",
        "sql": "",
    }


def test_a_nightly_run_is_the_incremental_run_with_the_data_tests_of_the_full_one() -> None:
    jobs = [
        job("first run", "fct_usage"),
        job("first run", "unique_usage"),
        job("first run", "unique_tiers"),  # seeds are tested when they change
        job("second run", "mart_usage"),
        job("second run", "fct_usage", error="refused"),
        job("refresh_hourly", "fct_usage"),
        job("queries"),
    ]
    nightly, hourly = works(jobs, {"second run": 1, "refresh_hourly": 24}, NODES)
    assert (nightly.name, nightly.per_day) == (NIGHTLY, 1)
    assert [item["labels"]["node"] for item in nightly.jobs] == ["mart_usage", "unique_usage"]
    assert (hourly.name, hourly.per_day, len(hourly.jobs)) == ("refresh_hourly", 24, 1)


def test_seeds_calendars_and_audit_tables_do_not_grow_with_the_company() -> None:
    one = Size(10, {"n": 80}, {"2026-01-01": 10}, "MONTH")
    names = [
        "seeds.tiers",
        "core.dim_date",
        "marts.mart_days",
        "ops.loads",
        "core.fct_usage",
        "marts.mart_usage",
        "raw_product.usage",
    ]
    larger = grown(dict.fromkeys(names, one), 100, NODES.growing())
    assert {name for name, size in larger.items() if size == one} == {
        "seeds.tiers",
        "core.dim_date",
        "marts.mart_days",
        "ops.loads",
    }
    assert larger["core.fct_usage"] == Size(1_000, {"n": 8_000}, {"2026-01-01": 1_000}, "MONTH")


def test_the_most_expensive_items_of_a_month_are_sums_over_all_runs() -> None:
    sizes = {"core.fct_usage": Size(1, {"n": 20 * MIB})}
    done = [
        Work(NIGHTLY, 1, [job("", "fct_usage"), job("", "unique_usage")]),
        Work("refresh_hourly", 24, [job("", "fct_usage"), job("", gate="core")]),
    ]
    found = dearest(done, sizes, NODES, count=2)
    # 30 nightly runs and 720 refreshes: 750 times 20 MiB; the gate 720 times.
    assert [(name, part.bytes // MIB) for name, part in found] == [("model fct_usage", 15_000), ("gate core", 14_400)]
    kinds = by_kind(done[1], sizes, NODES)
    assert [(kind, count, part.bytes // MIB) for kind, count, part in kinds] == [("dbt model", 1, 20), ("gate", 1, 20)]


def test_a_model_and_its_published_copy_are_partitioned_as_it_says() -> None:
    model = node("model", "mart_kpis", schema="marts_build")
    model["config"] = {"partition_by": {"field": "month", "data_type": "date", "granularity": "month"}}
    assert Nodes({"nodes": {"model.p.mart_kpis": model}}).partitioning() == {
        "marts_build.mart_kpis": ("month", "MONTH"),
        "marts.mart_kpis": ("month", "MONTH"),
    }
