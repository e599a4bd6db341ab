"""The repository uses the words of docs/glossary.md, and no private ones."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from include.settings import ROOT

#: Private word → the field's word.
BANNED = {
    r"nights?": "nightly run, run",
    r"told": "notified, passed, said",
    r"books": "audit tables, records",
    r"ticks?": "scheduled run, schedule interval",
    r"sets? aside": "quarantine",
    r"anew": "again",
    r"mend(s|ed|ing)?": "fix, repair",
    r"look(s|ed|ing)? back": "backfill",
    r"well again": "resolved",
    r"bury|buries|buried": "write tombstones",
    r"promis(e|es|ed|ing)": "freshness SLA, target",
    r"(tak(e|es|en|ing)|took) up(?! to)": "ingest, record",
    r"(go|goes|gone|going|went) out": "send",
}
#: Names in backticks are those of tables, columns and keys. Names in quotes are former names of them.
NAMES = re.compile(r"`[^`]*`|\"[a-z_.]*promised?[a-z_]*\"")


def files() -> list[Path]:
    """Every text of the repository but this one."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    found = [ROOT / name for name in listed.splitlines() if not name.endswith(".png")]
    return [path for path in found if path != Path(__file__)]


@pytest.mark.parametrize("word", BANNED)
def test_a_private_word_is_not_used(word: str) -> None:
    pattern = re.compile(rf"(?<![a-z])({word})(?![a-z])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(NAMES.sub("", line))
    ]
    assert found == [], f"write {BANNED[word]} instead:\n" + "\n".join(found)


def test_all_parts_of_the_repository_are_searched() -> None:
    parts = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {"dags", "dbt", "docs", "great_expectations", "include", "tests", "README.md", "Makefile"} <= parts
