"""The layers of the dbt project, read from its selectors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from include.settings import settings

#: The layer of the seeds.
SEEDS = "seeds"


def layer_selectors() -> Mapping[str, list[str]]:
    """Layer → what dbt's `--select` takes for it, in the order of the pipeline, from the selectors of the dbt project.

    A run's own selection narrows a layer, and dbt does not combine `--select` with the name of a selector.

    Raises:
        ValueError: a selector has another method than `path`.
    """
    return _read(settings().dbt_dir / "selectors.yml")


def project_vars() -> Mapping[str, Any]:
    """The vars of the dbt project with their default values."""
    found: Mapping[str, Any] = yaml.safe_load((settings().dbt_dir / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    return found


def folders() -> list[str]:
    """The values of `layer` in `ops.dbt_results` for nodes that are built, in the order of the pipeline.

    A layer has several folders, such as `intermediate` and `core`. All snapshots have one value. See `dbt/macros/record_results.sql`.
    """
    paths = [selector.removeprefix("path:").split("/") for parts in layer_selectors().values() for selector in parts]
    return list(dict.fromkeys(path[0] if path[0] == "snapshots" else path[-1] for path in paths))


@lru_cache
def _read(path: Path) -> Mapping[str, list[str]]:
    found = {}
    for selector in yaml.safe_load(path.read_text(encoding="utf-8"))["selectors"]:
        layer, definition = selector["name"], selector["definition"]
        parts = definition.get("union", [definition])
        if any(part.keys() != {"method", "value"} or part["method"] != "path" for part in parts):
            remedy = "write `{method: path, value: folder}`, or a `union` of these"
            raise ValueError(f"{path}: selectors: {layer}: definition: a layer is made of folders: {remedy}.")
        found[layer] = [f"path:{part['value']}" for part in parts]
    return found
