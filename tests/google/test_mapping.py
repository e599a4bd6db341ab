"""The SQL of mapped columns on Google's evaluator: the cases that the local warehouse computes too, and hours that clocks repeat."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.google.engine import Engine
from tests.google.evaluate import Evaluator
from tests.google.test_evaluated import CACHE, Sheet

ROOT = Path(__file__).resolve().parents[2]
#: The platform's own environment writes the statements: this one has none of its libraries.
_STATEMENTS = """
import json
from tests.include.sources.test_mapping_sql import CASES
from tests.include.sources.mapped import select, table

local = {"name": "local times that exist twice", "entity": "accounts", "column": "created_at",
         "form": {"from": "Local", "timezone": "Europe/Berlin"}, "rows": [{"Local": "timestamp '2026-10-25 02:30:00+00'"}],
         "expect": ["2026-10-25T00:30:00Z"]}
found = []
for case in [*CASES, local]:
    mapped = table(case["entity"], {case["column"]: case["form"]}, id_prefix=case.get("id_prefix"))
    found.append(case | {"sql": select(mapped, case["column"], case["rows"])})
print(json.dumps(found, default=str))
"""


def _cases() -> list[dict[str, Any]]:
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-c", _STATEMENTS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    cases: list[dict[str, Any]] = json.loads(done.stdout)
    return cases


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet(Engine(CACHE), Evaluator(CACHE))


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["name"])
def test_a_form_on_googles_evaluator(sheet: Sheet, case: dict[str, Any]) -> None:
    found = [row[0] for row in sheet.run(case["sql"])]
    is_instant = case["column"] in ("created_at", "responded_at")
    expected = [_microseconds(text) if text and is_instant else text for text in case["expect"]]
    assert found == expected


def _microseconds(text: str) -> str:
    """An instant as the REST API writes it."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return str(since // timedelta(microseconds=1))
