"""dbt's manifest cut up: for every node that has tasks of its own, what Cosmos reads to make these tasks.

Each task runs in a process that reads its DAG file anew, and most tasks are a node's: given the whole manifest, reading it is most of
what such a process does. Cuts lie beside the manifest; without them, or when the manifest is newer, the whole is read.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from include.manifest import Manifest, parents_of, read_manifest
from include.settings import settings

_TESTED = {"model", "seed", "snapshot"}
#: What Cosmos reads of a node.
_KEYS = ("config", "depends_on", "fqn", "name", "original_file_path", "package_name", "resource_type", "tags")


def cut_manifest() -> None:
    """Cut the manifest up, unless that has been done since it was written."""
    manifest, folder = settings().manifest, _folder()
    if _up_to_date(folder, manifest):
        return
    content = read_manifest()
    new = folder.with_name("nodes.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for name, cut in _cuts(content).items():
        (new / f"{name}.json").write_text(json.dumps(cut), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def manifest_for(name: str) -> Path:
    """The manifest to make the tasks of one node from: its cut if there is one, else the whole."""
    manifest, folder = settings().manifest, _folder()
    cut = folder / f"{name}.json"
    return cut if _up_to_date(folder, manifest) and cut.exists() else manifest


def _folder() -> Path:
    return settings().manifest.with_name("nodes")


def _up_to_date(folder: Path, manifest: Path) -> bool:
    return folder.exists() and folder.stat().st_mtime_ns > manifest.stat().st_mtime_ns


def _cuts(content: Manifest) -> dict[str, dict[str, Any]]:
    """By name of the node: a manifest with the node and its tests, and nothing else."""
    nodes = content["nodes"]
    names = {key: node["name"] for key, node in nodes.items() if node["resource_type"] in _TESTED}
    cuts: dict[str, dict[str, Any]] = {name: {} for name in names.values()}
    for key, node in nodes.items():
        kept = {field: node[field] for field in _KEYS if field in node}
        if key in names:
            cuts[names[key]][key] = kept
        elif node["resource_type"] == "test":
            for parent in parents_of(node):
                if parent in names:
                    cuts[names[parent]][key] = kept
    metadata = {"project_name": content["metadata"]["project_name"]}
    return {name: {"metadata": metadata, "nodes": cut} for name, cut in cuts.items()}
