"""dbt's manifest: written by `dbt parse` when the project has changed, read by everything that is derived from the models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from include.settings import ROOT, settings

#: The names in dbt/profiles.yml.
PROFILE = "customer_intelligence"
TARGET = "warehouse"
_INPUTS = {".sql", ".yml", ".csv", ".md"}

Manifest = dict[str, Any]


class ManifestError(RuntimeError):
    """dbt cannot parse the project; the message contains dbt's own message."""


def ensure_manifest(say: Callable[[str], None]) -> None:
    """Run `dbt parse` if a file of the project is newer than `dbt/target/manifest.json`.

    Args:
        say: called with a line of text before dbt starts, because parsing takes some seconds.

    Raises:
        ManifestError: dbt cannot parse the project.
    """
    folder, manifest = settings().dbt_dir, settings().manifest
    written = manifest.stat().st_mtime if manifest.exists() else 0.0
    inputs = (path for path in folder.rglob("*") if path.suffix in _INPUTS and "target" not in path.parts)
    if all(path.stat().st_mtime < written for path in inputs):
        return
    say("dbt parse …")
    # The same profile and target as Cosmos passes: dbt reuses an earlier parse only if they are equal.
    command = [str(Path(sys.prefix) / "bin" / "dbt"), "parse", "--project-dir", str(folder), "--profiles-dir", str(folder)]
    command += ["--profile", PROFILE, "--target", TARGET]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise ManifestError(f"`dbt parse` failed:\n{done.stdout[-3000:]}")


def read_manifest() -> Manifest:
    """The manifest. It is parsed once per process and change.

    Raises:
        FileNotFoundError: `dbt parse` has not written it yet.
    """
    path = settings().manifest
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Manifest:
    found: Manifest = json.loads(path.read_text(encoding="utf-8"))
    return found
