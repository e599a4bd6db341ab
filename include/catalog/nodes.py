"""What both kinds of pages say of a node of dbt's manifest, and the Markdown that they are written in."""

from __future__ import annotations

import json
import re
from typing import Any

from include.settings import settings

Node = dict[str, Any]
Manifest = dict[str, Any]

#: Where a table is built → where analysts read it.
PUBLISHED = {"marts_build": "marts", "metrics_build": "metrics"}


def read_manifest() -> Manifest:
    """dbt's manifest, which must be up to date."""
    found: Manifest = json.loads(settings().manifest.read_text())
    return found


def one_line(text: str) -> str:
    return " ".join(text.split())


def published(node: Node) -> str:
    return f"{PUBLISHED.get(node['schema'], node['schema'])}.{node['name']}"


def anchor(node: Node) -> str:
    """The heading of a table on the page of facts, as a link names it."""
    return published(node).replace(".", "")


def grain(node: Node) -> str:
    return re.split(r"(?<=\.)\s", one_line(node["description"]), maxsplit=1)[0]


def owner(manifest: Manifest, node: Node) -> str:
    group = manifest["groups"].get(f"group.{node['package_name']}.{node['group']}")
    return str(group["owner"]["name"]) if group else "–"


def promise(node: Node) -> str:
    sla = node["config"]["meta"].get("sla")
    return f"{sla['cadence']}, within {sla['fresh_within']}, {sla['criticality']}" if sla else "–"


def data_tests(manifest: Manifest, node: Node) -> list[Node]:
    """The data tests that read a model."""
    return [
        test
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and node["unique_id"] in test["depends_on"]["nodes"]
    ]


def golden_cases(manifest: Manifest, node: Node) -> list[Node]:
    """The unit tests of a model."""
    return [case for case in manifest["unit_tests"].values() if node["unique_id"] in case["depends_on"]["nodes"]]


def expected_rows(case: Node, count: int, width: int) -> str:
    """The first rows and columns that a golden case expects, as a table; nothing for one that is not written as rows."""
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
