"""Failed tasks, blocked gates, quarantined rows and late runs: one message per incident, without personal data."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from google.cloud.bigquery import Client

from include import ops
from include.alerts import deliver, notify, notify_failure, notify_gate
from include.alerts.failures import failed_task, personal_columns
from include.alerts.occurrence import sanitized
from include.orchestration import record_failure, run_is_late
from include.quality import GateBlocked, GateVerdict, Outcome
from include.run_context import RunContext
from include.settings import ROOT, settings
from tests.include.alerts.receivers import Receivers
from tests.warehouse import rows

RUN = RunContext("scheduled__2026-10-01", datetime(2026, 10, 1, tzinfo=UTC))
NOW = datetime(2026, 10, 1, 8, 5, tzinfo=UTC)


def context(
    error: BaseException | None, task_id: str = "load", run_id: str = RUN.run_id, dag_id: str = "ingest_crm"
) -> dict[str, Any]:
    """The part of the failure callback's context that the code reads."""
    task_instance = SimpleNamespace(
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        map_index=-1,
        try_number=3,
        log_url=f"http://airflow.example.org/dags/{dag_id}/runs/{run_id}/tasks/{task_id}",
    )
    return {
        "task_instance": task_instance,
        "task": SimpleNamespace(owner="sales_operations"),
        "dag": SimpleNamespace(tags={"ingest", "tier:critical", "crm"}),
        "dag_run": SimpleNamespace(run_id=run_id, partition_key=None, data_interval_end=None, run_after=RUN.as_of),
        "params": {},
        "exception": error,
    }


def outcome(name: str = "keys_are_unique", **changes: Any) -> Outcome:
    """A blocking rule that two rows break."""
    values: dict[str, Any] = {
        "name": name,
        "relation": "conformed.conformed_deals",
        "action": "block",
        "reason": "Each deal counts once.",
        "expectation_type": "unexpected_rows_expectation",
        "column": None,
        "key": ("organization_id", "deal_id"),
        "query": "select 1",
        "success": False,
        "unexpected_count": 2,
        "observed": "2",
        "samples": ("org-1|deal-7", "org-1|deal-9"),
    }
    return Outcome(**(values | changes))


def blocked(*outcomes: Outcome) -> AirflowFailException:
    """The exception of a gate task, raised in the same way."""
    try:
        try:
            raise GateBlocked(GateVerdict("conformed", outcomes))
        except GateBlocked as error:
            raise AirflowFailException(str(error)) from error
    except AirflowFailException as error:
        return error


def test_a_failed_dag_is_reported_once_and_resolved_by_its_next_success(bq: Client, received: Receivers) -> None:
    for task_id in ("load", "gate"):
        record_failure(context(RuntimeError("no route to host"), task_id))
    record_failure(context(RuntimeError("no route to host"), "load", "scheduled__2026-10-01T06"))
    assert received.counts == (1, 1, 1)
    assert received.slack[0]["text"] == "Failed: ingest_crm.load (critical)"
    body = str(received.slack[0]["blocks"])
    assert "sales_operations" in body and "tasks/load" in body and "task-failed.md" in body and "no route to host" in body
    assert rows("select count(distinct incident_id) from ops.alerts", bq) == [(1,)]

    now = datetime.now(UTC)
    notify([], now)
    deliver(now)
    assert received.counts == (1, 1, 1), "its newest run has failed"
    ops.start_run(RunContext("next", RUN.as_of), "ingest_crm", client=bq)
    ops.finish_run(RunContext("next", RUN.as_of), "ingest_crm", "success", client=bq)
    for _ in range(2):
        now = datetime.now(UTC)
        notify([], now)
        deliver(now)
    assert received.counts == (2, 2, 2)
    assert received.slack[1]["text"] == "Resolved: ingest_crm (critical)"
    assert received.pagerduty[1]["event_action"] == "resolve"


def test_a_run_of_the_monitor_resolves_its_own_failure(bq: Client, received: Receivers) -> None:
    for run_id in ("02:00", "02:05"):
        record_failure(context(RuntimeError("no answer"), "measure", run_id, "freshness_monitor"))
    assert received.counts == (1, 1, 1)
    for _ in range(2):
        now = datetime.now(UTC)
        notify([], now)
        deliver(now)
    assert [body["text"] for body in received.slack] == [
        "Failed: freshness_monitor.measure (critical)",
        "Resolved: freshness_monitor (critical)",
    ]


def test_a_blocked_gate_is_one_message_with_sample_keys(bq: Client, received: Receivers) -> None:
    record_failure(context(blocked(outcome(), outcome("volume", unexpected_count=None, samples=())), "gate_conformed"))
    assert received.counts == (1, 1, 1)
    assert received.slack[0]["text"] == "Gate blocked: gate conformed (critical)"
    body = str(received.slack[0]["blocks"])
    assert "keys_are_unique on conformed.conformed_deals: 2 rows. Each deal counts once." in body
    assert "organization_id|deal_id: org-1|deal-7, org-1|deal-9" in body
    assert "blocked-gate.md" in body


def test_rows_without_a_key_and_personal_keys_are_not_shown(bq: Client, received: Receivers) -> None:
    assert "email" in personal_columns()
    whole_row = outcome("rows", key=(), samples=('{"email": "jane@example.org"}',))
    values = outcome("values", query=None, column="email", samples=("jane@example.org",))
    personal = outcome("personal", key=("organization_id", "email"), samples=("org-1|jane@example.org",))
    broken = outcome("broken", error="could not cast 'jane@example.org' to INT64", unexpected_count=None)
    record_failure(context(blocked(whole_row, values, personal, broken), "gate_conformed"))
    sent = str([received.slack, received.pagerduty, [mail.as_string() for _, mail in received.mails]])
    assert "could not be evaluated: could not cast … to INT64" in sent
    assert "jane" not in sent
    assert "jane" not in str(rows("select to_json_string(t) from ops.alerts as t", bq))


def test_quarantined_rows_are_reported_once(bq: Client, received: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(run_id: str, count: int) -> None:
        found = outcome("orphans", action="quarantine", success=count == 0, unexpected_count=count, samples=("values",))
        quarantined = [
            {
                "relation": "conformed_deals",
                "row_key": f"org-1|deal-{i}",
                "reason": "x",
                "expectation": "orphans",
                "gate": "conformed",
                "row_json": '{"email": "jane@example.org"}',
                "quarantined_at": NOW,
            }
            for i in range(min(count, 4))
        ]
        ops.append("quarantine.quarantined_rows", quarantined, replace_where={"gate": "conformed"}, client=bq)
        notify_gate(GateVerdict("conformed", (found,), count), RunContext(run_id, RUN.as_of), "http://airflow/log")

    # Quarantined rows are medium, so their quiet hours are moved away from the time of the test.
    changed = settings().routing_file.read_text().replace('"19:00", until: "07:00"', '"00:00", until: "00:01"')
    file = settings().state_dir / "routing.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(changed)
    monkeypatch.setenv("PLATFORM_ROUTING_FILE", str(file))
    settings.cache_clear()

    for run_id, count in (("first", 3), ("second", 4)):
        check(run_id, count)
    assert received.counts == (1, 1, 0)
    assert rows("select count(*) from ops.alerts", bq) == [(2,)]
    assert received.mails[0][0] == ["sales-operations@example.com"], "the owner of the source"
    body = str(received.slack[0]["blocks"])
    assert "3 rows quarantined" in body and "org-1|deal-0, org-1|deal-1, org-1|deal-2" in body and "jane" not in body
    check("third", 40)
    assert received.counts == (2, 2, 0), "tenfold growth is reported"
    check("fourth", 0)
    assert received.slack[2]["text"].startswith("Resolved: conformed.conformed_deals")
    check("fifth", 0)
    assert received.counts == (3, 3, 0)


def test_a_late_run_is_reported_unless_it_has_failed(bq: Client, received: Receivers) -> None:
    def late(run_id: str) -> None:
        dag_run = {"dag_id": "transform", "dag_run_id": run_id, "state": "running", "start_date": "2026-10-01T04:00:00Z"}
        asyncio.run(run_is_late({"dag_run": dag_run, "deadline": {"id": "1", "deadline_time": NOW}}))
        deliver(datetime.now(UTC))

    late("nightly")
    late("nightly")
    assert received.counts == (1, 1, 1)
    assert received.slack[0]["text"] == "Taking too long: transform (critical)"
    body = str(received.slack[0]["blocks"])
    assert "ends within 120 minutes" in body and "running since 1 Oct 2026 04:00 UTC" in body
    assert "/dags/transform/runs/nightly" in body and "nightly-deadline.md" in body

    record_failure(context(RuntimeError("boom"), "publish", "nightly", "transform"))
    assert len(received.slack) == 2, "a failure is more serious than a missed deadline"
    late("another run")
    assert len(received.slack) == 2


def in_airflow(module: str, home: Path) -> None:
    """Run a module of this folder in a process with its own Airflow tables, on the same warehouse and connections."""
    command = [sys.executable, "-m", f"tests.include.alerts.{module}"]
    variables = os.environ | {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=variables)
    assert done.returncode == 0, done.stderr[-2000:]


def test_airflow_reports_a_last_try_and_a_blocked_gate_once(bq: Client, received: Receivers, tmp_path: Path) -> None:
    in_airflow("failing_run", tmp_path)
    assert [body["text"] for body in received.slack] == [
        "Failed: ingest_billing.load (high)",
        "Gate blocked: gate conformed (critical)",
    ]
    assert received.counts == (2, 2, 1)
    assert "RuntimeError: no answer at try 2" in str(received.slack[0]["blocks"])
    assert "/tasks/load?try_number=2|Open the log in Airflow>" in str(received.slack[0]["blocks"])
    assert "For example organization_id|deal_id: org-1|deal-7" in str(received.slack[1]["blocks"])


def test_a_deadline_missed_in_airflow_is_reported(bq: Client, received: Receivers, tmp_path: Path) -> None:
    in_airflow("missed_deadline", tmp_path)
    assert rows("select kind, severity, subject from ops.alerts order by next_attempt_at, channel limit 1", bq) == [
        ("deadline", "critical", "Taking too long: transform (critical)")
    ]
    deliver(datetime.now(UTC))
    assert received.counts == (1, 1, 1)


def test_a_failure_is_sent_without_the_warehouse(
    received: Receivers, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no warehouse")

    monkeypatch.setattr("include.warehouse.client", unreachable)
    monkeypatch.setattr("include.warehouse.statements.new_client", unreachable)
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path))
    settings.cache_clear()
    for run_id in ("one", "two"):
        with pytest.raises(ConnectionError), caplog.at_level(logging.INFO):
            record_failure(context(RuntimeError("no warehouse"), run_id=run_id))
    assert received.counts == (1, 1, 1)
    received.down = {"slack", "email", "pagerduty"}
    notify_failure(context(RuntimeError("no warehouse"), dag_id="another"))
    assert "Not sent by slack" in caplog.text
    settings.cache_clear()


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("postgresql://reader:hunter2@db:5432/crm refused", "postgresql://…@db:5432/crm refused"),
        ("no row for jane.doe@example.org", "no row for …"),
        ("Bad value 'Jane Doe' in column \"name\"", "Bad value … in column …"),
        ('row {"name": "Jane"} was refused', "row … was refused"),
        ("called +44 20 7946 0958 twice", "called +… twice"),
        ("\n\nfirst line\nsecond line: Jane", "first line"),
        ("404 Not found: table marts.mart_x", "404 Not found: table marts.mart_x"),
    ],
)
def test_the_text_of_an_exception_is_shown_without_values(error: str, shown: str) -> None:
    assert sanitized(error) == shown
    assert failed_task(context(RuntimeError(error)), NOW).cause == f"RuntimeError: {shown}"


def test_an_error_in_alerting_is_logged_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    notify_failure({"task_instance": None})
    assert "the alert could not be created" in caplog.text


def test_a_task_may_fail_without_an_exception() -> None:
    found = failed_task(context(None), NOW + timedelta(hours=1))
    assert (found.kind, found.cause, found.severity, found.owner) == ("task_failed", "", "critical", "sales_operations")
