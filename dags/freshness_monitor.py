"""
### Monitor the freshness SLAs

Every five minutes, this DAG measures the age of each published table and compares it with the table's freshness SLA (`meta.sla`
of its model). It writes each change of state once to `ops.freshness_events`: `on_time`, `at_risk`, `breached`, `recovered`. Then it
notifies the owners through Slack, e-mail and PagerDuty, and sends the alerts that an earlier run could not send.
docs/freshness.md explains the freshness SLAs, docs/alerts.md the routes.

**Upstream** the schedule, and the rows that the other DAGs write to `ops`. **Downstream** the tables `ops.freshness_slas`,
`ops.freshness_events` and `ops.freshness_attainment`, the page `freshness.html` beside the data docs, and the outbox `ops.alerts`.

**On call.** A failed run loses nothing: the next one evaluates the same freshness SLAs. If every run fails, no alerts about late tables
are sent. Check the warehouse first, then the error message, which names a model with an invalid `meta.sla`. For late tables see
docs/runbooks/freshness-breached.md, for a channel that is down docs/runbooks/channel-down.md.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from include.orchestration import default_args, tier_tag
from include.settings import settings

TIER = "critical"
#: Older events are not sent any more.
NOTIFY_WITHIN = timedelta(days=1)

with DAG(
    dag_id="freshness_monitor",
    description="Evaluates all freshness SLAs, records state changes, and notifies the owners.",
    doc_md=__doc__,
    schedule="*/5 * * * *" if settings().schedules == "on" else None,
    catchup=False,
    max_active_runs=1,
    default_args=default_args("data_platform", TIER),
    params={
        "now": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Now",
            description="Evaluate this instant, with its timezone. Empty: the minute for which the run is scheduled.",
        )
    },
    tags=["freshness", tier_tag(TIER)],
):

    @task
    def measure() -> list[str]:
        """Record the state changes. Returns the event ids of the last day."""
        from include.freshness import Records, evaluate_all, instant_of, statuses, write_page
        from include.ops import ensure_tables

        ensure_tables()
        records = Records(instant_of(get_current_context()))
        evaluate_all(records)
        write_page(records.now, statuses(records.now, records=records))
        return [event.event_id for event in records.events if event.measured_at >= records.now - NOTIFY_WITHIN]

    @task(trigger_rule="all_done")
    def alert() -> str:
        """Write alerts for events of the last day that have none yet, then send the due alerts."""
        from include.alerts import Outbox, deliver, notify
        from include.freshness import events_since, instant_of

        context = get_current_context()
        now = instant_of(context)
        # None if `measure` has failed: there may be events then.
        changed = context["ti"].xcom_pull(task_ids="measure")
        outbox = Outbox()
        notify([] if changed == [] else events_since(now - NOTIFY_WITHIN), now, outbox=outbox)
        return deliver(now, outbox).message

    measure() >> alert()
