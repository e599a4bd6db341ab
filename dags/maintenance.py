"""
### Maintenance

Daily at 05:00 UTC: deletes snapshot versions that ended more than a year ago (`SNAPSHOTS_KEPT_DAYS`). Current versions are
kept.

**Upstream** the schedule. **Downstream** the dataset `snapshots`. **On call.** A failed run needs no action: no other DAG waits
for it, and the next run deletes the same versions.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param, get_current_context, task

from include.orchestration import AS_OF_PARAMETER, default_args, record_success, tier_tag
from include.settings import settings

TIER = "medium"

with DAG(
    dag_id="maintenance",
    description="Deletes snapshot versions that ended more than a year ago.",
    doc_md=__doc__,
    schedule="0 5 * * *" if settings().schedules == "on" else None,
    catchup=False,
    max_active_runs=1,
    default_args=default_args("data_platform", TIER),
    params={"as_of": Param(None, **AS_OF_PARAMETER)},
    tags=["maintenance", tier_tag(TIER)],
):

    @task(on_success_callback=record_success)
    def delete_old_snapshot_versions() -> dict[str, int]:
        """Delete old versions. Returns snapshot → number of deleted versions."""
        from include.orchestration import delete_old_versions
        from include.run_context import RunContext
        from include.warehouse import client

        return delete_old_versions(RunContext.of(get_current_context()).as_of, client(task="retention"))

    delete_old_snapshot_versions()
