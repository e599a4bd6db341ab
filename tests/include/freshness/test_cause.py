"""The likely cause of a late table, from books as the DAGs write them."""

from __future__ import annotations

import pytest
from google.cloud.bigquery import Client
from tests.include.sla.books import Books
from tests.include.sla.timeline import at, daily

from include.freshness import SlaEvent, monitor
from include.freshness.cause import Causes
from include.freshness.look import Look
from include.freshness.measure import landings

LOG = "http://airflow/dags/d/runs/r/tasks/t"


@pytest.fixture
def books(bq: Client) -> Books:
    """Friday's night went well and the watch has begun; the nightly table is due on Saturday at 08:00."""
    books = Books(bq)
    books.night("20")
    for source in ("crm", "support"):
        books.run(f"ingest_{source}", "night-20", "20 00:00", "20 02:00", "20 02:04")
    monitor(at("20 03:00"), bq)
    return books


def breach(bq: Client, when: str = "21 08:00", table: str = "marts.mart_nightly") -> SlaEvent:
    (event,) = (event for event in monitor(at(when), bq) if event.key == table)
    assert event.state == "breached"
    return event


def cause(event: SlaEvent) -> tuple[object, ...]:
    return event.cause_kind, event.cause, event.run_id, event.log_url


def test_a_source_that_failed_comes_before_what_followed_from_it(bq: Client, books: Books) -> None:
    books.night("21", late="support")
    message = "ingest_support.land: could not read 'ann@example.com' from http://user:secret@host"
    failed = {"state": "failed", "message": message, "log_url": LOG}
    books.run("ingest_support", "night-21", "21 00:00", "21 02:00", "21 02:11", **failed)
    expected = ("task_failed", "ingest_support.land failed at 2026-11-21 02:11 UTC", "night-21", LOG)
    assert cause(breach(bq)) == expected, "and nothing of what the exception quotes"


def test_a_source_that_failed_and_was_mended_is_no_cause(bq: Client, books: Books) -> None:
    failed = {"state": "failed", "message": "ingest_support.land: no", "log_url": LOG}
    books.run("ingest_support", "night-21", "21 00:00", "21 02:00", "21 02:11", **failed)
    books.run("ingest_support", "night-21", "21 00:00", "21 03:00", "21 03:04")
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        books.land(raw_table, "21 00:00", "21 03:03")
    books.run("transform", "night-21", "21 00:00", "21 07:50", None, log_url=LOG)
    text = "transform has been running since 2026-11-21 07:50 UTC; it usually takes 15 min"
    assert cause(breach(bq)) == ("running", text, "night-21", LOG)


def test_a_blocked_gate_names_the_rule_and_its_task(bq: Client, books: Books) -> None:
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        books.land(raw_table, "21 00:00", "21 02:03")
    failed = {"state": "failed", "message": "transform.gate_core: Gate core: block, …", "log_url": LOG}
    books.run("transform", "night-21", "21 00:00", "21 02:05", "21 02:15", **failed)
    books.block("core", "night-21", "21 02:14")
    books.block("core", "night-21", "21 02:14", expectation="sums_agree")
    text = "gate core blocked: no_orphans on core.t, 1,234 rows, and 1 more"
    assert cause(breach(bq)) == ("gate_blocked", text, "night-21", LOG)


def test_a_source_held_back_by_its_gate(bq: Client, books: Books) -> None:
    """It has landed; its gate blocked the landing, so no asset told transform of it. Another run of that id blocked elsewhere."""
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        books.land(raw_table, "21 00:00", "21 02:03")
    failed = {"state": "failed", "message": "ingest_support.gate: Gate raw_support: block, …", "log_url": LOG}
    books.run("ingest_support", "night-21", "21 00:00", "21 02:00", "21 02:05", **failed)
    books.block("core", "night-21", "21 02:03")
    books.block("raw_support", "night-21", "21 02:04")
    text = "gate raw_support blocked: no_orphans on raw_support.t, 1,234 rows"
    assert cause(breach(bq)) == ("gate_blocked", text, "night-21", LOG)


def test_a_gate_that_blocked_a_refresh_is_no_cause_for_a_nightly_table(bq: Client, books: Books) -> None:
    books.block("core", "r22", "20 22:04")
    refused = {"state": "failed", "message": "refresh_hourly.gate_core: …", "log_url": LOG}
    books.run("refresh_hourly", "r22", "20 22:00", "20 22:00", "20 22:04", **refused)
    assert breach(bq).cause_kind == "source_late"


def test_what_happened_before_the_data_that_is_published_is_no_cause(bq: Client, books: Books) -> None:
    books.block("core", "night-19", "19 02:14")
    failed = {"state": "failed", "message": "transform.publish: no", "log_url": LOG}
    books.run("transform", "night-19", "19 00:00", "19 02:05", "19 02:15", **failed)
    found = breach(bq)
    text = "nothing of 2026-11-21 00:00 UTC or later has landed, and no failure is known: ingest_crm, ingest_support"
    assert (found.cause_kind, found.cause) == ("source_late", text)


def test_sources_that_are_there_while_transform_is_not(bq: Client, books: Books) -> None:
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        books.land(raw_table, "21 00:00", "21 02:03")
    found = breach(bq)
    text = "transform has not started for the data of 2026-11-21 00:00 UTC"
    assert (found.cause_kind, found.cause, found.run_id) == ("not_started", text, "night-20")


def test_a_table_of_another_cadence_is_late_for_its_own_refresh(bq: Client, books: Books) -> None:
    """It lands its sources itself, so their own DAGs say nothing."""
    books.run(
        "ingest_crm", "again", "20 00:00", "20 09:00", "20 09:05", state="failed", message="ingest_crm.land: no", log_url=LOG
    )
    failed = {"state": "failed", "message": "refresh_hourly.land: no", "log_url": LOG}
    books.run("refresh_hourly", "r10", "20 10:00", "20 10:00", "20 10:03", **failed)
    found = breach(bq, "20 12:00", "metrics.mtr_hourly")
    assert cause(found) == ("task_failed", "refresh_hourly.land failed at 2026-11-20 10:03 UTC", "r10", LOG)


def test_a_nightly_that_failed_is_no_cause_for_what_was_refreshed_since(bq: Client, books: Books) -> None:
    failed = {"state": "failed", "message": "transform.publish: no", "log_url": LOG}
    books.run("transform", "night-20b", "20 00:00", "20 04:05", "20 04:15", **failed)
    for raw_table in ("crm.deals", "crm.users"):
        books.land(raw_table, "20 10:00", "20 10:01", run_id="r10")
    books.run("refresh_hourly", "r10", "20 10:00", "20 10:00", "20 10:06")
    books.publish("metrics.mtr_hourly", "r10", "20 10:00", "20 10:05")
    found = breach(bq, "20 13:00", "metrics.mtr_hourly")
    assert found.cause == "refresh_hourly has not started for the data of 2026-11-20 11:00 UTC"


def test_a_refresh_that_left_out_its_turn_has_not_failed(bq: Client, books: Books) -> None:
    skipped = {"state": "skipped", "message": "Scheduled run skipped: transform (night-20b) writes build."}
    books.run("refresh_hourly", "r12", "20 12:00", "20 12:00", "20 12:00", **skipped)
    found = breach(bq, "20 12:05", "metrics.mtr_hourly")
    text = "refresh_hourly left out its turn at 2026-11-20 12:00 UTC: transform (night-20b) writes build"
    assert (found.cause_kind, found.cause, found.run_id) == ("skipped", text, "r12")


def test_the_night_in_whose_favour_a_turn_was_left_out_is_the_cause(bq: Client, books: Books) -> None:
    books.run("transform", "night-20b", "20 00:00", "20 11:50", None, log_url=LOG)
    books.run("refresh_hourly", "r12", "20 12:00", "20 12:00", "20 12:00", state="skipped")
    text = "transform has been running since 2026-11-20 11:50 UTC; it usually takes 15 min"
    assert cause(breach(bq, "20 12:05", "metrics.mtr_hourly")) == ("running", text, "night-20b", LOG)


def test_late_for_a_moment_the_run_ended_too_late(bq: Client, books: Books) -> None:
    books.night("21", published="08:02")
    text = "transform ran from 2026-11-21 07:47 to 08:02 UTC"
    assert cause(breach(bq, "21 08:05"))[:3] == ("finished_late", text, "night-21")


def test_tables_late_for_one_cause_have_equal_causes(bq: Client, books: Books) -> None:
    failed = {"state": "failed", "message": "transform.core.fct_deals.run: no", "log_url": LOG}
    for raw_table in ("crm.deals", "crm.users", "support.tickets"):
        books.land(raw_table, "21 00:00", "21 02:03")
    books.run("transform", "night-21", "21 00:00", "21 02:05", "21 02:15", **failed)
    late = [event for event in monitor(at("21 08:00"), bq) if event.state == "breached"]
    assert len(late) == 3
    assert len({cause(event) for event in late}) == 1


def test_tables_that_wait_for_different_silent_sources_have_one_cause(bq: Client, books: Books) -> None:
    now = at("21 08:00")
    causes = Causes(Look(now, bq).runs, landings(now, bq), now, bq)
    found = {
        causes.of(daily(), raw_tables, at("20 00:00"), at("21 00:00"))
        for raw_tables in (frozenset({"crm.deals"}), frozenset({"support.tickets"}), frozenset({"crm.users", "support.tickets"}))
    }
    assert [cause.kind for cause in found] == ["source_late"]
