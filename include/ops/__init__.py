"""The platform's own books: the `ops` and `quarantine` tables, how they are created, written and read."""

from include.ops.readers import gate_results, last_as_of, loads, publications, runs
from include.ops.tables import DATASETS, TABLES, Column, OpsTable, table
from include.ops.writers import append, ensure_tables, finish_run, start_run

__all__ = [
    "DATASETS",
    "TABLES",
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
    "start_run",
    "table",
]
