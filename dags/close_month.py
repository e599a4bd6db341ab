"""
### Close a month

Freezes the published figures of a month that has ended, for one organization or for all: `ops.closed_figures`. The view
`ops.closed_and_current` shows them beside the figures of now. With `reopen`, a closed month is open again; nothing is deleted.
docs/restatements.md explains it.

| | |
|---|---|
| **Starts** | by hand only |
| **Parameters** | `month`: YYYY-MM · `organization`: empty for all · `by`: who closes it; empty for the user who starts the run · `reopen` |
| **Upstream** | the publications of `transform` and of the refreshes |
| **Downstream** | `ops.period_closes`, `ops.closed_figures`, the page `restatements.html` beside the data docs |

**On call.** A refused closing fails at once and is not retried. Its message says why: the month has not ended in every publication, or the
organization has no figures in it. Publish the month first, then trigger the DAG again. A repetition changes nothing. While a run builds or
publishes, the task is up for reschedule: it waits for the lock, and fails after 75 minutes.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param, get_current_context, task

from include.orchestration import default_args, record_success, tier_tag

TIER = "medium"

with DAG(
    dag_id="close_month",
    description="Freezes the published figures of a month, or re-opens it.",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=default_args("data_platform", TIER),
    params={
        "month": Param(
            None,
            type=["null", "string"],
            pattern=r"^\d{4}-\d{2}$",
            title="Month",
            description="The month to close, YYYY-MM.",
        ),
        "organization": Param(
            None, type=["null", "string"], title="Organization", description="Its id. Empty: all organizations."
        ),
        "by": Param(None, type=["null", "string"], title="By", description="Who closes it. Empty: the user who starts the run."),
        "reopen": Param(False, type="boolean", title="Re-open", description="Re-open a closed month."),
    },
    tags=["restatements", tier_tag(TIER)],
):

    @task(on_success_callback=record_success)
    def close_or_reopen() -> list[str]:
        """Close or re-open the month. Returns a sentence per organization."""
        from airflow.sdk.exceptions import AirflowFailException

        from include.ops import ensure_tables
        from include.orchestration import BUILD, wait_for_lock
        from include.restatements import CloseError, close_months, parse_month, reopen_months, write_page

        context = get_current_context()
        params, user = context["params"], getattr(context["dag_run"], "triggering_user_name", None)
        change = reopen_months if params["reopen"] else close_months
        ensure_tables()
        # A publication in progress has replaced tables whose figures are not recorded yet.
        wait_for_lock(context, [BUILD])
        try:
            said = change(parse_month(params["month"] or ""), params["by"] or user or "", params["organization"] or None)
        except CloseError as error:
            raise AirflowFailException(str(error)) from error
        write_page()
        return said

    close_or_reopen()
