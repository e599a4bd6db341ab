"""Helpers for all pages: facts about a node of dbt's manifest, and Markdown tables."""

from __future__ import annotations

import re

from include.manifest import Manifest, Node, nodes_of, parents_of, published_name


def one_line(text: str) -> str:
    return " ".join(text.split())


def anchor(node: Node) -> str:
    """The link anchor of a table's heading in `docs/facts.md`."""
    return published_name(node).replace(".", "")


def file_of(node: Node) -> str:
    """The file of a model, a unit test or an analysis, from the repository's root."""
    return f"dbt/{node['original_file_path']}"


def grain(node: Node) -> str:
    return re.split(r"(?<=\.)\s", one_line(node["description"]), maxsplit=1)[0]


def owner(manifest: Manifest, node: Node) -> str:
    group = manifest["groups"].get(f"group.{node['package_name']}.{node['group']}")
    return str(group["owner"]["name"]) if group else "–"


def freshness_sla(node: Node) -> str:
    sla = node["config"]["meta"].get("sla")
    return f"{sla['cadence']}, within {sla['fresh_within']}, {sla['criticality']}" if sla else "–"


def data_tests(manifest: Manifest, node: Node) -> list[Node]:
    """The data tests that read a model."""
    return [test for test in nodes_of(manifest, "test") if node["unique_id"] in parents_of(test)]


def golden_cases(manifest: Manifest, node: Node) -> list[Node]:
    """The unit tests of a model."""
    return [case for case in manifest["unit_tests"].values() if node["unique_id"] in parents_of(case)]


def expected_rows(case: Node, count: int, width: int) -> str:
    """The first expected rows and columns of a golden case, as a table. It is empty if the case has no literal rows."""
    written = case["expect"].get("rows")
    if not isinstance(written, list) or not written:
        return ""
    rows = written[:count]
    columns = list(dict.fromkeys(column for row in rows for column in row))[:width]
    return markdown(columns, [[text(row.get(column)) for column in columns] for row in rows])


def text(value: object) -> str:
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells) + "\n"
