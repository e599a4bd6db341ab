"""The tables in which the platform keeps its own books: runs, loads, verdicts, quarantine, publications.

This module is their only definition. It imports no BigQuery library, so that importing it costs nothing.
"""

from __future__ import annotations

from include.ops.alerting import ALERTS
from include.ops.definition import Column, OpsTable
from include.ops.freshness import DATASET, FRESHNESS_TABLES, TABLE

#: Datasets that the platform owns besides one `raw_<source>` per source, and what each holds.
DATASETS: dict[str, str] = {
    "staging": "One view per raw table: typed, UTC, latest version only, without deleted and quarantined rows.",
    "core": "Business entities and events at a declared grain: dim_ and fct_ tables, and their seeds.",
    "marts_build": "Marts as the last run built them. Nobody reads them but the marts gate and publishing.",
    "metrics_build": "Metrics as the last run built them. Nobody reads them but the marts gate and publishing.",
    "marts": "Published marts: what analysts read. Replaced only after the marts gate has passed.",
    "metrics": "Published metrics for BI tools. Replaced only after the marts gate has passed.",
    "snapshots": "History of slowly changing tables, as dbt snapshots keep it.",
    "quarantine": "Rows that were set aside, each with the reason.",
    "ops": "The platform's own books: runs, loads, gate verdicts, publications, freshness promises.",
}


def _run_id(required: bool = False) -> Column:
    return Column("run_id", "STRING", "The Airflow run that wrote the row.", required)


_AS_OF = Column("as_of", "TIMESTAMP", "The instant that the run looked at: it saw what happened before it.")
_BATCH = Column("batch_id", "STRING", "The landing, <source>@<as_of>; raw rows carry it as _batch_id.", True)
_SOURCE = Column("source", "STRING", "Name of the source, as in include/sources.", True)
_TABLES = (
    OpsTable(
        "ops",
        "pipeline_runs",
        "One row per DAG run of the platform.",
        (
            _run_id(required=True),
            Column("dag_id", "STRING", "The DAG that ran.", True),
            _AS_OF,
            Column("full_refresh", "BOOL", "Whether incremental tables were rebuilt from scratch."),
            Column("state", "STRING", "running, success, failed, or skipped: a refresh that found no turn.", True),
            Column("started_at", "TIMESTAMP", "Wall clock when the run began.", True),
            Column("finished_at", "TIMESTAMP", "Wall clock when the run ended; NULL while it runs."),
            Column("message", "STRING", "Why the run failed, in the words of the task that failed, or why it was skipped."),
            Column("log_url", "STRING", "Where to look: the log of the task that failed, else the page of the run."),
            Column("seeds", "STRING", "Digest of the seeds that it loads or found loaded; some: not all; NULL: it touches none."),
        ),
        "started_at",
        ("run_id", "dag_id"),
    ),
    OpsTable(
        "ops",
        "turns",
        "One row per thing that only one run may write at a time: whose turn it is, or was last.",
        (
            Column("resource", "STRING", "raw_<source>, or build: what lies between raw and publishing.", True),
            Column("dag_id", "STRING", "The DAG whose turn it is, until its run has ended; NULL before the first."),
            Column("run_id", "STRING", "Its run."),
            Column("taken_at", "TIMESTAMP", "Wall clock when it took its turn."),
        ),
        "taken_at",
        ("resource",),
    ),
    OpsTable(
        "ops",
        "loads",
        "One row per raw table and landing.",
        (
            _BATCH,
            _run_id(),
            _SOURCE,
            Column("table_name", "STRING", "Raw table, without its dataset.", True),
            Column("rows_loaded", "INT64", "Rows landed, tombstones not counted."),
            Column("rows_deleted", "INT64", "Tombstones landed: keys that the source no longer holds."),
            Column("rows_rejected", "INT64", "Records that could not be read: see rejected_records."),
            Column("extracted_at", "TIMESTAMP", "Wall clock when this table's extraction began."),
            Column("loaded_at", "TIMESTAMP", "Wall clock when the batch was handed to the warehouse.", True),
        ),
        "loaded_at",
        ("source", "table_name", "batch_id"),
    ),
    OpsTable(
        "ops",
        "schema_changes",
        "One row per difference between what a source sent and what its YAML declares, per landing.",
        (
            _BATCH,
            _SOURCE,
            Column("table_name", "STRING", "Raw table, without its dataset.", True),
            Column("column_name", "STRING", "The column concerned.", True),
            Column("change", "STRING", "new_column, missing_column or type_change.", True),
            Column("detail", "STRING", "What was declared and what came."),
            Column("rows_affected", "INT64", "Rows of the batch concerned."),
            Column("detected_at", "TIMESTAMP", "Wall clock when it was found.", True),
        ),
        "detected_at",
        ("source", "table_name"),
    ),
    OpsTable(
        "ops",
        "gate_results",
        "One row per expectation that a gate evaluated, per run.",
        (
            _run_id(required=True),
            _AS_OF,
            Column("gate", "STRING", "raw_<source>, staging, core or marts.", True),
            Column("relation", "STRING", "The table or view judged, dataset.table.", True),
            Column("expectation", "STRING", "Name of the expectation, unique within its gate.", True),
            Column("expectation_type", "STRING", "Great Expectations' type of it."),
            Column("column_name", "STRING", "Column judged; NULL if the whole table is."),
            Column("action", "STRING", "What a failure does: block, quarantine or warn.", True),
            Column("success", "BOOL", "Whether the expectation held.", True),
            Column("unexpected_count", "INT64", "Rows that broke it; NULL if it does not count rows."),
            Column(
                "observed",
                "STRING",
                "What was seen: a value, or the text of the error.",
            ),
            Column("verdict", "STRING", "pass, or what followed: warn, quarantine or block.", True),
            Column("evaluated_at", "TIMESTAMP", "Wall clock of the evaluation.", True),
        ),
        "evaluated_at",
        ("gate", "run_id"),
    ),
    OpsTable(
        "ops",
        "reconciliation",
        "One row per reconciliation and part, per run: two ways to a number, and what lies between.",
        (
            _run_id(required=True),
            _AS_OF,
            Column("gate", "STRING", "The gate that ran it.", True),
            Column("reconciliation", "STRING", "Name of the reconciliation.", True),
            Column("part", "STRING", "What the row compares: a table, a month, or `all`.", True),
            Column("left_value", "FLOAT64", "The number one way."),
            Column("right_value", "FLOAT64", "The number the other way."),
            Column("difference", "FLOAT64", "left_value − right_value; 0 when it closes."),
            Column("row_count", "INT64", "Rows that make up the difference, where they can be counted."),
            Column("evaluated_at", "TIMESTAMP", "Wall clock of the evaluation.", True),
        ),
        "evaluated_at",
        ("reconciliation", "run_id"),
    ),
    OpsTable(
        "ops",
        "dbt_results",
        "One row per dbt node and invocation; written by dbt itself when it ends.",
        (
            Column("invocation_id", "STRING", "The dbt invocation.", True),
            _run_id(),
            _AS_OF,
            Column("layer", "STRING", "staging, core or marts: what the invocation built."),
            Column("node_id", "STRING", "dbt's unique id of the node.", True),
            Column("resource_type", "STRING", "model, test, unit_test, seed, snapshot, …"),
            Column("name", "STRING", "Name of the node."),
            Column("status", "STRING", "success, pass, fail, warn, error or skipped."),
            Column("execution_seconds", "FLOAT64", "Seconds that the node took."),
            Column("rows_affected", "INT64", "Rows written, or rows that fail for a test."),
            Column("message", "STRING", "What the adapter or the error said."),
            Column("finished_at", "TIMESTAMP", "Wall clock when the results were written.", True),
        ),
        "finished_at",
        ("run_id", "layer"),
    ),
    OpsTable(
        "ops",
        "publications",
        "One row per table and run that tried to publish it: which build each published table shows.",
        (
            TABLE,
            DATASET,
            Column("build_dataset", "STRING", "Where it was built: marts_build or metrics_build.", True),
            _run_id(required=True),
            _AS_OF,
            Column("row_count", "INT64", "Rows published; NULL until it is."),
            Column("published_at", "TIMESTAMP", "Wall clock of the state.", True),
            Column(
                "state",
                "STRING",
                "publishing (begun, not yet ended), published (what analysts read until a later run's), "
                "dropped (no longer built, taken away) or rolled_back (failed, the former table is back).",
                True,
            ),
        ),
        "published_at",
        ("dataset", "table_name"),
    ),
    *FRESHNESS_TABLES,
    ALERTS,
    OpsTable(
        "quarantine",
        "quarantined_rows",
        "One row per staging row that a gate set aside, and reason; its view leaves it out meanwhile.",
        (
            Column("relation", "STRING", "The staging view, without its dataset.", True),
            Column("row_key", "STRING", "The row's key columns, cast to text and joined by |.", True),
            Column("organization_id", "STRING", "Tenant that the row belongs to."),
            Column("reason", "STRING", "Why it was set aside, in words.", True),
            Column("expectation", "STRING", "The expectation that it broke.", True),
            Column("gate", "STRING", "The gate that set it aside.", True),
            Column("row_json", "STRING", "The whole row as JSON text."),
            _run_id(),
            _AS_OF,
            Column("quarantined_at", "TIMESTAMP", "Wall clock when it was set aside.", True),
        ),
        "quarantined_at",
        ("relation", "row_key"),
    ),
    OpsTable(
        "quarantine",
        "rejected_records",
        "One row per record of a source that could not be read at all.",
        (
            _SOURCE,
            Column("table_name", "STRING", "Raw table that it was meant for.", True),
            Column("source_file_id", "STRING", "File (path#checksum) or extraction that it came in."),
            Column("line_number", "INT64", "Line in the file, from 1; NULL where there are no lines."),
            Column("reason", "STRING", "Why it could not be read.", True),
            Column("payload", "STRING", "The record as it came."),
            _BATCH,
            Column("rejected_at", "TIMESTAMP", "Wall clock when it was rejected.", True),
        ),
        "rejected_at",
        ("source", "table_name"),
    ),
)

#: Every table by its qualified name, `dataset.table`.
TABLES: dict[str, OpsTable] = {table.qualified: table for table in _TABLES}


def table(qualified: str) -> OpsTable:
    """The ops or quarantine table called `dataset.table`.

    Raises:
        KeyError: naming the tables that exist.
    """
    try:
        return TABLES[qualified]
    except KeyError:
        raise KeyError(f"{qualified} is no table of the books; they are {', '.join(TABLES)}.") from None
