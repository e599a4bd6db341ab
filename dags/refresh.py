"""
### Refresh what is promised more often than daily

Lands what changes between nights of what some tables are made from, builds what lies downstream of it, checks, and publishes these tables alone. Beside the nightly run,
by the same code, and never at the same time.

| | |
|---|---|
| **Made from** | `meta.sla.cadence` of the dbt models: a DAG for every cadence but `daily`, with the models and tables that lineage and the sources' files name |
| **Starts** | at every tick of its cadence, or by hand, with an as-of instant if you like |
| **Upstream** | the source systems, and the last night: what a source's file leaves to it (`refresh_every`) is taken as it left it. Skips its tick if a nightly run or another refresh is under way, or no night has succeeded yet |
| **Downstream** | its tables in `marts` and `metrics`. It emits no asset: the night does not wait for it |

**On call.** A skipped tick is no failure: `prepare` says who was in the way, and so does `ops.pipeline_runs`; see the runbook
`refresh-skipped`. A failed tick leaves the published tables as they were, and the next one makes it good: mend what the failed task
names (a blocked `gate_…` names the expectation, the table and the rows) and wait for it. To hold refreshes back, pause this DAG.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, chain, get_current_context, get_parsing_context, task

from include.orchestration import INSTANT_PARAMETER, default_args, tier_tag
from include.settings import settings
from include.sources import Source
from include.transform import BUILD, GATED, LAYERS, Refresh, dbt_layer, refreshes, rendered_selectors

OWNER = "data_platform"


def refresh_dag(refresh: Refresh) -> DAG:
    with DAG(
        dag_id=refresh.dag_id,
        description=f"Refreshes {', '.join(refresh.models)}: {refresh.cadence}.",
        doc_md=__doc__,
        schedule=refresh.schedule if settings().schedules == settings().refreshes == "on" else None,
        catchup=False,
        max_active_runs=1,
        # A run that takes longer keeps later ticks and the night from their turn.
        dagrun_timeout=min(2 * refresh.interval, timedelta(hours=1)),
        default_args=default_args(OWNER, refresh.tier),
        params={"as_of": Param(None, **INSTANT_PARAMETER)},
        tags=["refresh", tier_tag(refresh.tier)],
    ) as dag:
        written = [BUILD, *(source.dataset for source in refresh.sources.values())]

        @task.short_circuit
        def prepare() -> dict[str, Any] | None:
            """Take the turn and open the run's books; without a turn, or a night to build on, skip this tick."""
            from include.ops import ensure_tables
            from include.orchestration import in_the_way
            from include.publish import recover
            from include.transform import open_run, skip_loaded_seeds, skip_run

            context = get_current_context()
            ensure_tables()
            if other := in_the_way(context, written):
                skip_run(context, f"This tick is left out: {other}.")
                return None
            recover()
            return skip_loaded_seeds(context, open_run(context, refresh.taken))

        def land(source: Source) -> Any:
            @task(task_id=f"land_{source.name}")
            def load() -> dict[str, Any]:
                """Load what is new into raw."""
                from include.ingestion import land as land_source
                from include.orchestration import wait_for_turn
                from include.sources import SourceConnection
                from include.transform import run_of

                # Here and below: a task that is cleared by hand may find that somebody else is at work by now.
                wait_for_turn(get_current_context(), written)
                connection = SourceConnection.from_airflow(source.connection)
                return land_source(source, connection, run_of(get_current_context())).summary()

            return load()

        def gate(name: str, gates: list[str]) -> Any:
            @task(task_id=f"gate_{name}")
            def check() -> str:
                """Check what this run makes, by the rules of the gate that speak of nothing else."""
                from include.orchestration import gate_task, wait_for_turn
                from include.quality import Scope
                from include.transform import run_of

                wait_for_turn(get_current_context(), written)
                context = get_current_context()
                scope = Scope(refresh.sources, refresh.relations, refresh.taken)
                return gate_task(gates, run_of(context), scope, log_url=context["ti"].log_url)

            return check()

        @task
        def publish() -> int:
            """Clone the checked tables to where analysts read them: all or none."""
            from include.orchestration import publish_task, wait_for_turn
            from include.transform import run_of

            wait_for_turn(get_current_context(), written)
            return publish_task(refresh.dag_id, run_of(get_current_context()), refresh.tables)

        @task
        def finish() -> None:
            """Close the run's books."""
            from include.ops import finish_run
            from include.transform import run_of

            finish_run(run_of(get_current_context()), dag_id=refresh.dag_id, state="success")

        steps: list[Any] = [prepare()]
        if refresh.sources:
            steps.append([land(source) for source in refresh.sources.values()])
            # One task for all: it writes the results of all in one statement, and runs a hundred times a day.
            steps.append(gate("raw", [source.dataset for source in refresh.sources.values()]))
        for layer in LAYERS:
            if layer not in refresh.layers:
                continue
            # The process of `prepare` skips all that follows, so it must know it.
            whole = refresh.selectors[layer]
            skips = get_parsing_context().task_id == "prepare"
            selectors = whole if skips else rendered_selectors(layer, whole)
            steps += [dbt_layer(layer, selectors, refresh.upstream, refresh.left_out)] if selectors else []
            steps += [gate(layer, [layer])] if layer in GATED else []
        chain(*steps, publish(), finish())
    return dag


for _refresh in refreshes().values():
    if get_parsing_context().dag_id in (None, _refresh.dag_id):
        globals()[_refresh.dag_id] = refresh_dag(_refresh)
