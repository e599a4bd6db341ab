"""The SQL of a model writes out every column, so that a search for the name finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include.settings import ROOT

MODELS = ROOT / "dbt" / "models"
FINAL = re.compile(r"^final as \(\n(.*?)^\)$", re.DOTALL | re.MULTILINE)
LOOP = re.compile(r"\{%")
STAR = re.compile(r"^\s+(?:select )?(?:\w+\.)?\*", re.MULTILINE)


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.sql")), ids=lambda path: path.stem)
def test_the_last_cte_names_every_column(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    if path.parent.name == "clean":
        # A clean view has the columns of its staging view, whichever they are.
        return
    if path.is_relative_to(MODELS / "history"):
        assert not STAR.search(sql)
        return
    (final,) = FINAL.findall(sql)
    assert not STAR.search(final) and not LOOP.search(final), "write out the columns of `final`"
    assert re.search(r"\nselect \*\s+from final\s*$", sql)
