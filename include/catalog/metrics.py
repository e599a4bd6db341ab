"""Generates a page for every definition that a model computes: definition, SQL, golden cases and tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.catalog.definitions import DEFINITIONS, Definition, computed_by, read_definitions
from include.catalog.nodes import (
    Manifest,
    Node,
    anchor,
    data_tests,
    expected_rows,
    freshness_sla,
    golden_cases,
    grain,
    markdown,
    one_line,
    owner,
    published,
)
from include.settings import ROOT

METRICS = ROOT / "docs" / "metrics"
GOLDEN_ROWS = 4
GOLDEN_COLUMNS = 12

GENERATED = "Generated from the dbt project (`make generate`); CI fails when it is out of date."


def metric_pages(manifest: Manifest, source: str | None = None) -> dict[Path, str]:
    """Path → content of every page, including the index.

    Args:
        manifest: dbt's manifest.
        source: the Markdown of the definitions; `docs/metrics.md` by default.

    Raises:
        DefinitionError: a model names an unknown or ambiguous definition.
    """
    computed = computed_by(manifest, read_definitions(DEFINITIONS.read_text() if source is None else source))
    pages = {METRICS / definition.page: _page(manifest, definition, models) for definition, models in computed.items()}
    return {METRICS / "README.md": _index(computed), **pages}


def _index(computed: dict[Definition, list[Node]]) -> str:
    rows = [
        [f"[{term}]({definition.page})", definition.section, ", ".join(f"`{published(node)}`" for node in models)]
        for definition, models in computed.items()
        for term in definition.terms
    ]
    head = f"# Metrics\n\n{GENERATED}\nEvery definition of [metrics.md](../metrics.md) that a model computes, with its SQL, golden cases and tests.\n"
    return f"{head}\n{markdown(['metric', 'part', 'computed by'], rows)}"


def _page(manifest: Manifest, definition: Definition, models: list[Node]) -> str:
    parts = [
        f"# {', '.join(definition.terms)}\n",
        f"{GENERATED} All metrics: [README.md](README.md).\n",
        f"## Definition\n\n{definition.text}\n",
        "## Computed by\n",
        markdown(
            ["table", "owner", "freshness SLA (cadence, limit, criticality)"],
            [[f"[{published(node)}](#{anchor(node)})", owner(manifest, node), freshness_sla(node)] for node in models],
        ),
        *(_model(manifest, node) for node in models),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _model(manifest: Manifest, node: Node) -> str:
    cases = sorted(golden_cases(manifest, node), key=lambda case: str(case["name"]))
    tests = sorted(
        {
            line
            for test in data_tests(manifest, node)
            if test.get("attached_node") in {None, node["unique_id"]}
            for line in _test_lines(test, node)
        }
    )
    questions = sorted(
        one_line(found["description"])
        for found in manifest["nodes"].values()
        if found["resource_type"] == "analysis" and node["unique_id"] in found["depends_on"]["nodes"]
    )
    parts = [f"## {published(node)}\n", f"{one_line(node['description']) or grain(node)}\n"]
    parts += [f"### Golden cases of {node['name']}\n", *(_case(case) for case in cases)] if cases else []
    parts += [f"### Tests of {node['name']}\n", "\n".join(f"- {test}" for test in tests) + "\n"] if tests else []
    parts += [f"### Questions to {node['name']}\n", "\n".join(f"- {question}" for question in questions)] if questions else []
    if questions:
        parts.append("\nTheir queries: [facts.md](../facts.md#questions).\n")
    file = f"dbt/{node['original_file_path']}"
    sql = f"<details>\n<summary>{file}</summary>\n\n```sql\n{node['raw_code'].strip()}\n```\n\n</details>\n"
    return "\n".join([*parts, f"### SQL of {node['name']}\n", sql])


def _case(case: Node) -> str:
    return f"**{case['name']}**: {one_line(case['description'])}\n\n{expected_rows(case, GOLDEN_ROWS, GOLDEN_COLUMNS)}"


def _test_lines(test: Node, node: Node) -> list[str]:
    """The rules of a test, each with the effect of a failure."""
    config = test["config"]
    reason = config["meta"].get("reason")
    warns = str(config["severity"]).lower() == "warn"
    effect = f"warns: {reason}" if warns and reason else "warns" if warns else "stops the build"
    return [f"{rule} ({effect})" for rule in _test_rules(test, node)]


def _test_rules(test: Node, node: Node) -> list[str]:
    metadata = test.get("test_metadata")
    if not metadata:
        comments = [line[2:].strip() for line in test["raw_code"].splitlines() if line.startswith("--")]
        return [f"`{test['name']}`: {' '.join(comments)}"]
    arguments = metadata["kwargs"]
    arguments = {**arguments, **arguments.get("arguments", {})}
    column = f"`{arguments.get('column_name', node['name'])}`"
    match metadata["name"]:
        case "rows_are_valid":
            return _rules(arguments)
        case "holds":
            return [_expression(arguments["expression"])]
        case "within":
            return [_range(column, arguments)]
        case "relationships":
            return [f"{column} is in {arguments['to'].removeprefix('ref(').rstrip(')')}".replace("'", "`")]
        case "unique":
            return [f"{column} is unique"]
        case "unique_combination":
            return [f"no two rows with the same {', '.join(f'`{name}`' for name in arguments['columns'])}"]
        case other:
            return [f"{column}: {other}"]


def _rules(arguments: Mapping[str, Any]) -> list[str]:
    """The rules of a `rows_are_valid` test."""
    required = arguments.get("not_null", [])
    expressions = arguments.get("expression_is_true", {})
    return [
        *(f"`{column}` is unique" for column in arguments.get("unique", [])),
        *([f"never NULL: {', '.join(f'`{name}`' for name in required)}"] if required else []),
        *(
            f"`{column}` is one of {', '.join(str(value) for value in values)}"
            for column, values in arguments.get("accepted_values", {}).items()
        ),
        *(_range(f"`{column}`", bounds) for column, bounds in arguments.get("accepted_range", {}).items()),
        *map(_expression, expressions.values() if isinstance(expressions, Mapping) else expressions),
    ]


def _range(column: str, bounds: Mapping[str, Any]) -> str:
    words = ("more than", "less than") if bounds.get("exclusive") else ("at least", "at most")
    limits = [f"{word} {bounds[name]}" for word, name in zip(words, ("min", "max"), strict=True) if bounds.get(name) is not None]
    return f"{column} is {' and '.join(limits)}"


def _expression(expression: str) -> str:
    return f"`{one_line(expression)}`"
