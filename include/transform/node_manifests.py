"""Node manifests: for every dbt node with its own tasks, the part of dbt's manifest that Cosmos needs to create these tasks.

Every task parses the DAG file in its own process. With the whole manifest, most of that time would go into reading it. The node
manifests are in the folder `nodes` beside the manifest. If they are missing or older than the manifest, the whole manifest is
used.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from include.manifest import Manifest, parents_of, read_manifest
from include.settings import settings

_TESTED = {"model", "seed", "snapshot"}
#: The fields of a node that Cosmos reads.
_KEYS = ("config", "depends_on", "fqn", "name", "original_file_path", "package_name", "resource_type", "tags")


def write_node_manifests() -> None:
    """Write the node manifests, unless they are newer than the manifest."""
    manifest, folder = settings().manifest, _folder()
    if _up_to_date(folder, manifest):
        return
    content = read_manifest()
    new = folder.with_name(f"nodes.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for name, part in _parts(content).items():
        (new / f"{name}.json").write_text(json.dumps(part), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        new.rename(folder)
    except OSError:
        # Another process has written the same files at the same time.
        shutil.rmtree(new)


def manifest_for(name: str) -> Path:
    """The manifest of one node; the whole manifest if the node has none, or if the node manifests are out of date."""
    manifest, folder = settings().manifest, _folder()
    part = folder / f"{name}.json"
    return part if _up_to_date(folder, manifest) and part.exists() else manifest


def _folder() -> Path:
    return settings().manifest.with_name("nodes")


def _up_to_date(folder: Path, manifest: Path) -> bool:
    return folder.exists() and folder.stat().st_mtime_ns > manifest.stat().st_mtime_ns


def _parts(content: Manifest) -> dict[str, dict[str, Any]]:
    """Name of the node → a manifest with only the node and its tests."""
    nodes = content["nodes"]
    names = {key: node["name"] for key, node in nodes.items() if node["resource_type"] in _TESTED}
    parts: dict[str, dict[str, Any]] = {name: {} for name in names.values()}
    for key, node in nodes.items():
        kept = {field: node[field] for field in _KEYS if field in node}
        if key in names:
            parts[names[key]][key] = kept
        elif node["resource_type"] == "test":
            for parent in parents_of(node):
                if parent in names:
                    parts[names[parent]][key] = kept
    metadata = {"project_name": content["metadata"]["project_name"]}
    return {name: {"metadata": metadata, "nodes": part} for name, part in parts.items()}
