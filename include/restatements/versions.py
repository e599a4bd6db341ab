"""The version of the code that builds a published table: a digest of its models, seeds and macros, of the variables that they use,
and of the rules of the raw tables upstream."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from include.manifest import PUBLISHED, Manifest, nodes_of, published_name, read_manifest, upstream
from include.settings import settings
from include.sources import Source, load_sources
from include.sources.dbt_sources import rules_of

#: The macros about all raw tables. The rules of those upstream count by themselves, and so do the staging views.
GENERATED = frozenset({"raw_tables", "feeds"})


def code_versions(tables: Iterable[str] | None = None) -> dict[str, str]:
    """Published table → 16 hexadecimal digits. They change with any model or seed upstream, with a macro of the project that these
    use, with a variable that their SQL names, and with the rules of the raw tables upstream. Tables without a model, and all tables
    of a project without a manifest, are left out.

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
    sources = load_sources()
    return {
        table: _digest(manifest, key, variables, sources) for table, key in nodes.items() if wanted is None or table in wanted
    }


def _digest(manifest: Manifest, key: str, variables: Mapping[str, object], sources: Mapping[str, Source]) -> str:
    keys = upstream(manifest, [key])
    nodes = [manifest["nodes"][name] for name in keys if name in manifest["nodes"]]
    known = manifest["macros"]
    macros = list(dict.fromkeys(name for node in nodes for name in node["depends_on"].get("macros", ())))
    # The list grows while it is walked, so that the macros of macros count too.
    for name in macros:
        macros += [used for used in known.get(name, {}).get("depends_on", {}).get("macros", ()) if used not in macros]
    project = {node["package_name"] for node in nodes}
    ours = [
        name
        for name in macros
        if name in known and known[name]["package_name"] in project and known[name]["name"] not in GENERATED
    ]
    text = {name: known[name]["macro_sql"] for name in ours}
    code = {str(node["unique_id"]): node["checksum"]["checksum"] for node in nodes}
    # A macro may get the name of a variable as an argument, so every quoted name counts.
    sql = "\n".join([*(node.get("raw_code", "") for node in nodes), *text.values()])
    used = {name: value for name, value in variables.items() if f"'{name}'" in sql or f'"{name}"' in sql}
    found = json.dumps([code, text, used, _raw_rules(manifest, keys, sources)], sort_keys=True, default=str)
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def _raw_rules(manifest: Manifest, keys: Iterable[str], sources: Mapping[str, Source]) -> dict[str, Any]:
    """What the macro `raw_tables` says about the raw tables among the keys."""
    names = [(node["source_name"], node["name"]) for node in map(manifest["sources"].get, keys) if node]
    return {
        f"{source}.{table}": rules_of(sources[source], sources[source].tables[table])
        for source, table in names
        if source in sources
    }
