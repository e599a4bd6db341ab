"""Tables as loaders land them, on Google's evaluator: the cases that the local warehouse computes too."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.google.engine import Engine
from tests.google.evaluate import Evaluator
from tests.google.test_evaluated import CACHE, Sheet

ROOT = Path(__file__).resolve().parents[2]
#: The platform's own environment writes the statements: this one has none of its libraries.
_STATEMENTS = """
import dataclasses, json
from tests.include.landed.cases import CASES, statements

print(json.dumps([case | dataclasses.asdict(statements(case)) | {"seen": case.get("versions"), "counted": case.get("findings")} for case in CASES]))
"""


def _cases() -> list[dict[str, Any]]:
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-c", _STATEMENTS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    cases: list[dict[str, Any]] = json.loads(done.stdout)
    return cases


@pytest.fixture(scope="module")
def engines() -> tuple[Engine, Evaluator]:
    return Engine(CACHE), Evaluator(CACHE)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["name"])
def test_a_loaders_table_on_googles_evaluator(engines: tuple[Engine, Evaluator], case: dict[str, Any]) -> None:
    sheet = Sheet(*engines, datasets=("landing", "raw_shop"))
    for statement in case["setup"]:
        sheet.run(statement)
    assert sheet.run(case["rows"]) == case["expect"]
    if case["seen"]:
        assert sheet.run(case["versions"]) == case["seen"]
    if case["counted"]:
        assert sheet.run(case["findings"]) == case["counted"]
