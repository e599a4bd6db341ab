"""Runs every dbt unit test on Google's reference evaluator: `.venv/bin/python -m tests.google.unit_tests`.

The evaluator has no implementation of APPROX_COUNT_DISTINCT, APPROX_QUANTILES, APPROX_TOP_COUNT and SESSION_USER. Its package lacks the
tables that NORMALIZE needs for NFKC and NFKD; it has NFC and NFD. The platform's SQL uses none of these. Not every function was tried.
MIN_BY and MAX_BY are replaced by ANY_VALUE(… HAVING MIN …), MERGE by a series of queries.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.google.warehouses import WITHOUT_TESTS, evaluated

AS_OF = "2026-10-01"


def main() -> int:
    """Run the tests; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="dbt-unit-tests-") as home, evaluated(Path(home)) as warehouse:
        warehouse.prepare()
        # dbt reads the column types of the inputs from the tables, so all tables are built, without rows. A test makes a table only to learn
        # the columns of its model, so these have no rows either.
        warehouse.phase("only schema")
        built = warehouse.dbt("build", *WITHOUT_TESTS, as_of=AS_OF)
        wrong = [f"{name} is not built: {result['message']}" for name, result in built.items() if result["status"] == "error"]
        results = warehouse.dbt("test", "--select", "test_type:unit", as_of=AS_OF)
        seconds = warehouse.cpu_seconds()
    states = {".".join(name.split(".")[2:]): result for name, result in results.items() if name.startswith("unit_test.")}
    wrong += [f"{name} fails: {result['message']}" for name, result in states.items() if result["status"] != "pass"]
    passed = sum(result["status"] == "pass" for result in states.values())
    print(f"{passed} of {len(states)} dbt unit tests pass on Google's reference evaluator")
    print(f"{seconds:.0f} s of CPU in the evaluator")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong or not states else 0


if __name__ == "__main__":
    sys.exit(main())
