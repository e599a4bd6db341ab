"""A copy of the dbt project with source files of its own, and dbt commands on it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.cloud.bigquery import Client

from include.settings import ROOT
from include.sources import load_sources
from include.sources.generated import write

AS_OF = "2026-10-01"


@dataclass(frozen=True)
class Project:
    """A copy of the dbt project, on a warehouse."""

    folder: Path
    bq: Client

    def dbt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a dbt command on the copy."""
        target = str(self.folder / "target")
        folders = [
            "--project-dir",
            str(self.folder),
            "--profiles-dir",
            str(self.folder),
            "--target-path",
            target,
            "--log-path",
            target,
        ]
        variables = ["--vars", json.dumps({"as_of": AS_OF})]
        program = str(Path(sys.prefix) / "bin" / "dbt")
        return subprocess.run([program, *command, *variables, *folders], capture_output=True, text=True, check=False, cwd=ROOT)

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "target" / "manifest.json").read_text())
        return found


def copy_dbt(folder: Path, sources: Path) -> None:
    """Copy the dbt project to a folder, with the views of other source files."""
    shutil.copytree(ROOT / "dbt", folder, ignore=shutil.ignore_patterns("target", "logs"))
    write(load_sources(sources), folder)
