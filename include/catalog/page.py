"""Renders the facts of every published table, and a ready query for each question, from dbt's manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from include.settings import ROOT, settings

Node = dict[str, Any]

FACTS = ROOT / "docs" / "facts.md"
#: Where a table is built → where analysts read it.
PUBLISHED = {"marts_build": "marts", "metrics_build": "metrics"}
SAMPLE_ROWS = 3
SAMPLE_COLUMNS = 9

HEAD = """\
# Facts about what analysts read

Generated from the dbt project (`make generate`); CI fails when it is out of date. Definitions: [metrics.md](metrics.md).
Sample rows are those of each model's golden case, which a test holds to the hand-worked values.
"""


def render() -> str:
    """The page as Markdown. Reads `dbt/target/manifest.json`, which must be up to date."""
    manifest = json.loads((settings().dbt_dir / "target" / "manifest.json").read_text())
    tables = sorted(
        (node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["schema"] in PUBLISHED),
        key=lambda node: (node["schema"], node["name"]),
    )
    parts = [HEAD, _overview(manifest, tables), "## Lineage\n", _lineage(manifest, tables), "## Tables\n"]
    parts += [_table(manifest, node) for node in tables]
    parts += ["## Questions\n", *_questions(manifest)]
    return "\n".join(parts).rstrip() + "\n"


def _published(node: Node) -> str:
    return f"{PUBLISHED.get(node['schema'], node['schema'])}.{node['name']}"


def _grain(node: Node) -> str:
    return re.split(r"(?<=\.)\s", " ".join(node["description"].split()), maxsplit=1)[0]


def _owner(manifest: dict[str, Any], node: Node) -> str:
    group = manifest["groups"].get(f"group.{node['package_name']}.{node['group']}")
    return str(group["owner"]["name"]) if group else "–"


def _promise(node: Node) -> str:
    sla = node["config"]["meta"].get("sla")
    return f"{sla['cadence']}, within {sla['fresh_within']}, {sla['criticality']}" if sla else "–"


def _overview(manifest: dict[str, Any], tables: list[Node]) -> str:
    rows = [[f"[{_published(node)}](#{_anchor(node)})", _grain(node), _owner(manifest, node), _promise(node)] for node in tables]
    return _markdown(["table", "grain", "owner", "fresh (cadence, promise, criticality)"], rows)


def _anchor(node: Node) -> str:
    return _published(node).replace(".", "")


def _lineage(manifest: dict[str, Any], tables: list[Node]) -> str:
    """The picture from facts to who reads them, one box per table; dimensions would only cross it with lines."""
    lines = ["```mermaid", "flowchart LR"]
    shown = {node["unique_id"] for node in tables}
    edges = []
    for node in tables:
        for parent in _parents(manifest, node):
            if parent["name"].startswith("dim_"):
                continue
            shown.add(parent["unique_id"])
            edges.append(f"  {parent['name']} --> {node['name']}")
    for exposure in _exposures(manifest):
        for parent_id in exposure["depends_on"]["nodes"]:
            if parent_id in shown:
                edges.append(f"  {manifest['nodes'][parent_id]['name']} --> {exposure['name']}[[{exposure['label']}]]")
    return "\n".join([*lines, *sorted(set(edges)), "```", ""])


def _parents(manifest: dict[str, Any], node: Node) -> list[Node]:
    """The tables that a table is made from, without seeds."""
    found = [manifest["nodes"][key] for key in node["depends_on"]["nodes"] if key in manifest["nodes"]]
    return sorted((parent for parent in found if parent["resource_type"] == "model"), key=lambda parent: str(parent["name"]))


def _exposures(manifest: dict[str, Any]) -> list[Node]:
    return sorted(manifest["exposures"].values(), key=lambda exposure: str(exposure["name"]))


def _table(manifest: dict[str, Any], node: Node) -> str:
    tests = [
        test
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and node["unique_id"] in test["depends_on"]["nodes"]
    ]
    readers = [exposure["label"] for exposure in _exposures(manifest) if node["unique_id"] in exposure["depends_on"]["nodes"]]
    golden = [case for case in manifest["unit_tests"].values() if node["unique_id"] in case["depends_on"]["nodes"]]
    facts = [
        ["Grain", _grain(node)],
        ["Owner", _owner(manifest, node)],
        ["Promise", _promise(node)],
        ["Made from", ", ".join(f"`{_published(parent)}`" for parent in _parents(manifest, node))],
        ["Read by", ", ".join(readers) or "–"],
        ["Guarded by", f"{len(tests)} data tests, {len(golden)} golden cases, a contract of {len(node['columns'])} columns"],
    ]
    return "\n".join([f"### {_published(node)}\n", _markdown(["", ""], facts), _sample(golden)])


def _sample(golden: list[Node]) -> str:
    """The first rows of a golden case; nothing for one that is not written as rows."""
    written = [case for case in golden if isinstance(case["expect"].get("rows"), list) and case["expect"]["rows"]]
    if not written:
        return ""
    case = min(written, key=lambda found: str(found["name"]))
    rows = case["expect"]["rows"][:SAMPLE_ROWS]
    every = list(dict.fromkeys(column for row in rows for column in row))
    columns = every[:SAMPLE_COLUMNS]
    told = f"Sample, from the golden case `{case['name']}`" + (
        f" ({len(columns)} of {len(every)} columns)" if every != columns else ""
    )
    return f"{told}:\n\n{_markdown(columns, [[_text(row.get(column)) for column in columns] for row in rows])}"


def _text(value: object) -> str:
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _questions(manifest: dict[str, Any]) -> Iterable[str]:
    """Every analysis as a query to paste, under the heading that its meta names."""
    analyses = [node for node in manifest["nodes"].values() if node["resource_type"] == "analysis"]
    heading = ""
    for node in sorted(analyses, key=lambda found: (found["config"]["meta"]["topic"], found["name"])):
        if node["config"]["meta"]["topic"] != heading:
            heading = node["config"]["meta"]["topic"]
            yield f"### {heading}\n"
        yield f"**{' '.join(node['description'].split())}**\n\n```sql\n{query(node, manifest)}\n```\n"


def query(node: Node, manifest: dict[str, Any]) -> str:
    """The SQL of an analysis as an analyst runs it: on the published tables."""

    def published(match: re.Match[str]) -> str:
        found = (n for n in manifest["nodes"].values() if n["name"] == match[1] and n["resource_type"] in {"model", "snapshot"})
        return _published(next(found))

    return re.sub(r"\{\{\s*ref\('(\w+)'\)\s*\}\}", published, str(node["raw_code"])).strip()


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells) + "\n"
