"""Which places of a model an entry of the committed list is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.equivalents import Equivalents
from tests.mutation.mutants import Mutant
from tests.mutation.project import Place

PLACES = [
    Place("dbt/models/m.sql", "m", line, source, "0", f"ab.{index}", Mutant("default", index, index + 1, "null"))
    for index, (line, source) in enumerate([(1, "first"), (2, "twice"), (2, "twice"), (3, "last")])
]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("line: first", PLACES[:1]),
        ("line: [first, last]", [PLACES[0], PLACES[3]]),
        ("line: twice", PLACES[1:3]),
        ("line: twice\n    nth: 2", PLACES[2:3]),
        ("line: twice\n    nth: 3", []),
        ("line: gone", []),
    ],
)
def test_an_entry_is_for_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str], entry: str, expected: list[Place]) -> None:
    file = tmp_path / "equivalents.yml"
    file.write_text(f"m:\n  - {entry}\n    before: '0'\n    after: 'null'\n    reason: of a test\n")
    found = Equivalents.read(file, PLACES)
    assert [place for place in PLACES if place in found] == expected
    assert bool(expected) != ("no place in m" in capsys.readouterr().err)
