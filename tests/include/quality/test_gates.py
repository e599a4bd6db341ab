"""Gates in a real warehouse, on small tables: the effect of each action, quarantine, raw gates and data docs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.publish import publish
from include.quality import GateBlocked, build_data_docs, run_gate
from include.run_context import RunContext
from include.settings import settings
from include.sources import Source
from tests.warehouse import rows

RUN = RunContext("manual__2026-10-01T00:00:00+00:00", datetime(2026, 10, 1, tzinfo=UTC))
Make = Callable[..., Path]

ORPHANS: dict[str, Any] = {
    "name": "children_of_known_parents",
    "relation": "conformed.conformed_children",
    "action": "quarantine",
    "reason": "The parent is not known.",
    "key": ["organization_id", "child_id"],
    "rows": """
        select children.*
        from conformed.conformed_children as children
        left join conformed.conformed_parents as parents on children.parent_id = parents.parent_id
        where parents.parent_id is null
    """,
}


def rule(action: str, rows: str, name: str = "no_negative_value", key: tuple[str, ...] = ("id",)) -> dict[str, Any]:
    reason = "A value counts things."
    return {"name": name, "relation": "core.t", "action": action, "reason": reason, "key": list(key), "rows": rows}


def table(bq: Client, name: str, *values: int) -> None:
    """Make a table of rows (id, value)."""
    data = ", ".join(f"struct('k{i}' as id, {value} as value)" for i, value in enumerate(values))
    bq.query(f"create or replace table {name} as select * from unnest([{data}])").result()


def verdicts(bq: Client) -> list[tuple[object, ...]]:
    return rows("select expectation, success, unexpected_count, verdict from ops.gate_results order by 1", bq)


def test_a_gate_that_passes_is_recorded_once(bq: Client, gates: Make) -> None:
    gates({"core": [rule("block", "select * from core.t where value < 0")]})
    table(bq, "core.t", 1, 2)
    for _ in range(2):
        verdict = run_gate("core", RUN)
        assert (verdict.verdict, verdict.message) == ("pass", "Gate core: pass, 1 of 1 expectations hold.")
    assert verdicts(bq) == [("no_negative_value", True, 0, "pass")]


def test_a_rule_that_blocks_raises_an_error_with_relation_count_reason_and_keys(bq: Client, gates: Make) -> None:
    gates({"core": [rule("block", "select * from core.t where value < 0")]})
    table(bq, "core.t", 1, -2, -3)
    with pytest.raises(GateBlocked) as blocked:
        run_gate("core", RUN)
    line = "- block: no_negative_value on core.t: 2 rows. A value counts things. For example k1, k2."
    assert str(blocked.value) == f"Gate core: block, 0 of 1 expectations hold.\n{line}"
    assert verdicts(bq) == [("no_negative_value", False, 2, "block")]
    table(bq, "core.t", 1)
    assert run_gate("core", RUN).verdict == "pass"
    assert verdicts(bq) == [("no_negative_value", True, 0, "pass")]


def test_published_tables_do_not_change_if_the_gate_marts_blocks(bq: Client, gates: Make) -> None:
    gates({"marts": [rule("block", "select * from marts_build.mart_t where value < 0") | {"relation": "marts_build.mart_t"}]})

    def nightly_run(*values: int) -> None:
        """Build, check and publish, as the pipeline does."""
        table(bq, "marts_build.mart_t", *values)
        run_gate("marts", RUN)
        publish(RUN, client=bq)

    nightly_run(1, 2)
    with pytest.raises(GateBlocked):
        nightly_run(1, -2, 3)
    assert rows("select value from marts.mart_t order by 1", bq) == [(1,), (2,)]
    assert [row["row_count"] for row in ops.publications(client=bq)] == [2]


def test_a_rule_that_warns_names_the_rows_and_the_run_continues(bq: Client, gates: Make) -> None:
    gates({"core": [rule("warn", "select * from core.t where value < 0")]})
    table(bq, "core.t", 1, -2)
    verdict = run_gate("core", RUN)
    assert verdict.verdict == "warn"
    assert "warn: no_negative_value on core.t: 1 rows. A value counts things. For example k1." in verdict.message
    assert verdicts(bq) == [("no_negative_value", False, 1, "warn")]


def test_the_verdict_of_a_gate_is_the_severest_of_its_rules(bq: Client, gates: Make) -> None:
    broken = "select * from core.t where value < 0"
    gates(
        {
            "core": [
                rule("warn", broken, "first"),
                rule("block", broken, "second"),
                rule("block", "select 1 from core.t where false", "x"),
            ]
        }
    )
    table(bq, "core.t", -1)
    with pytest.raises(GateBlocked) as blocked:
        run_gate("core", RUN)
    assert [outcome.name for outcome in blocked.value.verdict.failures] == ["second", "first"]


def test_a_rule_that_cannot_be_evaluated_blocks_whatever_its_action(bq: Client, gates: Make) -> None:
    gates({"core": [rule("warn", "select * from core.nowhere"), rule("warn", "select id from core.t where value < 0", "fine")]})
    table(bq, "core.t", 1)
    with pytest.raises(GateBlocked, match=r"no_negative_value on core\.t could not be evaluated: .*nowhere"):
        run_gate("core", RUN)
    assert verdicts(bq) == [("fine", True, 0, "pass"), ("no_negative_value", False, None, "block")]


@pytest.mark.parametrize(
    ("sides", "named"),
    [
        ("select id as part, value as left_value, 1 as right_value from core.t", "row_count"),
        ("select id as part, id as left_value, 1 as right_value, 0 as row_count from core.t", ""),
    ],
)
def test_the_error_about_a_reconciliation_without_its_columns_names_file_and_rule(
    bq: Client, gates: Make, sides: str, named: str
) -> None:
    shared = {"relation": "core.t", "action": "warn", "reason": "Left and right are the same number."}
    gates({"core": [{"name": "misshaped", "reconcile": sides, **shared}]})
    table(bq, "core.t", 1)
    message = (
        r"great_expectations/gates/core\.yml: misshaped: reconcile must return part, .* left_value, right_value and row_count: "
    )
    with pytest.raises(GateBlocked, match=f"{message}.*{named}"):
        run_gate("core", RUN)


def test_a_rule_that_cannot_be_evaluated_does_not_hide_other_rules(bq: Client, gates: Make) -> None:
    sides = "select id as part, value as left_value, 1 as right_value, 0 as row_count from core."
    shared = {"relation": "core.t", "action": "warn", "reason": "Left and right are the same number.", "tolerance": 0.5}
    gates(
        {
            "core": [
                {"name": "of_a_missing_table", "reconcile": f"{sides}nowhere", **shared},
                {"name": "evaluated", "reconcile": f"{sides}t", **shared},
                rule("warn", "select * from core.t where value < 0", "counted"),
            ]
        }
    )
    table(bq, "core.t", 1, -2)
    with pytest.raises(GateBlocked, match=r"block: of_a_missing_table on core\.t could not be evaluated: .*nowhere"):
        run_gate("core", RUN)
    assert verdicts(bq) == [
        ("counted", False, 1, "warn"),
        ("evaluated", False, 1, "warn"),
        ("of_a_missing_table", False, None, "block"),
    ]
    assert rows("select reconciliation, part, difference from ops.reconciliation order by part", bq) == [
        ("evaluated", "k0", 0.0),
        ("evaluated", "k1", -3.0),
    ]


def test_a_rule_whose_rows_cannot_be_shown_or_quarantined_is_named_and_does_not_hide_other_rules(bq: Client, gates: Make) -> None:
    gates(
        {
            "conformed": [
                rule("warn", "select * from core.t where value < 0 -- all", "with_a_comment"),
                rule("warn", "select * from core.t where value < 0", "without_its_key", ("nokey",)),
                rule("quarantine", "select * from core.t where value < 0", "not_quarantined", ("nokey",))
                | {"relation": "conformed.t"},
                rule("warn", "select * from core.t where value < 0", "counted"),
            ]
        }
    )
    table(bq, "core.t", 1, -2)
    with pytest.raises(
        GateBlocked, match=r"(?s)not_quarantined.*nokey.*without_its_key.*nokey|without_its_key.*nokey.*not_quarantined.*nokey"
    ):
        run_gate("conformed", RUN)
    assert {(name, verdict) for name, _, _, verdict in verdicts(bq)} == {
        ("with_a_comment", "warn"),
        ("without_its_key", "block"),
        ("not_quarantined", "block"),
        ("counted", "warn"),
    }


def test_a_gate_may_have_expectations_of_great_expectations(bq: Client, gates: Make) -> None:
    gates(
        {
            "core": [
                {
                    "name": "value_is_a_percentage",
                    "relation": "core.t",
                    "action": "warn",
                    "reason": "Parts of a whole.",
                    "expect": {"type": "expect_column_values_to_be_between", "column": "value", "min_value": 0, "max_value": 100},
                },
                {
                    "name": "table_has_rows",
                    "relation": "core.t",
                    "action": "block",
                    "reason": "An empty table has no figures.",
                    "expect": {"type": "expect_table_row_count_to_be_between", "min_value": 1},
                },
            ]
        }
    )
    table(bq, "core.t", 50, 101, 102)
    verdict = run_gate("core", RUN)
    assert "value_is_a_percentage on core.t: 2 rows. Parts of a whole. For example 101, 102." in verdict.message
    assert rows("select column_name, observed from ops.gate_results order by 1", bq) == [(None, "3"), ("value", "2 of 3")]
    bq.query("delete from core.t where true").result()
    with pytest.raises(GateBlocked, match="table_has_rows"):
        run_gate("core", RUN)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("timestamp '2026-10-01 00:00:00+00' != @as_of", 0),
        ("@as_of = timestamp '2026-10-01 00:00:00+00'", 1),
        ("@run_id = 'manual__2026-10-01T00:00:00+00:00'", 1),
        ("@batch_id != ''", 0),
        ("@full_refresh", 0),
        ("'a :b' = concat('a ', ':b')", 1),
        ("'{x}' = concat('{', 'x}')", 1),
        ("id like 'k%' and '10%s' = concat('10%', 's')", 1),
    ],
)
def test_parameters_of_the_run_and_special_characters_reach_the_warehouse_unchanged(
    bq: Client, gates: Make, condition: str, count: int
) -> None:
    gates({"core": [rule("warn", f"select * from core.t where {condition}")]})
    table(bq, "core.t", 1)
    run_gate("core", RUN)
    assert verdicts(bq) == [("no_negative_value", count == 0, count, "warn" if count else "pass")]


def family(bq: Client, parents: str, children: str) -> None:
    """Raw parents and children, conformed views of all rows, and clean views without the rows in quarantine."""
    for name, values in (("parents", parents), ("children", children)):
        bq.query(f"create or replace table raw_shop.{name} as select * from unnest([{values}])").result()
    for name, key in (("parents", "parent_id"), ("children", "concat(organization_id, '|', child_id)")):
        bq.query(f"create or replace view conformed.conformed_{name} as select * from raw_shop.{name}").result()
        bq.query(
            f"create or replace view core.clean_{name} as select * from conformed.conformed_{name} where {key} not in ("
            f"select row_key from quarantine.quarantined_rows where relation = 'conformed_{name}')"
        ).result()


MUM = "struct('o' as organization_id, 'mum' as parent_id, 'gran' as grandparent)"
CHILDREN = ", ".join(
    f"struct('o' as organization_id, '{child}' as child_id, '{parent}' as parent_id)"
    for child, parent in (("ann", "mum"), ("bob", "dad"), ("cy", "dad"))
)


def in_quarantine(bq: Client) -> list[tuple[object, ...]]:
    return rows("select relation, row_key from quarantine.quarantined_rows order by 1, 2", bq)


def test_rows_are_quarantined_with_the_reason_and_the_run_continues(bq: Client, gates: Make) -> None:
    gates({"conformed": [ORPHANS]})
    family(bq, MUM, CHILDREN)
    for _ in range(2):
        verdict = run_gate("conformed", RUN)
        assert (verdict.verdict, verdict.quarantined) == ("quarantine", 2)
        assert rows("select child_id from core.clean_children", bq) == [("ann",)]
    assert in_quarantine(bq) == [("conformed_children", "o|bob"), ("conformed_children", "o|cy")]
    kept = rows(
        "select organization_id, reason, expectation, gate, json_value(row_json, '$.parent_id'), run_id, as_of "
        "from quarantine.quarantined_rows where row_key = 'o|bob'",
        bq,
    )
    assert kept == [("o", "The parent is not known.", "children_of_known_parents", "conformed", "dad", RUN.run_id, RUN.as_of)]
    assert verdicts(bq) == [("children_of_known_parents", False, 2, "quarantine")]


def test_rows_leave_quarantine_when_their_parent_arrives(bq: Client, gates: Make) -> None:
    gates({"conformed": [ORPHANS]})
    family(bq, MUM, CHILDREN)
    run_gate("conformed", RUN)
    family(bq, f"{MUM}, struct('o', 'dad', 'gran')", CHILDREN)
    assert run_gate("conformed", RUN).verdict == "pass"
    assert in_quarantine(bq) == []
    assert rows("select count(*) from core.clean_children", bq) == [(3,)]


def test_a_row_that_breaks_two_rules_is_quarantined_once(bq: Client, gates: Make) -> None:
    named = ORPHANS | {"name": "children_have_names", "rows": "select * from conformed.conformed_children where child_id < 'c'"}
    gates({"conformed": [ORPHANS, named]})
    family(bq, MUM, CHILDREN)
    assert run_gate("conformed", RUN).quarantined == 3
    assert [key for _, key in in_quarantine(bq)] == ["o|ann", "o|bob", "o|cy"]


def test_children_of_a_quarantined_row_are_quarantined_if_their_rule_reads_the_quarantine(bq: Client, gates: Make) -> None:
    rootless = ORPHANS | {
        "name": "parents_with_a_root",
        "relation": "conformed.conformed_parents",
        "key": ["parent_id"],
        "rows": "select * from conformed.conformed_parents where grandparent is null",
    }
    quarantined = "(select row_key from quarantine.quarantined_rows where relation = 'conformed_parents')"
    orphans = ORPHANS | {"rows": f"{ORPHANS['rows']} or parents.parent_id in {quarantined}"}
    gates({"conformed": [orphans, rootless]})
    family(bq, f"{MUM}, struct('o', 'dad', cast(null as string))", CHILDREN)
    assert run_gate("conformed", RUN).quarantined == 3
    assert [key for _, key in in_quarantine(bq)] == ["o|bob", "o|cy", "dad"]


def test_a_gate_does_not_restore_rows_that_others_quarantined(bq: Client, gates: Make) -> None:
    gates({"conformed": [ORPHANS]})
    family(bq, MUM, CHILDREN)
    foreign = {"relation": "conformed_children", "row_key": "o|ann", "reason": "by hand", "expectation": "e", "gate": "hand"}
    ops.append("quarantine.quarantined_rows", [foreign | {"quarantined_at": RUN.as_of}], client=bq)
    run_gate("conformed", RUN)
    assert ("conformed_children", "o|ann") in in_quarantine(bq)


def test_reconciliations_are_recorded_whether_their_sides_agree_or_not(bq: Client, gates: Make) -> None:
    comparison = {
        "name": "values_agree",
        "relation": "core.t",
        "action": "warn",
        "reason": "Left and right are the same number.",
        "tolerance": 0.5,
        "reconcile": "select id as part, value as left_value, 2 as right_value, 1 as row_count from core.t",
    }
    gates({"core": [comparison]})
    table(bq, "core.t", 2, 5)
    for _ in range(2):
        verdict = run_gate("core", RUN)
        assert "values_agree on core.t: 1 rows. Left and right are the same number. For example k1." in verdict.message
        assert verdict.outcomes[0].key == ("part",), "alerts name samples by their key"
    kept = rows(
        "select reconciliation, part, left_value, right_value, difference, row_count from ops.reconciliation order by part", bq
    )
    assert kept == [("values_agree", "k0", 2.0, 2.0, 0.0, 1), ("values_agree", "k1", 5.0, 2.0, 3.0, 1)]


SHOP_FILE: dict[str, Any] = {
    "description": "A shop",
    "owner": "data_platform",
    "tier": "low",
    "schedule": "0 2 * * *",
    "connection": "shop",
    "freshness": {"warn_after": "26h", "error_after": "50h"},
    "reader": {"type": "sql", "schema": "shop"},
    "tables": {
        "items": {
            "description": "Items",
            "primary_key": ["organization_id", "item_id"],
            "event_time": "none",
            "columns": {
                "item_id": {"type": "string", "description": "The item"},
                "organization_id": {"type": "string", "description": "The tenant"},
            },
        },
    },
}
SHOP = Source.model_validate(SHOP_FILE)
SHOP._name = "shop"
SHOP.tables["items"]._name = "items"


@pytest.fixture
def shop(bq: Client, gates: Make) -> Client:
    """A source whose one table is loaded: five rows, two of them by this run."""
    gates({}, {"shop": SHOP_FILE})
    batch = RUN.batch_id("shop")
    bq.query(
        "create table raw_shop.items as select 'i' || i as item_id, 'o' as organization_id, current_timestamp() as _extracted_at, "
        f"timestamp '2026-10-01' as _loaded_at, if(i < 3, '{batch}', 'shop@before') as _batch_id, 'f' as _source_file_id, "
        "false as _is_deleted, cast(null as timestamp) as _restored_at from unnest(generate_array(1, 5)) as i"
    ).result()
    record_load(bq, batch, 2)
    return bq


def record_load(bq: Client, batch: str, loaded: int, rejected: int = 0, at: datetime = RUN.as_of, **more: Any) -> None:
    """Write the row of a load to `ops.loads`."""
    row = {"batch_id": batch, "source": "shop", "table_name": "items", "rows_loaded": loaded, "rows_deleted": 0}
    ops.append(
        "ops.loads", [row | {"rows_rejected": rejected, "loaded_at": at} | more], replace_where={"batch_id": batch}, client=bq
    )


def test_a_complete_load_passes_its_raw_gate(shop: Client) -> None:
    assert run_gate("raw_shop", RUN).verdict == "pass"


def test_a_repeated_load_is_complete_too(shop: Client) -> None:
    """The second load of a batch has only new rows. The rows of the first stay, because raw is append-only."""
    later = "timestamp '2026-10-01 01:00:00+00'"
    shop.query(
        f"insert into raw_shop.items select * replace ('i9' as item_id, {later} as _loaded_at) from raw_shop.items where item_id = 'i1'"
    ).result()
    record_load(shop, RUN.batch_id("shop"), 1, at=datetime(2026, 10, 1, 1, tzinfo=UTC))
    assert run_gate("raw_shop", RUN).verdict == "pass"


def test_a_table_without_a_load_in_this_run_blocks(shop: Client) -> None:
    tomorrow = RunContext("scheduled__x", datetime(2026, 10, 2, tzinfo=UTC))
    with pytest.raises(GateBlocked, match=r"every_table_arrived on ops\.loads: 1 rows\..* For example items\."):
        run_gate("raw_shop", tomorrow)


@pytest.mark.parametrize(
    ("damage", "failure"),
    [
        ("delete from raw_shop.items where item_id = 'i1'", "load_is_complete"),
        ("update raw_shop.items set item_id = null where item_id = 'i1'", "keys_present_in_items"),
        ("update raw_shop.items set organization_id = null where item_id = 'i1'", "keys_present_in_items"),
        (
            "create or replace table raw_shop.items as select * except (organization_id) from raw_shop.items",
            "missing: organization_id",
        ),
    ],
)
def test_a_damaged_load_blocks(shop: Client, damage: str, failure: str) -> None:
    shop.query(damage).result()
    with pytest.raises(GateBlocked, match=failure):
        run_gate("raw_shop", RUN)


def test_rejected_records_warn_and_many_block(shop: Client) -> None:
    record_load(shop, RUN.batch_id("shop"), 2, rejected=1)
    assert "warn: records_are_readable" in run_gate("raw_shop", RUN).message
    record_load(shop, RUN.batch_id("shop"), 2, rejected=11)
    with pytest.raises(GateBlocked, match="block: few_records_rejected"):
        run_gate("raw_shop", RUN)


def test_an_unusual_volume_and_another_schema_warn(shop: Client) -> None:
    for day in range(1, 9):
        midnight = datetime(2026, 9, day, tzinfo=UTC)
        record_load(shop, RunContext("nightly", midnight).batch_id("shop"), 100_000 if day == 1 else 3_000 + day, at=midnight)
        for hour in range(1, 20):
            # The loads of refreshes do not count: with them, few rows would be usual.
            at = midnight.replace(hour=hour)
            record_load(shop, RunContext("refresh", at).batch_id("shop"), 2, at=at)
    change = {"batch_id": RUN.batch_id("shop"), "source": "shop", "table_name": "items", "column_name": "colour"}
    ops.append("ops.schema_changes", [change | {"change": "new_column", "detected_at": RUN.as_of}], client=shop)
    message = run_gate("raw_shop", RUN).message
    assert "volume_as_usual on ops.loads: 1 rows." in message
    assert "For example items|2|3005" in message
    assert "schema_as_agreed on ops.schema_changes: 1 rows." in message


@pytest.fixture
def critical(shop: Client, gates: Make) -> Client:
    """The shop as a critical source."""
    gates({}, {"shop": SHOP_FILE | {"tier": "critical"}})
    return shop


def test_a_critical_table_without_rows_blocks(critical: Client, gates: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read of changes may find none, and a table that may be empty may be empty."""
    critical.query("delete from raw_shop.items where true").result()
    record_load(critical, RUN.batch_id("shop"), 0, rows_read=0, is_whole=False)
    assert run_gate("raw_shop", RUN).verdict == "pass"
    record_load(critical, RUN.batch_id("shop"), 0, rows_read=0, is_whole=True)
    with pytest.raises(GateBlocked, match=r"whole_reads_have_rows on ops\.loads: 1 rows\..* For example items\."):
        run_gate("raw_shop", RUN)
    with monkeypatch.context() as patch:
        patch.setenv("PLATFORM_EMPTY_TABLES", "others,items")
        settings.cache_clear()
        assert run_gate("raw_shop", RUN).verdict == "pass"
    settings.cache_clear()
    tables = {"items": SHOP_FILE["tables"]["items"] | {"may_be_empty": True}}
    gates({}, {"shop": SHOP_FILE | {"tier": "critical", "tables": tables}})
    assert run_gate("raw_shop", RUN).verdict == "pass"


@pytest.mark.parametrize(("read", "blocked"), [(400, False), (399, True)])
def test_a_whole_read_with_far_fewer_rows_blocks(critical: Client, read: int, blocked: bool) -> None:
    """The median of three whole reads is 1,000: half of it, less 100. Later days and reads of changes do not count."""
    for day, rows_read, is_whole in ((1, 990, True), (2, 1_000, True), (3, 5_000, True), (4, 1, False)):
        moment = datetime(2026, 9, day, tzinfo=UTC)
        record_load(
            critical, RunContext("nightly", moment).batch_id("shop"), 5, at=moment, rows_read=rows_read, is_whole=is_whole
        )
    later = datetime(2026, 11, 1, tzinfo=UTC)
    record_load(critical, RunContext("nightly", later).batch_id("shop"), 5, at=later, rows_read=100_000, is_whole=True)
    record_load(critical, RUN.batch_id("shop"), 2, rows_read=read, is_whole=True)
    if not blocked:
        assert run_gate("raw_shop", RUN).verdict == "pass"
        return
    with pytest.raises(GateBlocked, match=r"block: whole_reads_as_usual .*For example items\|399\|1000"):
        run_gate("raw_shop", RUN)


def test_rows_that_the_cursor_has_missed_warn(shop: Client) -> None:
    record_load(shop, RUN.batch_id("shop"), 2, rows_recovered=1)
    assert "warn: cursor_finds_rows" in run_gate("raw_shop", RUN).message


def test_data_docs_show_the_latest_results_as_pages(bq: Client, gates: Make, capfd: pytest.CaptureFixture[str]) -> None:
    folder = gates({"core": [rule("warn", "select * from core.t where value < 0")]})
    table(bq, "core.t", 1, -2)
    for number in range(5):
        run_gate("core", RunContext(f"run_{number}", RUN.as_of))
    index = build_data_docs()
    overview = index.read_text(encoding="utf-8")
    assert "<b class='warn'>warn</b>" in overview
    assert "https://" not in overview
    links = [unquote(link) for link in re.findall(r"href='([^']+)'", overview)]
    assert len(links) == 2
    assert all((index.parent / link).exists() for link in links)
    assert sorted(page.parents[1].name for page in index.parent.rglob("validations/**/*.html")) == [
        "run_2",
        "run_3",
        "run_4",
    ]
    pages = "".join(page.read_text(encoding="utf-8") for page in index.parent.rglob("*.html"))
    assert "no_negative_value" in pages
    assert [path.name for path in folder.parent.rglob("*")] == ["gates", "core.yml"], "nothing is written beside the gates"
    assert "{batch}" not in capfd.readouterr().out
    # The results of a removed suite are not shown.
    (folder / "core.yml").unlink()
    gates({"marts": [rule("warn", "select * from core.t where value < 1")]})
    run_gate("marts", RUN)
    overview = build_data_docs().read_text(encoding="utf-8")
    assert re.findall("<h2>(\\w+) ", overview) == ["marts"]
    pages = [index.parent.parent / name for name in ("freshness.html", "restatements.html")]
    assert not [page.name for page in pages if page.name in overview], "there is no link to a page that does not exist"
    for page in pages:
        page.touch()
        assert f"href='../{page.name}'" in build_data_docs().read_text(encoding="utf-8")
        assert page.exists()
