"""Saves and loads the statements that `tests.google.check` records, for one version of the code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from include.settings import ROOT

#: The folders and files of the code that determines the statements.
_CODE = ("dbt", "great_expectations/figures.yml", "great_expectations/gates", "include", "tests/google")
_SUFFIXES = frozenset({".csv", ".json", ".py", ".sql", ".yaml", ".yml"})
#: Left out: folders that commands write, and this package, which only reads the record.
_LEFT_OUT = frozenset({"target", "logs", "__pycache__", "cost"})


def path() -> Path:
    """The file of the record."""
    return ROOT / ".local" / "google" / "recorded.json"


def code_version() -> str:
    """A digest of the files that determine the statements."""
    digest = hashlib.sha256()
    for name in _CODE:
        files = (file for file in [ROOT / name, *(ROOT / name).rglob("*")] if file.suffix in _SUFFIXES)
        for file in sorted(file for file in files if not _LEFT_OUT.intersection(file.relative_to(ROOT).parts)):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(ROOT).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def save(jobs: Iterable[Mapping[str, Any]], cadences: Mapping[str, float]) -> None:
    """Save the recorded jobs.

    Args:
        jobs: the jobs, from the endpoint.
        cadences: phase → how often a day it runs.
    """
    path().parent.mkdir(parents=True, exist_ok=True)
    path().write_text(json.dumps({"version": code_version(), "cadences": dict(cadences), "jobs": list(jobs)}))


def load() -> dict[str, Any] | None:
    """The record of this version of the code: `version`, `cadences`, `jobs`; None if there is none."""
    if not path().exists():
        return None
    found: dict[str, Any] = json.loads(path().read_text())
    return found if found["version"] == code_version() else None
