"""Renders `docs/facts.md` from dbt's manifest: facts about every published table, and a query for each common question."""

from __future__ import annotations

import re
from collections.abc import Iterable

from include.catalog.definitions import DEFINITIONS, Definition, definitions_of, read_definitions
from include.catalog.nodes import (
    anchor,
    data_tests,
    expected_rows,
    freshness_sla,
    golden_cases,
    grain,
    markdown,
    owner,
)
from include.manifest import PUBLISHED, Manifest, Node, nodes_of, parents_of, published_name
from include.settings import ROOT

FACTS = ROOT / "docs" / "facts.md"
SAMPLE_ROWS = 3
SAMPLE_COLUMNS = 9

HEAD = """\
# Facts about published tables

Generated from the dbt project (`make generate`); CI fails when it is out of date.
[metrics.md](metrics.md) defines the metrics. [metrics](metrics/README.md) has a page for each, with SQL, golden cases and tests.
Sample rows are the expected rows of each model's golden case: a unit test with hand-worked values.
"""


def render(manifest: Manifest) -> str:
    """The page as Markdown."""
    tables = sorted(
        (node for node in nodes_of(manifest, "model") if node["schema"] in PUBLISHED),
        key=lambda node: (node["schema"], node["name"]),
    )
    parts = [HEAD, _overview(manifest, tables), "## Lineage\n", _lineage(manifest, tables), "## Tables\n"]
    definitions = read_definitions(DEFINITIONS.read_text())
    parts += [_table(manifest, node, definitions) for node in tables]
    parts += ["## Questions\n", *_questions(manifest)]
    return "\n".join(parts).rstrip() + "\n"


def _overview(manifest: Manifest, tables: list[Node]) -> str:
    rows = [
        [f"[{published_name(node)}](#{anchor(node)})", grain(node), owner(manifest, node), freshness_sla(node)] for node in tables
    ]
    return markdown(["table", "grain", "owner", "freshness SLA (cadence, limit, criticality)"], rows)


def _lineage(manifest: Manifest, tables: list[Node]) -> str:
    """The lineage diagram from facts to exposures, one box per table. Dimensions are left out to keep it readable."""
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
        for parent_id in parents_of(exposure):
            if parent_id in shown:
                edges.append(f"  {manifest['nodes'][parent_id]['name']} --> {exposure['name']}[[{exposure['label']}]]")
    return "\n".join([*lines, *sorted(set(edges)), "```", ""])


def _parents(manifest: Manifest, node: Node) -> list[Node]:
    """The upstream tables of a table, without seeds."""
    known = set(parents_of(node))
    return sorted(
        (model for model in nodes_of(manifest, "model") if model["unique_id"] in known), key=lambda model: str(model["name"])
    )


def _exposures(manifest: Manifest) -> list[Node]:
    return sorted(manifest["exposures"].values(), key=lambda exposure: str(exposure["name"]))


def _table(manifest: Manifest, node: Node, definitions: list[Definition]) -> str:
    readers = [exposure["label"] for exposure in _exposures(manifest) if node["unique_id"] in parents_of(exposure)]
    golden = golden_cases(manifest, node)
    defined = definitions_of(node, definitions)
    facts = [
        ["Grain", grain(node)],
        ["Owner", owner(manifest, node)],
        ["Freshness SLA", freshness_sla(node)],
        ["Upstream", ", ".join(f"`{published_name(parent)}`" for parent in _parents(manifest, node))],
        ["Defined by", ", ".join(f"[{definition.terms[0]}](metrics/{definition.page})" for definition in defined) or "–"],
        ["Read by", ", ".join(readers) or "–"],
        [
            "Checked by",
            f"{len(data_tests(manifest, node))} data tests, {len(golden)} golden cases, a contract of {len(node['columns'])} columns",
        ],
    ]
    return "\n".join([f"### {published_name(node)}\n", markdown(["", ""], facts), _sample(golden)])


def _sample(golden: list[Node]) -> str:
    """The first rows of a golden case. The text is empty if no case has literal rows."""
    written = [case for case in golden if isinstance(case["expect"].get("rows"), list) and case["expect"]["rows"]]
    if not written:
        return ""
    case = min(written, key=lambda found: str(found["name"]))
    all_columns = {column for row in case["expect"]["rows"][:SAMPLE_ROWS] for column in row}
    title = f"Sample, from the golden case `{case['name']}`" + (
        f" ({SAMPLE_COLUMNS} of {len(all_columns)} columns)" if len(all_columns) > SAMPLE_COLUMNS else ""
    )
    return f"{title}:\n\n{expected_rows(case, SAMPLE_ROWS, SAMPLE_COLUMNS)}"


def _questions(manifest: Manifest) -> Iterable[str]:
    """Every analysis as a query to paste, under the topic of its meta."""
    heading = ""
    for node in sorted(nodes_of(manifest, "analysis"), key=lambda found: (found["config"]["meta"]["topic"], found["name"])):
        if node["config"]["meta"]["topic"] != heading:
            heading = node["config"]["meta"]["topic"]
            yield f"### {heading}\n"
        yield f"**{' '.join(node['description'].split())}**\n\n```sql\n{query(node, manifest)}\n```\n"


def query(node: Node, manifest: Manifest) -> str:
    """The SQL of an analysis, with references to the published tables."""

    def read(match: re.Match[str]) -> str:
        return published_name(next(node for node in nodes_of(manifest, "model", "snapshot") if node["name"] == match[1]))

    return re.sub(r"\{\{\s*ref\('(\w+)'\)\s*\}\}", read, str(node["raw_code"])).strip()
