"""
### Ingest one source

Lands the new and changed rows of one source in `raw_<source>`, then checks the landing at the raw gate.

| | |
|---|---|
| **Made from** | the source's file in `include/sources/`: add a file there and its DAG appears here |
| **Starts** | on the file's schedule (nightly, 02:00 UTC unless it says otherwise), or by hand, with an as-of day if you like |
| **Upstream** | the source system, through the Airflow connection that the file names |
| **Downstream** | emits the assets `landed` and `raw_<source>` for its night; `transform` starts when all sources have emitted theirs |

**On call.** A failed `land` has loaded the tables that could be read and names the one that could not: mend the source or its
connection, then clear the task; it goes on from the cursor kept in the warehouse and loads nothing twice into staging. A blocked
`gate` names the expectation, the table and the rows: see `ops.gate_results`, then clear `land` (source mended) or `gate` (rule
mended). Until this DAG succeeds, `transform` waits, and at its deadline goes on with what has arrived. A task that is up for reschedule
waits for a refresh that lands the same source; it says for which.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, Param, get_current_context, task

from include.orchestration import AS_OF_PARAMETER, LANDED_ASSET, default_args, raw_asset, tier_tag
from include.settings import settings
from include.sources import Source, load_sources


def ingest_dag(source: Source) -> DAG:
    landed, asset = Asset(LANDED_ASSET), Asset(raw_asset(source.name))

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

        @task(outlets=[landed])
        def land(*, outlet_events: Any = None) -> dict[str, Any]:
            """Load what is new into raw; say for which night rows have landed."""
            from include.ingestion import land as land_source
            from include.ops import ensure_tables, start_run
            from include.orchestration import wait_for_turn
            from include.runs import RunContext, run_page
            from include.sources import SourceConnection

            context = get_current_context()
            run = RunContext.of(context)
            ensure_tables()
            wait_for_turn(context, [source.dataset])
            start_run(run, dag_id=f"ingest_{source.name}", log_url=run_page(context))
            report = land_source(source, SourceConnection.from_airflow(source.connection), run)
            outlet_events[landed].add_partitions(run.night)
            return report.summary()

        @task(outlets=[asset])
        def gate(*, outlet_events: Any = None) -> str:
            """Check the landing; close the run's books; emit the asset for this night."""
            from include.ops import finish_run
            from include.orchestration import gate_task, wait_for_turn
            from include.runs import RunContext

            context = get_current_context()
            wait_for_turn(context, [source.dataset])
            run = RunContext.of(context)
            verdict = gate_task(f"raw_{source.name}", run, log_url=context["ti"].log_url)
            finish_run(run, dag_id=f"ingest_{source.name}", state="success")
            outlet_events[asset].add_partitions(run.night)
            return verdict

        land() >> gate()
    return dag


for _source in load_sources().values():
    globals()[f"ingest_{_source.name}"] = ingest_dag(_source)
