"""Renders `docs/facts.md` from dbt's manifest: facts about every published table, the models of every metric, and common questions."""

from __future__ import annotations

import re

from include.catalog.definitions import DEFINITIONS, Definition, computed_by, definitions_of, read_definitions
from include.catalog.nodes import (
    anchor,
    data_tests,
    expected_rows,
    file_of,
    freshness_sla,
    golden_cases,
    grain,
    markdown,
    one_line,
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
[metrics.md](metrics.md) defines the metrics; [below](#metrics) is where each is computed, with its golden cases.
Sample rows are the expected rows of each model's golden case: a unit test with hand-worked values.
"""
QUESTIONS = """\
## Questions

Each question links to its query. A `{{ ref('mart_nrr_summary') }}` in a query is the table `marts.mart_nrr_summary`; `make docs` writes all queries
with the names of the tables, ready to paste.
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
    parts += ["## Metrics\n", _metrics(manifest, definitions), QUESTIONS, _questions(manifest)]
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
        ["Defined by", ", ".join(f"[{definition.terms[0]}](metrics.md#{definition.anchor})" for definition in defined) or "–"],
        ["Computed by", _files(manifest, node)],
        ["Read by", ", ".join(readers) or "–"],
        [
            "Checked by",
            f"{len(data_tests(manifest, node))} data tests, {len(golden)} golden cases, a contract of {len(node['columns'])} columns",
        ],
    ]
    return "\n".join([f"### {published_name(node)}\n", markdown(["", ""], facts), _sample(golden)])


def _sample(golden: list[Node]) -> str:
    """The first rows of a golden case, one of known figures if there is one. The text is empty if no case has literal rows."""
    written = [case for case in golden if isinstance(case["expect"].get("rows"), list) and case["expect"]["rows"]]
    if not written:
        return ""
    case = min(written, key=lambda found: (found["name"] == "nothing_is_known", str(found["name"])))
    all_columns = {column for row in case["expect"]["rows"][:SAMPLE_ROWS] for column in row}
    title = f"Sample, from the golden case `{case['name']}`" + (
        f" ({SAMPLE_COLUMNS} of {len(all_columns)} columns)" if len(all_columns) > SAMPLE_COLUMNS else ""
    )
    return f"{title}:\n\n{expected_rows(case, SAMPLE_ROWS, SAMPLE_COLUMNS)}"


def _metrics(manifest: Manifest, definitions: list[Definition]) -> str:
    """Every definition that a model computes, with the files of its models and their golden cases."""
    rows = [
        [
            ", ".join(definition.terms),
            f"[{definition.section}](metrics.md#{definition.anchor})",
            "<br>".join(_files(manifest, node) for node in models),
        ]
        for definition, models in computed_by(manifest, definitions).items()
    ]
    return markdown(["metric", "defined under", "computed by"], rows)


def _files(manifest: Manifest, node: Node) -> str:
    """Links to a model's SQL and to the files of its golden cases."""
    cases = sorted({file_of(case) for case in golden_cases(manifest, node)})
    return ", ".join([f"[{node['name']}](../{file_of(node)})", *(f"[golden cases](../{case})" for case in cases)])


def _questions(manifest: Manifest) -> str:
    """Every analysis, with its topic and its file."""
    rows = [[topic, f"[{one_line(node['description'])}](../{file_of(node)})"] for topic, node in analyses(manifest)]
    return markdown(["topic", "question"], rows)


def analyses(manifest: Manifest) -> list[tuple[str, Node]]:
    """Topic and node of every analysis, sorted."""
    found = nodes_of(manifest, "analysis")
    return sorted(((str(node["config"]["meta"]["topic"]), node) for node in found), key=lambda pair: (pair[0], pair[1]["name"]))


def query(node: Node, manifest: Manifest) -> str:
    """The SQL of an analysis, with references to the published tables."""

    def read(match: re.Match[str]) -> str:
        return published_name(next(node for node in nodes_of(manifest, "model", "snapshot") if node["name"] == match[1]))

    return re.sub(r"\{\{\s*ref\('(\w+)'\)\s*\}\}", read, str(node["raw_code"])).strip()
