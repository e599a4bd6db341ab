"""Definitions of the audit tables: runs, loads, gate results, quarantine, publications.

This module is their only definition. It imports no BigQuery library, so importing it is cheap.
"""

from __future__ import annotations

from include.ops.alerting import ALERTS
from include.ops.definition import Column, OpsTable
from include.ops.freshness import DATASET, FRESHNESS_TABLES, TABLE
from include.ops.identity import IDENTITY_TABLES
from include.ops.inputs import INPUT_TABLES
from include.ops.restatements import RESTATEMENT_TABLES

#: Datasets that the platform owns besides one `raw_<source>` per source, and what each holds.
DATASETS: dict[str, str] = {
    "staging": "One view per raw table that feeds an entity of the contract: its columns, latest version only, without deleted rows.",
    "conformed": "One view per entity of the contract: the rows of all systems, cleaned, with flags.",
    "core": "Business entities and events at a declared grain (dim_, fct_), seeds, and the steps between layers (clean_, int_).",
    "marts_build": "Marts as the last run built them. Only the marts gate and publishing read them.",
    "metrics_build": "Metrics as the last run built them. Only the marts gate and publishing read them.",
    "marts": "Published marts, which analysts read. Replaced only after the marts gate has passed.",
    "metrics": "Published metrics for BI tools. Replaced only after the marts gate has passed.",
    "snapshots": "History of slowly changing tables, kept by dbt snapshots.",
    "quarantine": "Quarantined rows and rejected records, each with the reason.",
    "ops": "Audit tables: runs, loads, findings on the input, gate verdicts, publications, restatements, closed months, locks, freshness SLAs, alerts.",
}


def _run_id(required: bool = False) -> Column:
    return Column("run_id", "STRING", "The Airflow run that wrote the row.", required)


_AS_OF = Column("as_of", "TIMESTAMP", "As-of time of the run: it reports on events before this instant.")
_BATCH = Column("batch_id", "STRING", "The batch, <source>@<as_of>; raw rows carry it as _batch_id.", True)
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
            Column("state", "STRING", "running, success, failed, or skipped (a refresh that could not start).", True),
            Column("started_at", "TIMESTAMP", "Wall clock when the run began.", True),
            Column("finished_at", "TIMESTAMP", "Wall clock when the run ended; NULL while it runs."),
            Column("message", "STRING", "Error of the failed task, or why the run was skipped."),
            Column("log_url", "STRING", "Link to the log of the failed task, else to the page of the run."),
            Column("seeds", "STRING", "Digest of the loaded seeds; some: only a part was loaded; NULL: the run needs none."),
        ),
        "started_at",
        ("run_id", "dag_id"),
    ),
    OpsTable(
        "ops",
        "locks",
        "Locks: one row per resource that only one run may write at a time.",
        (
            Column(
                "resource", "STRING", "raw_<source>, or build: everything from the staging views to the published tables.", True
            ),
            Column("dag_id", "STRING", "The DAG that holds the lock until its run ends; NULL before the first."),
            Column("run_id", "STRING", "The run that holds the lock."),
            Column("taken_at", "TIMESTAMP", "Wall clock when the lock was taken."),
        ),
        "taken_at",
        ("resource",),
        formerly="turns",
    ),
    OpsTable(
        "ops",
        "loads",
        "One row per raw table and ingestion run.",
        (
            _BATCH,
            _run_id(),
            _SOURCE,
            Column("table_name", "STRING", "Raw table, without its dataset.", True),
            Column("rows_loaded", "INT64", "Rows loaded, tombstones not counted."),
            Column("rows_deleted", "INT64", "Tombstones loaded: keys that the source no longer holds."),
            Column("rows_rejected", "INT64", "Records that could not be read: see rejected_records."),
            Column("rows_recovered", "INT64", "Of rows_loaded: rows that the cursor has missed, found by a comparison of keys."),
            Column(
                "rows_read", "INT64", "Rows that the source has sent. Rows that raw already holds may be left out of rows_loaded."
            ),
            Column("is_whole", "BOOL", "Whether the whole table was read, not only what is new."),
            Column("extracted_at", "TIMESTAMP", "Wall clock when this table's extraction began."),
            Column("loaded_at", "TIMESTAMP", "Wall clock when the batch was handed to the warehouse.", True),
        ),
        "loaded_at",
        ("source", "table_name", "batch_id"),
    ),
    OpsTable(
        "ops",
        "schema_changes",
        "One row per difference between a source's data and its YAML, per ingestion run.",
        (
            _BATCH,
            _SOURCE,
            Column("table_name", "STRING", "Raw table, without its dataset.", True),
            Column("column_name", "STRING", "The column concerned.", True),
            Column("change", "STRING", "new_column, missing_column or type_change.", True),
            Column("detail", "STRING", "The declared and the received column or type."),
            Column("rows_affected", "INT64", "Affected rows of the batch."),
            Column("detected_at", "TIMESTAMP", "Wall clock when the change was found.", True),
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
            Column("gate", "STRING", "raw_<source>, conformed, core or marts.", True),
            Column("relation", "STRING", "The table or view judged, dataset.table.", True),
            Column("expectation", "STRING", "Name of the expectation, unique within its gate.", True),
            Column("expectation_type", "STRING", "Its type in Great Expectations."),
            Column("column_name", "STRING", "Column judged; NULL if the whole table is."),
            Column("action", "STRING", "Consequence of a failure: block, quarantine or warn.", True),
            Column("success", "BOOL", "Whether the expectation held.", True),
            Column("unexpected_count", "INT64", "Rows that broke it; NULL if it does not count rows."),
            Column("observed", "STRING", "The observed value, or the text of the error."),
            Column("verdict", "STRING", "pass, or the consequence: warn, quarantine or block.", True),
            Column("evaluated_at", "TIMESTAMP", "Wall clock of the evaluation.", True),
        ),
        "evaluated_at",
        ("gate", "run_id"),
    ),
    OpsTable(
        "ops",
        "reconciliation",
        "One row per reconciliation and part, per run: one number computed in two ways, and the difference.",
        (
            _run_id(required=True),
            _AS_OF,
            Column("gate", "STRING", "The gate that ran it.", True),
            Column("reconciliation", "STRING", "Name of the reconciliation.", True),
            Column("part", "STRING", "The compared part: a table, a month, or `all`.", True),
            Column("left_value", "FLOAT64", "The number, computed the first way."),
            Column("right_value", "FLOAT64", "The number, computed the second way."),
            Column("difference", "FLOAT64", "left_value − right_value; 0 if both agree."),
            Column("row_count", "INT64", "Rows that cause the difference, if they can be counted."),
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
            Column(
                "layer",
                "STRING",
                "The layer of the node: staging, conformed, intermediate, core, marts, metrics, seeds or snapshots.",
            ),
            Column("node_id", "STRING", "dbt's unique id of the node.", True),
            Column("resource_type", "STRING", "model, test, unit_test, seed, snapshot, …"),
            Column("name", "STRING", "Name of the node."),
            Column("status", "STRING", "success, pass, fail, warn, error or skipped."),
            Column("execution_seconds", "FLOAT64", "Seconds that the node took."),
            Column("rows_affected", "INT64", "Rows written, or rows that fail for a test."),
            Column(
                "message",
                "STRING",
                "Message of the adapter or of the error. For a failed test `rows_are_valid`, its broken rules with their numbers of rows.",
            ),
            Column("finished_at", "TIMESTAMP", "Wall clock when the results were written.", True),
        ),
        "finished_at",
        ("run_id", "layer"),
    ),
    OpsTable(
        "ops",
        "publications",
        "One row per table and run that tried to publish it. The latest says which build a table shows.",
        (
            TABLE,
            DATASET,
            Column("build_dataset", "STRING", "The dataset of the build: marts_build or metrics_build.", True),
            _run_id(required=True),
            _AS_OF,
            Column("row_count", "INT64", "Rows published; NULL until the table is published."),
            Column("published_at", "TIMESTAMP", "Wall clock when the state began.", True),
            Column(
                "state",
                "STRING",
                "publishing (not yet ended), published (analysts read it until a later run publishes), "
                "dropped (no longer built, so removed) or rolled_back (failed, the former table is restored).",
                True,
            ),
            Column(
                "code_version",
                "STRING",
                "Version of the dbt code that built the table: it changes with its SQL, seeds and variables.",
            ),
        ),
        "published_at",
        ("dataset", "table_name"),
    ),
    *FRESHNESS_TABLES,
    *RESTATEMENT_TABLES,
    *IDENTITY_TABLES,
    *INPUT_TABLES,
    ALERTS,
    OpsTable(
        "quarantine",
        "quarantined_rows",
        "One row per quarantined conformed row and reason. The clean view of the conformed view leaves the row out.",
        (
            Column("relation", "STRING", "The conformed view, without its dataset.", True),
            Column("row_key", "STRING", "The row's key columns, cast to text and joined by |.", True),
            Column("organization_id", "STRING", "Tenant that the row belongs to."),
            Column("reason", "STRING", "Why the row was quarantined, as text.", True),
            Column("expectation", "STRING", "The expectation that it broke.", True),
            Column("gate", "STRING", "The gate that quarantined it.", True),
            Column("row_json", "STRING", "The whole row as JSON text."),
            _run_id(),
            _AS_OF,
            Column("quarantined_at", "TIMESTAMP", "Wall clock when it was quarantined.", True),
        ),
        "quarantined_at",
        ("relation", "row_key"),
    ),
    OpsTable(
        "quarantine",
        "rejected_records",
        "One row per source record that could not be read.",
        (
            _SOURCE,
            Column("table_name", "STRING", "Raw table for which the record was meant.", True),
            Column("source_file_id", "STRING", "File (path#checksum) or extraction that contained it."),
            Column("line_number", "INT64", "Line in the file, from 1; NULL where there are no lines."),
            Column("reason", "STRING", "Why it could not be read.", True),
            Column("payload", "STRING", "The record as received."),
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
    """The audit table with the name `dataset.table`.

    Raises:
        KeyError: there is no such table; the message names all tables.
    """
    try:
        return TABLES[qualified]
    except KeyError:
        raise KeyError(f"{qualified} is not an audit table. The audit tables are {', '.join(TABLES)}.") from None
