"""dbt's manifest: written by `dbt parse` when the project has changed, read by everything that is derived from the models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from include.settings import ROOT, settings

#: The names in dbt/profiles.yml.
PROFILE = "customer_intelligence"
TARGET = "warehouse"
_INPUTS = {".sql", ".yml", ".csv", ".md"}

#: Dataset in which a table is built → dataset in which analysts read it.
PUBLISHED = {"marts_build": "marts", "metrics_build": "metrics"}

Manifest = Mapping[str, Any]
Node = Mapping[str, Any]


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


def read_manifest(path: Path | None = None) -> Manifest:
    """A manifest, parsed once per process and change. Callers share it and must not change it.

    Args:
        path: the file; by default that of the project.

    Raises:
        FileNotFoundError: `dbt parse` has not written it yet.
    """
    path = path or settings().manifest
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Manifest:
    found: Manifest = json.loads(path.read_text(encoding="utf-8"))
    return found


def nodes_of(manifest: Manifest, *kinds: str) -> list[Node]:
    """The nodes of some resource types, such as `model` or `test`. dbt lists disabled nodes elsewhere."""
    return [node for node in manifest["nodes"].values() if node["resource_type"] in kinds]


def parents_of(node: Node) -> list[str]:
    """The keys of the nodes and sources that a node reads directly."""
    return list(node.get("depends_on", {}).get("nodes", ()))


def upstream(manifest: Manifest, keys: Iterable[str], follows: Callable[[str], bool] = lambda key: True) -> list[str]:
    """The keys of all nodes and sources upstream of some nodes, directly or not; the given keys come first.

    Args:
        manifest: dbt's manifest.
        keys: the keys to begin with.
        follows: whether a key further upstream belongs to the result. If not, the walk ends there.
    """
    found = list(dict.fromkeys(keys))
    known = set(found)
    for key in found:
        for parent in parents_of(manifest["nodes"].get(key, {})):
            if parent not in known and follows(parent):
                known.add(parent)
                found.append(parent)
    return found


def published_name(node: Node) -> str:
    """The name under which analysts read a table, such as `marts.mart_nrr_summary`; that of the build if it is not published."""
    return f"{PUBLISHED.get(node['schema'], node['schema'])}.{node['alias']}"
