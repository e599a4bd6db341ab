"""The files and folders in CHECKED use no private words: docs/glossary.md has the words to use."""

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
#: Word → a folder that has a published name with it: the key `promise` in the answers of the MCP tools.
EXCEPT = {r"promis(e|es|ed|ing)": "include/mcp"}
#: The files and folders that are checked.
CHECKED = (
    ".env.example",
    "Dockerfile",
    "Makefile",
    "dags",
    "docker-compose.yaml",
    "docs/adr/0004-raw-is-append-only.md",
    "docs/adr/0013-one-run-writes-at-a-time.md",
    "docs/adr/0015-freshness-is-measured-on-the-data.md",
    "docs/alerts.md",
    "docs/backtest.md",
    "docs/freshness.md",
    "docs/glossary.md",
    "docs/mcp.md",
    "docs/refresh.md",
    "docs/runbooks",
    "great_expectations",
    "include/alerts",
    "include/catalog",
    "include/cost",
    "include/demo",
    "include/freshness",
    "include/ingestion",
    "include/local",
    "include/manifest.py",
    "include/mcp",
    "include/ops",
    "include/orchestration",
    "include/publish",
    "include/quality",
    "include/run_context.py",
    "include/settings.py",
    "include/sources",
    "include/telemetry.py",
    "include/terms.py",
    "include/transform",
    "include/warehouse",
    "tests/backtest",
    "tests/bench.py",
    "tests/bench_tickets.py",
    "tests/conftest.py",
    "tests/dags",
    "tests/dbt",
    "tests/google",
    "tests/include/alerts",
    "tests/include/catalog",
    "tests/include/cost",
    "tests/include/demo",
    "tests/include/freshness",
    "tests/include/ingestion",
    "tests/include/local",
    "tests/include/mcp",
    "tests/include/ops",
    "tests/include/orchestration",
    "tests/include/publish",
    "tests/include/quality",
    "tests/include/sources",
    "tests/include/test_run_context.py",
    "tests/include/test_telemetry.py",
    "tests/include/transform",
    "tests/include/warehouse",
    "tests/pipeline",
    "tests/proxy.py",
    "tests/recompute",
    "tests/warehouse.py",
)


def files(*suffixes: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "--", *CHECKED], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return [ROOT / name for name in listed.splitlines() if name.endswith(suffixes)]


@pytest.mark.parametrize("word", BANNED)
def test_a_private_word_is_not_used(word: str) -> None:
    pattern = re.compile(rf"(?<![a-z])({word})(?![a-z])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files(".md", ".py", ".sql", ".yml", ".yaml", ".j2", "Makefile", "Dockerfile", ".env.example")
        if word not in EXCEPT or EXCEPT[word] not in path.as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(NAMES.sub("", line))
    ]
    assert found == [], f"write {BANNED[word]} instead:\n" + "\n".join(found)


def test_the_checked_files_exist() -> None:
    assert [name for name in CHECKED if not (ROOT / name).exists()] == []
    assert len(files(".md", ".py")) > 50
