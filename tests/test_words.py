"""The rooms that speak the field's words stay with them: docs/glossary.md says which they are."""

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
}
#: Names in backticks are those of tables, columns and keys. Names in quotes are former names of them.
NAMES = re.compile(r"`[^`]*`|\"[a-z_.]*promised?[a-z_]*\"")
#: Word → a room that still has a published name with it: the key `promise` in the answers of the MCP tools.
EXCEPT = {r"promis(e|es|ed|ing)": "include/mcp"}
#: The rooms that are done.
ROOMS = (
    "dags",
    "docs/adr/0004-raw-is-append-only.md",
    "docs/adr/0013-one-run-writes-at-a-time.md",
    "docs/adr/0015-freshness-is-measured-on-the-data.md",
    "docs/alerts.md",
    "docs/freshness.md",
    "docs/glossary.md",
    "docs/mcp.md",
    "docs/refresh.md",
    "docs/runbooks",
    "include/alerts",
    "include/catalog",
    "include/freshness",
    "include/ingestion",
    "include/mcp",
    "include/ops",
    "include/orchestration/defaults.py",
    "include/publish",
    "include/run_context.py",
    "include/settings.py",
    "include/sources",
    "include/telemetry.py",
    "include/terms.py",
    "include/orchestration/locks.py",
    "tests/dags",
    "tests/include/alerts",
    "tests/include/catalog",
    "tests/include/freshness",
    "tests/include/ingestion",
    "tests/include/mcp",
    "tests/include/ops",
    "tests/include/publish",
    "tests/include/sources",
    "tests/include/test_run_context.py",
    "tests/include/test_telemetry.py",
    "tests/include/orchestration/test_locks.py",
    "tests/recompute",
)


def files(*suffixes: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "--", *ROOMS], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return [ROOT / name for name in listed.splitlines() if name.endswith(suffixes)]


@pytest.mark.parametrize("word", BANNED)
def test_a_private_word_is_not_used(word: str) -> None:
    pattern = re.compile(rf"(?<![a-z])({word})(?![a-z])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files(".md", ".py", ".sql", ".yml", ".j2")
        if word not in EXCEPT or EXCEPT[word] not in path.as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(NAMES.sub("", line))
    ]
    assert found == [], f"write {BANNED[word]} instead:\n" + "\n".join(found)


def test_the_rooms_are_there() -> None:
    assert [room for room in ROOMS if not (ROOT / room).exists()] == []
    assert len(files(".md", ".py")) > 50
