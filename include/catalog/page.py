"""Renders the facts of every published table, and a ready query for each question, from dbt's manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from include.catalog.definitions import DEFINITIONS, Definition, definitions_of, read_definitions
from include.catalog.nodes import (
    PUBLISHED,
    Manifest,
    Node,
    anchor,
    data_tests,
    expected_rows,
    golden_cases,
    grain,
    markdown,
    owner,
    promise,
    published,
)
from include.settings import ROOT

FACTS = ROOT / "docs" / "facts.md"
SAMPLE_ROWS = 3
SAMPLE_COLUMNS = 9

HEAD = """\
# Facts about what analysts read

Generated from the dbt project (`make generate`); CI fails when it is out of date. Definitions: [metrics.md](metrics.md);
one page each, with SQL, golden cases and tests: [metrics](metrics/README.md).
Sample rows are those of each model's golden case, which a test holds to the hand-worked values.
"""


def render(manifest: Manifest) -> str:
    """The page as Markdown."""
    tables = sorted(
        (node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["schema"] in PUBLISHED),
        key=lambda node: (node["schema"], node["name"]),
    )
    parts = [HEAD, _overview(manifest, tables), "## Lineage\n", _lineage(manifest, tables), "## Tables\n"]
    definitions = read_definitions(DEFINITIONS.read_text())
    parts += [_table(manifest, node, definitions) for node in tables]
    parts += ["## Questions\n", *_questions(manifest)]
    return "\n".join(parts).rstrip() + "\n"


def _overview(manifest: Manifest, tables: list[Node]) -> str:
    rows = [[f"[{published(node)}](#{anchor(node)})", grain(node), owner(manifest, node), promise(node)] for node in tables]
    return markdown(["table", "grain", "owner", "fresh (cadence, promise, criticality)"], rows)


def _lineage(manifest: Manifest, tables: list[Node]) -> str:
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


def _parents(manifest: Manifest, node: Node) -> list[Node]:
    """The tables that a table is made from, without seeds."""
    found = [manifest["nodes"][key] for key in node["depends_on"]["nodes"] if key in manifest["nodes"]]
    return sorted((parent for parent in found if parent["resource_type"] == "model"), key=lambda parent: str(parent["name"]))


def _exposures(manifest: Manifest) -> list[Node]:
    return sorted(manifest["exposures"].values(), key=lambda exposure: str(exposure["name"]))


def _table(manifest: Manifest, node: Node, definitions: list[Definition]) -> str:
    readers = [exposure["label"] for exposure in _exposures(manifest) if node["unique_id"] in exposure["depends_on"]["nodes"]]
    golden = golden_cases(manifest, node)
    defined = definitions_of(node, definitions)
    facts = [
        ["Grain", grain(node)],
        ["Owner", owner(manifest, node)],
        ["Promise", promise(node)],
        ["Made from", ", ".join(f"`{published(parent)}`" for parent in _parents(manifest, node))],
        ["Defined by", ", ".join(f"[{definition.terms[0]}](metrics/{definition.page})" for definition in defined) or "–"],
        ["Read by", ", ".join(readers) or "–"],
        [
            "Guarded by",
            f"{len(data_tests(manifest, node))} data tests, {len(golden)} golden cases, a contract of {len(node['columns'])} columns",
        ],
    ]
    return "\n".join([f"### {published(node)}\n", markdown(["", ""], facts), _sample(golden)])


def _sample(golden: list[Node]) -> str:
    """The first rows of a golden case; nothing when none is written as rows."""
    written = [case for case in golden if isinstance(case["expect"].get("rows"), list) and case["expect"]["rows"]]
    if not written:
        return ""
    case = min(written, key=lambda found: str(found["name"]))
    every = {column for row in case["expect"]["rows"][:SAMPLE_ROWS] for column in row}
    told = f"Sample, from the golden case `{case['name']}`" + (
        f" ({SAMPLE_COLUMNS} of {len(every)} columns)" if len(every) > SAMPLE_COLUMNS else ""
    )
    return f"{told}:\n\n{expected_rows(case, SAMPLE_ROWS, SAMPLE_COLUMNS)}"


def _questions(manifest: Manifest) -> Iterable[str]:
    """Every analysis as a query to paste, under the heading that its meta names."""
    analyses = [node for node in manifest["nodes"].values() if node["resource_type"] == "analysis"]
    heading = ""
    for node in sorted(analyses, key=lambda found: (found["config"]["meta"]["topic"], found["name"])):
        if node["config"]["meta"]["topic"] != heading:
            heading = node["config"]["meta"]["topic"]
            yield f"### {heading}\n"
        yield f"**{' '.join(node['description'].split())}**\n\n```sql\n{query(node, manifest)}\n```\n"


def query(node: Node, manifest: Manifest) -> str:
    """The SQL of an analysis as an analyst runs it: on the published tables."""

    def read(match: re.Match[str]) -> str:
        found = (n for n in manifest["nodes"].values() if n["name"] == match[1] and n["resource_type"] in {"model", "snapshot"})
        return published(next(found))

    return re.sub(r"\{\{\s*ref\('(\w+)'\)\s*\}\}", read, str(node["raw_code"])).strip()
