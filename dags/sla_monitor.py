"""
### Watch the freshness promises

Every five minutes: measures how new each published table is, compares it with its promise (`meta.sla` of its model), and writes
each change of state once to `ops.sla_events`: `on_time`, `at_risk`, `breached`, `recovered`. Then tells whom it concerns, through
Slack, e-mail and PagerDuty, and sends what an earlier run could not. What a promise means is told in docs/freshness.md, who is told
what in docs/alerts.md.

**Upstream** the clock, and the books that the other DAGs keep in `ops`. **Downstream** the ledger (`ops.sla_promises`, `ops.sla_events`,
`ops.sla_attainment`), the page `freshness.html` beside the data docs, and the outbox `ops.alerts`. **On call.** A failed run loses nothing: the next one
judges the same promises. If it keeps failing, nobody is told of late tables: look at the warehouse first, then at the message, which names the
model whose `meta.sla` cannot be read. Late tables themselves: docs/runbooks/sla-breached.md; a channel that is down:
docs/runbooks/channel-down.md.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from include.orchestration import default_args, tier_tag
from include.settings import settings

TIER = "critical"
TOLD_WITHIN = timedelta(days=1)

with DAG(
    dag_id="sla_monitor",
    description="Judges every freshness promise, notes each change of its state, and tells whom it concerns.",
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
            description="Judge this instant, with its timezone. Empty: the minute that the run is for.",
        )
    },
    tags=["sla", tier_tag(TIER)],
):

    @task
    def measure() -> list[str]:
        """Note what has changed; the ids of the changes of the last day."""
        from include.ops import ensure_tables
        from include.sla import Look, instant_of, judge, statuses, write_page

        ensure_tables()
        look = Look(instant_of(get_current_context()))
        judge(look)
        write_page(look.now, statuses(look.now, look=look))
        return [event.event_id for event in look.events if event.measured_at >= look.now - TOLD_WITHIN]

    @task(trigger_rule="all_done")
    def alert() -> str:
        """Tell of what has changed within a day and was not told yet, and send what is due of the outbox."""
        from include.alerts import Outbox, deliver, notify
        from include.sla import events_since, instant_of

        context = get_current_context()
        now = instant_of(context)
        # None if `measure` has failed: then there may be some.
        changed = context["ti"].xcom_pull(task_ids="measure")
        outbox = Outbox()
        notify([] if changed == [] else events_since(now - TOLD_WITHIN), now, outbox=outbox)
        return deliver(now, outbox).message

    measure() >> alert()
