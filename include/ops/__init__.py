"""The audit tables of `ops` and `quarantine`: how they are defined, created, written and read."""

from include.ops.definition import Column, OpsTable
from include.ops.pipeline_runs import finish_run, start_run
from include.ops.readers import SOME_SEEDS, gate_results, last_as_of, loads, publications, runs, runs_so_far
from include.ops.restatements import VIEWS
from include.ops.tables import DATASETS, TABLES, table
from include.ops.writers import append, ensure_tables

__all__ = [
    "DATASETS",
    "SOME_SEEDS",
    "TABLES",
    "VIEWS",
    "Column",
    "OpsTable",
    "append",
    "ensure_tables",
    "finish_run",
    "gate_results",
    "last_as_of",
    "loads",
    "publications",
    "runs",
    "runs_so_far",
    "start_run",
    "table",
]
