"""Every dbt unit test on Google's reference evaluator: `.venv/bin/python -m tests.google.unit_tests`.

Fails when one fails that is not listed in not_evaluated.yml, and when a listed one passes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import yaml

from tests.google.warehouses import evaluated

LISTED = Path(__file__).with_name("not_evaluated.yml")
AS_OF = "2026-10-01"
_WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def main() -> int:
    """Run them; the exit code."""
    listed: dict[str, str] = yaml.safe_load(LISTED.read_text()) or {}
    with tempfile.TemporaryDirectory(prefix="dbt-unit-tests-") as home, evaluated(Path(home)) as warehouse:
        warehouse.prepare()
        # dbt takes the columns' types of the inputs from the tables: build all of them, without a row.
        warehouse.phase("only schema")
        built = warehouse.dbt("build", *_WITHOUT_TESTS, as_of=AS_OF)
        wrong = [f"{name} is not built: {result['message']}" for name, result in built.items() if result["status"] == "error"]
        warehouse.phase("unit tests")
        results = warehouse.dbt("test", "--select", "test_type:unit", as_of=AS_OF)
        seconds = warehouse.cpu_seconds()
    states = {".".join(name.split(".")[2:]): result for name, result in results.items() if name.startswith("unit_test.")}
    wrong += [
        f"{name} fails: {result['message']}"
        for name, result in states.items()
        if result["status"] != "pass" and name not in listed
    ]
    wrong += [f"{name} is listed in {LISTED.name} and passes" for name in listed if states[name]["status"] == "pass"]
    passed = sum(result["status"] == "pass" for result in states.values())
    print(f"{passed} of {len(states)} dbt unit tests pass on Google's reference evaluator, {len(listed)} are listed as beyond it")
    print(f"{seconds:.0f} s of CPU in the evaluator")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong or not states else 0


if __name__ == "__main__":
    sys.exit(main())
