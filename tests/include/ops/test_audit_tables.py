"""The audit tables: created once, replaced row by row in a rerun, read for the summary."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import Client

from include import ops
from include.ops import writers
from include.run_context import RunContext
from tests.warehouse import rows

RUN = RunContext("scheduled__2026-10-01", datetime(2026, 10, 1, tzinfo=UTC))
NOW = datetime(2026, 10, 1, 2, 3, 4, 567891, tzinfo=UTC)


def load(table: str, count: int = 1, run: RunContext = RUN) -> dict[str, object]:
    return {
        "batch_id": run.batch_id("crm"),
        "run_id": run.run_id,
        "source": "crm",
        "table_name": table,
        "rows_loaded": count,
        "loaded_at": NOW,
    }


def test_every_table_and_column_is_described_and_partitioned(bq: Client) -> None:
    for name, definition in ops.TABLES.items():
        table = bq.get_table(name)
        assert [field.name for field in table.schema] == [column.name for column in definition.columns]
        assert all(field.description for field in table.schema), name
        assert table.description
        assert table.time_partitioning.field == definition.partition_by
        assert table.clustering_fields == list(definition.cluster_by)


def test_ensuring_again_keeps_existing_rows(bq: Client) -> None:
    ops.append("ops.loads", [load("accounts")], client=bq)
    ops.ensure_tables(["crm", "billing"], client=bq)
    assert rows("select table_name from ops.loads", bq) == [("accounts",)]
    assert {"raw_crm", "raw_billing", *ops.DATASETS} <= {dataset.dataset_id for dataset in bq.list_datasets()}


def test_ensuring_complete_tables_sends_no_query(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task that loads or builds ensures the tables: BigQuery would bill two tables of INFORMATION_SCHEMA each time."""
    ops.ensure_tables([], client=bq)
    for name in ("query", "create_table"):
        monkeypatch.setattr(bq, name, lambda *_, **__: pytest.fail("nothing is missing"))
    ops.ensure_tables([], client=bq)


def outdate_definition(bq: Client) -> None:
    """As before an upgrade of the platform: the label names an older definition."""
    labelled = bq.get_table("ops.pipeline_runs")
    labelled.labels = {"audit_tables": "older", "owner": "somebody"}
    bq.update_table(labelled, ["labels"])


def test_ensuring_adds_all_missing_columns_in_one_statement(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bq.query("drop table ops.publications").result()
    old = [bigquery.SchemaField("table_name", "STRING", "REQUIRED")]
    bq.create_table(bigquery.Table(f"{bq.project}.ops.publications", schema=old))
    outdate_definition(bq)
    changes: list[str] = []
    query = bq.query
    with monkeypatch.context() as patch:
        patch.setattr(bq, "query", lambda sql, *a, **k: (changes.append(sql), query(sql, *a, **k))[1])
        for _ in range(2):
            ops.ensure_tables([], client=bq)
    assert sum("alter table" in sql for sql in changes) == 1, "BigQuery takes five changes of a table's schema in ten seconds"
    assert bq.get_table("ops.pipeline_runs").labels["owner"] == "somebody"
    row = {
        "table_name": "t",
        "dataset": "marts",
        "build_dataset": "marts_build",
        "run_id": "r",
        "published_at": NOW,
        "state": "published",
    }
    ops.append("ops.publications", [row], client=bq)
    assert [published["run_id"] for published in ops.publications(client=bq)] == ["r"]
    bq.query("drop table ops.publications").result()
    ops.ensure_tables([], client=bq)


def test_ensuring_brings_descriptions_up_to_date_once(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def descriptions() -> list[object]:
        table, dataset = bq.get_table("ops.loads"), bq.get_dataset("core")
        return [table.description, dataset.description, *((field.name, field.mode, field.description) for field in table.schema)]

    now = descriptions()
    ops.append("ops.loads", [load("accounts")], client=bq)
    table, dataset = bq.get_table("ops.loads"), bq.get_dataset("core")
    table.description = dataset.description = "Of the release before."
    fields = [field.to_api_repr() for field in table.schema]
    table.schema = [bigquery.SchemaField.from_api_repr(field | {"description": "Of the release before."}) for field in fields]
    bq.update_table(table, ["schema", "description"])
    bq.update_dataset(dataset, ["description"])
    assert descriptions() != now
    outdate_definition(bq)
    ops.ensure_tables([], client=bq)
    assert descriptions() == now
    assert rows("select table_name from ops.loads", bq) == [("accounts",)]
    outdate_definition(bq)
    updated: list[str] = []
    update = bq.update_table
    monkeypatch.setattr(bq, "update_table", lambda table, fields: (updated.extend(fields), update(table, fields))[1])
    ops.ensure_tables([], client=bq)
    assert updated == ["labels"], "only what differs is updated"


def test_a_rerun_replaces_its_rows_and_no_others(bq: Client) -> None:
    other = RunContext("scheduled__2026-10-02", RUN.as_of + timedelta(days=1))
    ops.append("ops.loads", [load("accounts", 7, other)], client=bq)
    for count in (1, 2):
        written = ops.append(
            "ops.loads",
            [load("accounts", count), load("deals", count)],
            replace_where={"batch_id": RUN.batch_id("crm"), "table_name": ["accounts", "deals"]},
            client=bq,
        )
        assert written == 2
    assert rows("select table_name, rows_loaded from ops.loads order by 1, 2", bq) == [
        ("accounts", 2),
        ("accounts", 7),
        ("deals", 2),
    ]
    ops.append("ops.loads", [], replace_where={"run_id": RUN.run_id}, client=bq)
    assert rows("select rows_loaded from ops.loads", bq) == [(7,)]


def test_null_can_be_replaced_too(bq: Client) -> None:
    ops.append("ops.loads", [load("accounts") | {"run_id": None}, load("deals")], client=bq)
    ops.append("ops.loads", [], replace_where={"run_id": None}, client=bq)
    assert rows("select table_name from ops.loads", bq) == [("deals",)]


def test_no_row_matches_an_empty_list(bq: Client) -> None:
    ops.append("ops.loads", [load("accounts")], client=bq)
    for column in ("table_name", "rows_loaded", "loaded_at"):
        ops.append("ops.loads", [], replace_where={"run_id": RUN.run_id, column: []}, client=bq)
    assert rows("select table_name from ops.loads", bq) == [("accounts",)]


def test_values_are_read_as_they_were_written(bq: Client) -> None:
    text = "quote ' \" back\\slash \n new line é 😀 {brace} $.path %s"
    record = {"source": "crm", "table_name": "t", "line_number": 2**40, "reason": "r", "payload": text, "batch_id": "b"}
    ops.append("quarantine.rejected_records", [record | {"rejected_at": NOW}], client=bq)
    assert rows("select payload, line_number, rejected_at from quarantine.rejected_records", bq) == [(text, 2**40, NOW)]


def test_many_rows_take_several_statements_and_still_replace(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_CHUNK_CHARACTERS", 500)
    for _ in range(2):
        ops.append("ops.loads", [load(f"t{i}") for i in range(20)], replace_where={"run_id": RUN.run_id}, client=bq)
    assert rows("select count(*), count(distinct table_name) from ops.loads", bq) == [(20, 20)]


def test_concurrent_writers_lose_nothing(bq: Client) -> None:
    def write(name: str) -> None:
        ops.append("ops.loads", [load(name)], replace_where={"table_name": name}, client=bq)

    threads = [threading.Thread(target=write, args=(f"t{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows("select count(distinct table_name), count(*) from ops.loads", bq) == [(6, 6)]


@pytest.mark.parametrize(
    ("table", "row", "where", "message"),
    [
        ("ops.nothing", {}, None, "ops.nothing"),
        ("ops.loads", {"colour": "red"}, None, "has no column colour"),
        ("ops.loads", load("a"), {"colour": "red"}, "has no column colour"),
        ("ops.loads", load("a"), {}, "would delete all"),
        ("ops.loads", load("a") | {"loaded_at": datetime(2026, 1, 1)}, None, "naive"),
    ],
)
def test_mistakes_are_named(table: str, row: dict[str, object], where: dict[str, object] | None, message: str) -> None:
    with pytest.raises((KeyError, ValueError), match=message):
        ops.append(table, [row], replace_where=where, client=Client.__new__(Client))


def test_a_run_begins_ends_and_may_begin_again(bq: Client) -> None:
    ops.start_run(RUN, "transform", client=bq)
    ops.finish_run(RUN, "transform", "failed", "no luck", client=bq)
    assert [(run["state"], run["message"]) for run in ops.runs("transform", client=bq)] == [("failed", "no luck")]
    ops.start_run(RUN, "transform", client=bq)
    assert [(run["state"], run["finished_at"]) for run in ops.runs(client=bq)] == [("running", None)]
    ops.finish_run(RUN, "transform", "success", client=bq)
    ops.finish_run(RUN, "ingest_crm", "failed", "never began", client=bq)
    states = {run["dag_id"]: run["state"] for run in ops.runs(client=bq)}
    assert states == {"transform": "success", "ingest_crm": "failed"}
    with pytest.raises(ValueError, match="success or failed or skipped"):
        ops.finish_run(RUN, "transform", "done", client=bq)


def test_a_run_links_to_its_page_or_log(bq: Client) -> None:
    def links() -> dict[str, object]:
        return {run["dag_id"]: run["log_url"] for run in ops.runs(client=bq)}

    ops.start_run(RUN, "transform", "http://airflow/dags/transform/runs/r", client=bq)
    ops.finish_run(RUN, "transform", "success", client=bq)
    assert links() == {"transform": "http://airflow/dags/transform/runs/r"}
    for dag_id in ("transform", "maintenance"):
        ops.finish_run(RUN, dag_id, "failed", "no luck", f"http://airflow/dags/{dag_id}/runs/r/tasks/t", client=bq)
    assert links() == {dag_id: f"http://airflow/dags/{dag_id}/runs/r/tasks/t" for dag_id in ("transform", "maintenance")}


def test_readers_return_the_wanted_run(bq: Client) -> None:
    again = RunContext("manual__again", RUN.as_of)
    for run, minute in ((RUN, 0), (again, 1)):
        verdict = {
            "run_id": run.run_id,
            "as_of": run.as_of,
            "gate": "core",
            "relation": "core.t",
            "action": "warn",
            "success": True,
        }
        verdict |= {"expectation": "e", "verdict": "pass", "evaluated_at": NOW + timedelta(minutes=minute)}
        ops.append("ops.gate_results", [verdict], client=bq)
    ops.append("ops.loads", [load("accounts")], client=bq)
    assert [row["run_id"] for row in ops.gate_results(as_of=RUN.as_of, client=bq)] == ["manual__again"]
    assert [row["run_id"] for row in ops.gate_results(RUN.run_id, client=bq)] == [RUN.run_id]
    assert len(ops.loads([RUN.batch_id("crm")], client=bq)) == len(ops.loads(as_of=RUN.as_of, client=bq)) == 1
    assert ops.loads(["crm@1999-01-01T000000Z"], client=bq) == []
    assert ops.last_as_of(client=bq) is None


#: Former table → its rows, by the former names of its columns. The names are those of the release before.
FORMER: dict[str, dict[str, object]] = {
    "ops.turns": {"resource": "build", "dag_id": "transform", "run_id": "r", "taken_at": NOW},
    "ops.sla_promises": {
        "dataset": "marts",
        "table_name": "mart_a",
        "cadence": "daily",
        "fresh_within_minutes": 360,
        "criticality": "high",
        "owner": "finance",
        "channels": "",
        "calendar": "every_day",
        "recorded_at": NOW,
    },
    "ops.sla_events": {
        "event_id": "marts.mart_a@2026-10-01T080000Z:breached",
        "dataset": "marts",
        "table_name": "mart_a",
        "state": "breached",
        "due_at": NOW,
        "measured_at": NOW,
        "promised_minutes": 360,
        "criticality": "high",
        "owner": "finance",
    },
    "ops.sla_attainment": {
        "dataset": "marts",
        "table_name": "mart_a",
        "owner": "finance",
        "criticality": "high",
        "period": "week",
        "period_start": NOW,
        "minutes_promised": 60.0,
        "minutes_on_time": 45.0,
        "attainment": 0.75,
        "breach_count": 1,
        "longest_breach_minutes": 15.0,
    },
}
RENAMED = {
    "ops.turns": "ops.locks",
    "ops.sla_promises": "ops.freshness_slas",
    "ops.sla_events": "ops.freshness_events",
    "ops.sla_attainment": "ops.freshness_attainment",
}
RENAMED_COLUMNS = {"promised_minutes": "sla_minutes", "minutes_promised": "minutes_monitored"}


@pytest.fixture
def former(bq: Client) -> Iterator[Client]:
    """A warehouse of the release before: its tables have their former names, and one row each. Afterwards all is as now."""
    for name, row in FORMER.items():
        definition = ops.TABLES[RENAMED[name]]
        bq.query(f"drop table {definition.qualified}").result()
        now_named = {RENAMED_COLUMNS.get(column, column): value for column, value in row.items()}
        fields = [
            bigquery.SchemaField(column.formerly or column.name, column.type, "REQUIRED" if column.required else "NULLABLE")
            for column in definition.columns
        ]
        old = bigquery.Table(f"{bq.project}.{name}", schema=fields)
        old.time_partitioning = bigquery.TimePartitioning(field=definition.partition_by)
        old.clustering_fields = list(definition.cluster_by)
        bq.create_table(old)
        names, kinds = list(row), [definition.column(column).type for column in now_named]
        marks = ", ".join(f"@p{position}" for position in range(len(row)))
        parameters = [
            bigquery.ScalarQueryParameter(f"p{position}", kind, value)
            for position, (kind, value) in enumerate(zip(kinds, row.values(), strict=True))
        ]
        config = bigquery.QueryJobConfig(query_parameters=parameters)
        bq.query(f"insert into {name} ({', '.join(names)}) values ({marks})", job_config=config).result()
    outdate_definition(bq)
    yield bq
    for item in bq.list_tables("ops"):
        if f"ops.{item.table_id}" in FORMER:
            bq.query(f"drop {item.table_type} ops.{item.table_id}").result()
    ops.ensure_tables([], client=bq)


def contents(bq: Client, table: str) -> dict[str, object]:
    """The values that the only row of a table or view has."""
    (row,) = bq.query(f"select * from {table}").result()
    return {name: value for name, value in row.items() if value is not None}


def check_upgraded(bq: Client) -> None:
    kinds = {f"ops.{item.table_id}": item.table_type for item in bq.list_tables("ops")}
    for name, row in FORMER.items():
        assert (kinds[name], kinds[RENAMED[name]]) == ("VIEW", "TABLE")
        assert contents(bq, name) == row, "readable by the former names"
        assert contents(bq, RENAMED[name]) == {RENAMED_COLUMNS.get(column, column): value for column, value in row.items()}
        definition, table = ops.TABLES[RENAMED[name]], bq.get_table(RENAMED[name])
        assert [field.name for field in table.schema] == [column.name for column in definition.columns]
        assert table.time_partitioning.field == definition.partition_by
        assert table.clustering_fields == list(definition.cluster_by)


def changes(bq: Client, monkeypatch: pytest.MonkeyPatch, at_most: int = 100) -> list[str]:
    """The statements by which `ensure_tables` changes something. It is killed before it would send more than `at_most`."""
    sent: list[str] = []
    query = bq.query

    def send(sql: str, *more: object, **options: object) -> object:
        if not sql.startswith("select"):
            if len(sent) == at_most:
                raise KeyboardInterrupt
            sent.append(sql)
        return query(sql, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(bq, "query", send)
        ops.ensure_tables([], client=bq)
    return sent


def test_tables_of_the_release_before_are_renamed_and_keep_their_rows(former: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(changes(former, monkeypatch)) == 4 + 2 + 4 + 1, "four tables, two columns, four views, and the view of today"
    check_upgraded(former)
    assert changes(former, monkeypatch) == []
    outdate_definition(former)
    assert [sql.partition(" options")[0] for sql in changes(former, monkeypatch)] == [
        f"create or replace view {name}" for name in ops.VIEWS
    ]
    check_upgraded(former)


def test_an_upgrade_that_is_killed_after_each_change_is_completed(former: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4 + 2):
        with pytest.raises(KeyboardInterrupt):
            changes(former, monkeypatch, at_most=1)
    # The views are created again by each attempt.
    for created in range(4):
        with pytest.raises(KeyboardInterrupt):
            changes(former, monkeypatch, at_most=created)
    ops.ensure_tables([], client=former)
    check_upgraded(former)


def test_two_tasks_may_upgrade_at_once(former: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another task changes each table just before this one does."""
    execute = writers.execute

    def execute_twice(sql: str, *more: object, **options: object) -> object:
        execute(sql, *more, **options)
        return execute(sql, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(writers, "execute", execute_twice)
        ops.ensure_tables([], client=former)
    check_upgraded(former)


def test_a_table_that_the_former_release_has_created_again_is_not_overlooked(former: Client) -> None:
    ops.ensure_tables([], client=former)
    former.query("drop view ops.turns; create table ops.turns (resource string)").result()
    outdate_definition(former)
    with pytest.raises(RuntimeError, match=r"ops\.turns and ops\.locks are both tables.* drop table ops\.turns"):
        ops.ensure_tables([], client=former)


def test_a_new_warehouse_has_no_former_names(bq: Client) -> None:
    assert {f"{name}.{item.table_id}" for name in ("ops", "quarantine") for item in bq.list_tables(name)} == {
        *ops.TABLES,
        *ops.VIEWS,
    }
