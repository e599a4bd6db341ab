"""The version of the code that builds a published table: a digest of its models, seeds, macros and variables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import yaml

from include.manifest import PUBLISHED, Manifest, nodes_of, published_name, read_manifest, upstream
from include.settings import settings


def code_versions(tables: Iterable[str] | None = None) -> dict[str, str]:
    """Published table → 16 hexadecimal digits. They change with any model or seed upstream, with a macro of the project that these
    use, and with the project's variables. Tables without a model, and all tables of a project without a manifest, are left out.

    Args:
        tables: the wanted tables; by default all that are published.
    """
    try:
        manifest = read_manifest()
    except FileNotFoundError:
        return {}
    wanted = None if tables is None else set(tables)
    nodes = {published_name(node): node["unique_id"] for node in nodes_of(manifest, "model") if node["schema"] in PUBLISHED}
    variables = yaml.safe_load((settings().dbt_dir / "dbt_project.yml").read_text(encoding="utf-8")).get("vars", {})
    return {table: _digest(manifest, key, variables) for table, key in nodes.items() if wanted is None or table in wanted}


def _digest(manifest: Manifest, key: str, variables: object) -> str:
    nodes = [manifest["nodes"][name] for name in upstream(manifest, [key]) if name in manifest["nodes"]]
    known = manifest["macros"]
    macros = list(dict.fromkeys(name for node in nodes for name in node["depends_on"].get("macros", ())))
    # The list grows while it is walked, so that the macros of macros count too.
    for name in macros:
        macros += [used for used in known.get(name, {}).get("depends_on", {}).get("macros", ()) if used not in macros]
    project = {node["package_name"] for node in nodes}
    text = {name: known[name]["macro_sql"] for name in macros if name in known and known[name]["package_name"] in project}
    code = {str(node["unique_id"]): node["checksum"]["checksum"] for node in nodes}
    return hashlib.sha256(json.dumps([code, text, variables], sort_keys=True, default=str).encode()).hexdigest()[:16]
