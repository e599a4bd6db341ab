"""Starts the embedded warehouse with one correction: a bare NUMERIC keeps nine decimals, as it does in BigQuery.

The emulator writes NUMERIC as DuckDB's bare DECIMAL, which is DECIMAL(18, 3): amounts and rates would silently lose
all but three decimals. Runs in the warehouse's own environment, never in the platform's.
"""

from bqemulator.cli import main
from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator

# Type → (parameters where none are given, their upper bounds). A setting, so that it also reaches a compiled sqlglot.
DuckDBGenerator.TYPE_PARAM_SETTINGS[exp.DType.DECIMAL] = ((38, 9), ())

if __name__ == "__main__":
    raise SystemExit(main())
