"""
### Ingest one source

Loads the new and changed rows of one source into `raw_<source>`, then checks them at the raw gate. If a loader such as Fivetran
has landed the source in BigQuery, no row is copied: `raw_<source>` has views of the loader's tables.

| | |
|---|---|
| **Defined by** | the source's file in `include/sources/`: each file there becomes one DAG |
| **Starts** | on the schedule in the file (default: daily, `NIGHTLY_SCHEDULE` of `include/terms.py`), or by hand with an optional as-of day |
| **Upstream** | the source system, through the Airflow connection that the file names |
| **Downstream** | emits the assets `loaded` and `raw_<source>` for its as-of day; `transform` starts when all sources have emitted theirs |

**On call.**

- *`load` failed.* It has loaded the tables that it could read. Its message names the table that it could not read. Fix the source
  or its connection, then clear the task. It continues from the cursor in the warehouse, and the staging view shows no row twice.
  If the message says when the system resumes, its quota is used up. The task is not retried: clear it after that time.
- *`gate` is blocked.* Its message names the expectation, the table and the rows: see `ops.gate_results`. Clear `load` after you
  fix the source, or `gate` after you fix the rule.
- *A task is up for reschedule.* It waits for a refresh that loads the same source; its log names the run.

`transform` waits for this DAG. On its schedule, `transform_deadline` starts `transform` with the data that has arrived.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, Param, get_current_context, task

from include.orchestration import AS_OF_PARAMETER, LOADED_ASSET, default_args, raw_asset, tier_tag
from include.settings import settings
from include.sources import Source, load_sources


def ingest_dag(source: Source) -> DAG:
    loaded, asset = Asset(LOADED_ASSET), Asset(raw_asset(source.name))

    with DAG(
        dag_id=f"ingest_{source.name}",
        description=source.description,
        doc_md=__doc__,
        schedule=source.schedule if settings().schedules == "on" else None,
        catchup=False,
        max_active_runs=1,
        default_args=default_args(source.owner, source.tier),
        params={"as_of": Param(None, **AS_OF_PARAMETER)},
        tags=["ingest", tier_tag(source.tier), source.name],
    ) as dag:

        @task(outlets=[loaded])
        def load(*, outlet_events: Any = None) -> dict[str, Any]:
            """Load the new rows into raw; emit the asset `loaded` for this as-of day."""
            from include.ops import ensure_tables, start_run
            from include.orchestration import load_task, wait_for_lock
            from include.run_context import RunContext, run_page

            context = get_current_context()
            run = RunContext.of(context)
            ensure_tables()
            wait_for_lock(context, [source.dataset])
            start_run(run, dag_id=f"ingest_{source.name}", log_url=run_page(context))
            report = load_task(source, run)
            outlet_events[loaded].add_partitions(run.partition_key)
            return report.summary()

        @task(outlets=[asset])
        def gate(*, outlet_events: Any = None) -> str:
            """Check the loaded rows; mark the run as successful; emit the source's asset for this as-of day."""
            from include.ops import finish_run
            from include.orchestration import gate_task, wait_for_lock
            from include.run_context import RunContext

            context = get_current_context()
            wait_for_lock(context, [source.dataset])
            run = RunContext.of(context)
            verdict = gate_task(f"raw_{source.name}", run, log_url=context["ti"].log_url)
            finish_run(run, dag_id=f"ingest_{source.name}", state="success")
            outlet_events[asset].add_partitions(run.partition_key)
            return verdict

        load() >> gate()
    return dag


for _source in load_sources().values():
    globals()[f"ingest_{_source.name}"] = ingest_dag(_source)
