"""Publishing: all tables or none, after any failure and any number of attempts."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.publish import PublishError, publish, recover
from include.run_context import RunContext
from include.warehouse import client
from tests.warehouse import rows

FIRST = RunContext("scheduled__2026-10-01", datetime(2026, 10, 1, tzinfo=UTC))
SECOND = RunContext("scheduled__2026-10-02", FIRST.as_of + timedelta(days=1))
TABLES = ("marts.mart_a", "marts.mart_b", "metrics.mtr_c")


def build(bq: Client, version: int, *tables: str) -> None:
    """Build tables of a version: `version` rows that hold `version`."""
    for table in tables or TABLES:
        dataset, name = table.split(".")
        sql = f"create or replace table {dataset}_build.{name} as select {version} as version from unnest(generate_array(1, {version}))"
        bq.query(sql).result()


def shown(bq: Client, *tables: str) -> list[object]:
    """The version of each published table; None for a table that does not exist."""
    existing = {f"{dataset}.{table.table_id}" for dataset in ("marts", "metrics") for table in bq.list_tables(dataset)}
    return [rows(f"select max(version) from {table}", bq)[0][0] if table in existing else None for table in tables or TABLES]


def published(bq: Client) -> dict[str, tuple[str, int | None]]:
    found = ops.publications(client=bq)
    return {f"{row['dataset']}.{row['table_name']}": (row["run_id"], row["row_count"]) for row in found}


def backups(bq: Client) -> list[str]:
    return [table.table_id for table in bq.list_tables("ops") if f"ops.{table.table_id}" not in {*ops.TABLES, *ops.VIEWS}]


def test_each_run_replaces_the_last_and_records_it(bq: Client) -> None:
    build(bq, 1)
    assert publish(FIRST, client=bq) == 3
    assert shown(bq) == [1, 1, 1]
    build(bq, 2)
    assert shown(bq) == [1, 1, 1]
    assert publish(SECOND, client=bq) == 3
    assert shown(bq) == [2, 2, 2]
    assert published(bq) == dict.fromkeys(TABLES, (SECOND.run_id, 2))
    assert ops.last_as_of(client=bq) == SECOND.as_of
    assert backups(bq) == []


def test_publishing_twice_equals_publishing_once(bq: Client) -> None:
    build(bq, 1)
    publish(FIRST, client=bq)
    publish(FIRST, client=bq)
    assert shown(bq) == [1, 1, 1]
    assert rows("select state, count(*) from ops.publications group by 1", bq) == [("published", 3)]


def test_a_nightly_run_does_not_replace_a_refreshed_table_with_midnight(bq: Client) -> None:
    refresh = RunContext("scheduled__2026-10-02T01:45", SECOND.as_of + timedelta(minutes=105))
    build(bq, 1)
    publish(FIRST, client=bq)
    build(bq, 3)
    assert publish(refresh, tables=["marts.mart_a"], client=bq) == 1
    assert shown(bq) == [3, 1, 1], "the other tables stay as they are"
    build(bq, 2)
    assert publish(SECOND, client=bq) == 2
    assert shown(bq) == [3, 2, 2]
    assert published(bq)["marts.mart_a"] == (refresh.run_id, 3)
    # A backfill of an earlier day replaces it.
    build(bq, 1)
    assert publish(RunContext("manual", FIRST.as_of), client=bq) == 3
    assert shown(bq) == [1, 1, 1]
    assert backups(bq) == []


def test_a_nightly_run_publishes_nothing_if_all_tables_are_fresher(bq: Client) -> None:
    build(bq, 3)
    publish(RunContext("refresh", FIRST.as_of + timedelta(hours=1)), client=bq)
    build(bq, 1)
    assert publish(FIRST, client=bq) == 0
    assert shown(bq) == [3, 3, 3]


def test_a_run_with_a_selection_publishes_only_these_tables_and_none_that_is_fresher(bq: Client) -> None:
    build(bq, 3)
    publish(RunContext("refresh", FIRST.as_of + timedelta(hours=1)), tables=["marts.mart_a"], client=bq)
    build(bq, 1)
    assert publish(FIRST, tables=[], client=bq) == 0
    assert publish(FIRST, tables=["marts.mart_a", "marts.mart_b"], client=bq) == 1
    assert set(published(bq)) == {"marts.mart_a", "marts.mart_b"}
    assert published(bq)["marts.mart_a"] == ("refresh", 3)


def test_a_published_table_is_independent_of_its_build(bq: Client) -> None:
    build(bq, 1)
    publish(FIRST, client=bq)
    bq.query("delete from marts_build.mart_a where true").result()
    assert shown(bq, "marts.mart_a") == [1]


def test_a_table_with_changed_partitioning_is_published(bq: Client) -> None:
    bq.query("create table marts_build.mart_a partition by day as select 1 as version, date '2026-01-01' as day").result()
    publish(FIRST, client=bq)
    bq.query("drop table marts_build.mart_a").result()
    bq.query("create table marts_build.mart_a cluster by version as select 2 as version").result()
    publish(SECOND, client=bq)
    assert shown(bq, "marts.mart_a") == [2]


def test_a_missing_build_publishes_nothing(bq: Client) -> None:
    build(bq, 1)
    publish(FIRST, client=bq)
    build(bq, 2)
    with pytest.raises(PublishError, match=r"marts\.mart_zzz could not be published, so nothing was: .*mart_zzz"):
        publish(SECOND, tables=[*TABLES, "marts.mart_zzz"], client=bq)
    assert shown(bq, *TABLES, "marts.mart_zzz") == [1, 1, 1, None]
    assert published(bq) == dict.fromkeys(TABLES, (FIRST.run_id, 1))
    assert rows(f"select distinct state from ops.publications where run_id = '{SECOND.run_id}'", bq) == [("rolled_back",)]
    assert backups(bq) == []
    publish(SECOND, client=bq)
    assert shown(bq) == [2, 2, 2]


def test_a_failure_in_the_middle_of_the_first_publication_leaves_nothing(bq: Client) -> None:
    """Tables are replaced in the order of their names: two are published before the third fails."""
    build(bq, 1)
    with pytest.raises(PublishError, match=r"marts\.mart_zzz could not be published"):
        publish(FIRST, tables=[*TABLES, "marts.mart_zzz"], client=bq)
    assert shown(bq) == [None, None, None]
    assert ops.last_as_of(client=bq) is None
    publish(FIRST, client=bq)
    assert shown(bq) == [1, 1, 1]


@pytest.mark.parametrize("table", ["staging.stg_x", "marts.a`; drop table x", "mart_a", "marts."])
def test_names_are_checked_before_anything_happens(bq: Client, table: str) -> None:
    with pytest.raises(PublishError):
        publish(FIRST, tables=[table], client=bq)
    assert rows("select count(*) from ops.publications", bq) == [(0,)]


def test_nothing_built_is_an_error(bq: Client) -> None:
    with pytest.raises(PublishError, match="nothing to publish"):
        publish(FIRST, client=bq)


def test_a_table_that_is_no_longer_built_is_removed_if_the_platform_published_it(bq: Client) -> None:
    build(bq, 1)
    bq.query("create table marts.somebody_elses as select 9 as version").result()
    publish(FIRST, client=bq)
    bq.query("drop table marts_build.mart_b").result()
    build(bq, 2, "marts.mart_a", "metrics.mtr_c")
    assert publish(SECOND, tables=["marts.mart_a"], client=bq) == 1
    assert shown(bq) == [2, 1, 1]
    assert publish(SECOND, client=bq) == 2
    assert shown(bq, *TABLES, "marts.somebody_elses") == [2, None, 2, 9]
    assert set(published(bq)) == {"marts.mart_a", "metrics.mtr_c"}


def test_a_model_taken_out_of_the_project_is_no_longer_published(bq: Client, tmp_path: Path) -> None:
    build(bq, 1)
    publish(FIRST, client=bq)
    kept = {
        "resource_type": "model",
        "unique_id": "model.mart_a",
        "package_name": "project",
        "schema": "marts_build",
        "alias": "mart_a",
        "checksum": {"checksum": "c"},
        "depends_on": {"nodes": [], "macros": []},
    }
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text(json.dumps({"nodes": {"model.mart_a": kept}, "macros": {}, "sources": {}}))
    (tmp_path / "dbt_project.yml").write_text("name: project\n")
    assert publish(SECOND, client=bq) == 1
    assert shown(bq) == [1, None, None]
    versions = rows(f"select code_version from ops.publications where run_id = '{SECOND.run_id}' and state = 'published'", bq)
    assert [len(str(version)) for (version,) in versions] == [16]


def publish_and_die(statement: str, left: int) -> int:
    """Publish in a child process that dies before a statement with this beginning, after it has sent `left` of them.

    Returns its exit code: 9 if it died there.
    """
    child = os.fork()
    if child == 0:
        try:
            publish(SECOND, client=_Mortal(statement, left).bq)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class _Mortal:
    """A new client, whose `query` ends the process at the given statement."""

    def __init__(self, statement: str, left: int) -> None:
        self.bq = client()
        self._query = self.bq.query
        self._statement = statement
        self._left = left
        self.bq.query = self.query  # type: ignore[method-assign]

    def query(self, sql: str, *arguments: Any, **options: Any) -> Any:
        if sql.startswith(self._statement):
            if self._left == 0:
                os._exit(9)
            self._left -= 1
        return self._query(sql, *arguments, **options)


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        pytest.param("create table `ops`.", 1, id="while tables are backed up"),
        pytest.param("create or replace table", 1, id="after the first is replaced"),
        pytest.param("merge ops.publications", 1, id="when all are replaced, before it is recorded"),
    ],
)
def test_the_next_caller_undoes_a_killed_publication(bq: Client, statement: str, left: int) -> None:
    build(bq, 1)
    publish(FIRST, client=bq)
    build(bq, 2)
    assert publish_and_die(statement, left) == 9
    if statement.startswith("create or replace"):
        assert shown(bq) == [2, 1, 1]
        # A kill between dropping a table and creating it again leaves the table missing.
        bq.query("drop table marts.mart_b").result()
    recover(bq)
    assert shown(bq) == [1, 1, 1]
    assert published(bq) == dict.fromkeys(TABLES, (FIRST.run_id, 1))
    assert backups(bq) == []
    assert recover(bq) == []
    publish(SECOND, client=bq)
    assert shown(bq) == [2, 2, 2]


def test_the_next_publication_recovers_first(bq: Client) -> None:
    build(bq, 1)
    publish(FIRST, client=bq)
    build(bq, 2)
    assert publish_and_die("create or replace table", 2) == 9
    with pytest.raises(PublishError):
        publish(SECOND, tables=["marts.mart_a", "marts.mart_zzz"], client=bq)
    assert shown(bq) == [1, 1, 1]


def test_a_first_publication_that_was_killed_leaves_nothing_behind(bq: Client) -> None:
    build(bq, 1)
    assert publish_and_die("create or replace table", 2) == 9
    recover(bq)
    assert shown(bq) == [None, None, None]
    assert published(bq) == {}
