"""The likely cause of a late table, from audit tables as the DAGs write them."""

from __future__ import annotations

import pytest
from google.cloud.bigquery import Client

from include.freshness import FreshnessEvent, monitor
from include.freshness.cause import Causes
from include.freshness.measure import loaded_up_to
from include.freshness.records import Records
from tests.include.freshness.audit_tables import AuditTables
from tests.include.freshness.timeline import at, daily

LOG = "http://airflow/dags/d/runs/r/tasks/t"


@pytest.fixture
def audit(bq: Client) -> AuditTables:
    """Friday's nightly run succeeded, and the monitor runs; the nightly table is due on Saturday at 08:00."""
    audit = AuditTables(bq)
    audit.nightly_run("20")
    for source in ("crm", "support"):
        audit.run(f"ingest_{source}", "nightly-20", "20 00:00", "20 02:00", "20 02:04")
    monitor(at("20 03:00"), bq)
    return audit


def breach(bq: Client, when: str = "21 08:00", table: str = "marts.mart_nightly") -> FreshnessEvent:
    (event,) = (event for event in monitor(at(when), bq) if event.key == table)
    assert event.state == "breached"
    return event


def cause(event: FreshnessEvent) -> tuple[object, ...]:
    return event.cause_kind, event.cause, event.run_id, event.log_url


def test_a_source_that_failed_comes_before_what_followed_from_it(bq: Client, audit: AuditTables) -> None:
    audit.nightly_run("21", late="support")
    message = "ingest_support.load: could not read 'ann@example.com' from http://user:secret@host"
    failed = {"state": "failed", "message": message, "log_url": LOG}
    audit.run("ingest_support", "nightly-21", "21 00:00", "21 02:00", "21 02:11", **failed)
    expected = ("task_failed", "ingest_support.load failed at 2026-11-21 02:11 UTC", "nightly-21", LOG)
    assert cause(breach(bq)) == expected, "and nothing of what the exception quotes"


def test_a_source_that_failed_and_was_fixed_is_no_cause(bq: Client, audit: AuditTables) -> None:
    failed = {"state": "failed", "message": "ingest_support.load: no", "log_url": LOG}
    audit.run("ingest_support", "nightly-21", "21 00:00", "21 02:00", "21 02:11", **failed)
    audit.run("ingest_support", "nightly-21", "21 00:00", "21 03:00", "21 03:04")
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        audit.load(raw_table, "21 00:00", "21 03:03")
    audit.run("transform", "nightly-21", "21 00:00", "21 07:50", None, log_url=LOG)
    text = "transform has been running since 2026-11-21 07:50 UTC; it usually takes 15 min"
    assert cause(breach(bq)) == ("running", text, "nightly-21", LOG)


def test_a_blocked_gate_names_the_rule_and_its_task(bq: Client, audit: AuditTables) -> None:
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        audit.load(raw_table, "21 00:00", "21 02:03")
    failed = {"state": "failed", "message": "transform.gate_core: Gate core: block, …", "log_url": LOG}
    audit.run("transform", "nightly-21", "21 00:00", "21 02:05", "21 02:15", **failed)
    audit.block("core", "nightly-21", "21 02:14")
    audit.block("core", "nightly-21", "21 02:14", expectation="sums_agree")
    text = "gate core blocked: no_orphans on core.t, 1,234 rows, and 1 more"
    assert cause(breach(bq)) == ("gate_blocked", text, "nightly-21", LOG)


def test_a_source_held_back_by_its_gate(bq: Client, audit: AuditTables) -> None:
    """It is loaded, but its gate blocked the load, so no asset started transform. Another run with that id was blocked elsewhere."""
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        audit.load(raw_table, "21 00:00", "21 02:03")
    failed = {"state": "failed", "message": "ingest_support.gate: Gate raw_support: block, …", "log_url": LOG}
    audit.run("ingest_support", "nightly-21", "21 00:00", "21 02:00", "21 02:05", **failed)
    audit.block("core", "nightly-21", "21 02:03")
    audit.block("raw_support", "nightly-21", "21 02:04")
    text = "gate raw_support blocked: no_orphans on raw_support.t, 1,234 rows"
    assert cause(breach(bq)) == ("gate_blocked", text, "nightly-21", LOG)


def test_a_gate_that_blocked_a_refresh_is_no_cause_for_a_nightly_table(bq: Client, audit: AuditTables) -> None:
    audit.block("core", "r22", "20 22:04")
    refused = {"state": "failed", "message": "refresh_hourly.gate_core: …", "log_url": LOG}
    audit.run("refresh_hourly", "r22", "20 22:00", "20 22:00", "20 22:04", **refused)
    assert breach(bq).cause_kind == "source_late"


def test_what_happened_before_the_data_that_is_published_is_no_cause(bq: Client, audit: AuditTables) -> None:
    audit.block("core", "nightly-19", "19 02:14")
    failed = {"state": "failed", "message": "transform.publish: no", "log_url": LOG}
    audit.run("transform", "nightly-19", "19 00:00", "19 02:05", "19 02:15", **failed)
    found = breach(bq)
    text = "no data of 2026-11-21 00:00 UTC or later is loaded, and no failure is known: ingest_crm, ingest_support"
    assert (found.cause_kind, found.cause) == ("source_late", text)


def test_sources_that_are_there_while_transform_is_not(bq: Client, audit: AuditTables) -> None:
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        audit.load(raw_table, "21 00:00", "21 02:03")
    found = breach(bq)
    text = "transform has not started for the data of 2026-11-21 00:00 UTC"
    assert (found.cause_kind, found.cause, found.run_id) == ("not_started", text, "nightly-20")


def test_a_table_of_another_cadence_is_late_for_its_own_refresh(bq: Client, audit: AuditTables) -> None:
    """Its refresh loads the sources itself, so their own DAGs do not matter."""
    audit.run(
        "ingest_crm", "again", "20 00:00", "20 09:00", "20 09:05", state="failed", message="ingest_crm.load: no", log_url=LOG
    )
    failed = {"state": "failed", "message": "refresh_hourly.load: no", "log_url": LOG}
    audit.run("refresh_hourly", "r10", "20 10:00", "20 10:00", "20 10:03", **failed)
    found = breach(bq, "20 12:00", "metrics.mtr_hourly")
    assert cause(found) == ("task_failed", "refresh_hourly.load failed at 2026-11-20 10:03 UTC", "r10", LOG)


def test_a_nightly_that_failed_is_no_cause_for_what_was_refreshed_since(bq: Client, audit: AuditTables) -> None:
    failed = {"state": "failed", "message": "transform.publish: no", "log_url": LOG}
    audit.run("transform", "nightly-20b", "20 00:00", "20 04:05", "20 04:15", **failed)
    for raw_table in ("crm.deals", "crm.users"):
        audit.load(raw_table, "20 10:00", "20 10:01", run_id="r10")
    audit.run("refresh_hourly", "r10", "20 10:00", "20 10:00", "20 10:06")
    audit.publish("metrics.mtr_hourly", "r10", "20 10:00", "20 10:05")
    found = breach(bq, "20 13:00", "metrics.mtr_hourly")
    assert found.cause == "refresh_hourly has not started for the data of 2026-11-20 11:00 UTC"


def test_a_refresh_that_skipped_its_run_has_not_failed(bq: Client, audit: AuditTables) -> None:
    skipped = {"state": "skipped", "message": "Run skipped: transform (nightly-20b) writes build."}
    audit.run("refresh_hourly", "r12", "20 12:00", "20 12:00", "20 12:00", **skipped)
    found = breach(bq, "20 12:05", "metrics.mtr_hourly")
    text = "refresh_hourly skipped its run at 2026-11-20 12:00 UTC: transform (nightly-20b) writes build"
    assert (found.cause_kind, found.cause, found.run_id) == ("skipped", text, "r12")


def test_a_nightly_run_because_of_which_a_refresh_was_skipped_is_the_cause(bq: Client, audit: AuditTables) -> None:
    audit.run("transform", "nightly-20b", "20 00:00", "20 11:50", None, log_url=LOG)
    audit.run("refresh_hourly", "r12", "20 12:00", "20 12:00", "20 12:00", state="skipped")
    text = "transform has been running since 2026-11-20 11:50 UTC; it usually takes 15 min"
    assert cause(breach(bq, "20 12:05", "metrics.mtr_hourly")) == ("running", text, "nightly-20b", LOG)


def test_late_for_a_moment_the_run_ended_too_late(bq: Client, audit: AuditTables) -> None:
    audit.nightly_run("21", published="08:02")
    text = "transform ran from 2026-11-21 07:47 to 08:02 UTC"
    assert cause(breach(bq, "21 08:05"))[:3] == ("finished_late", text, "nightly-21")


def test_tables_late_for_one_cause_have_equal_causes(bq: Client, audit: AuditTables) -> None:
    failed = {"state": "failed", "message": "transform.core.fct_deals.run: no", "log_url": LOG}
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        audit.load(raw_table, "21 00:00", "21 02:03")
    audit.run("transform", "nightly-21", "21 00:00", "21 02:05", "21 02:15", **failed)
    late = [event for event in monitor(at("21 08:00"), bq) if event.state == "breached"]
    assert len(late) == 3
    assert len({cause(event) for event in late}) == 1


def test_tables_that_wait_for_different_missing_sources_have_one_cause(bq: Client, audit: AuditTables) -> None:
    now = at("21 08:00")
    causes = Causes(Records(now, bq).runs, loaded_up_to(now, bq), now, bq)
    found = {
        causes.of(daily(), raw_tables, at("20 00:00"), at("21 00:00"))
        for raw_tables in (frozenset({"crm.deals"}), frozenset({"support.tickets"}), frozenset({"crm.users", "support.tickets"}))
    }
    assert [cause.kind for cause in found] == ["source_late"]
