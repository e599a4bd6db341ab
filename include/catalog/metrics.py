"""The pages that `make docs` writes: one for every definition that a model computes, and all queries with the names of tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from include.catalog.definitions import DEFINITIONS, Definition, computed_by, read_definitions
from include.catalog.nodes import (
    anchor,
    data_tests,
    expected_rows,
    file_of,
    freshness_sla,
    golden_cases,
    markdown,
    one_line,
    owner,
)
from include.catalog.page import analyses, query
from include.manifest import Manifest, Node, nodes_of, parents_of, published_name, read_manifest
from include.settings import ROOT

#: Not committed: the pages repeat SQL of the dbt project.
METRICS = ROOT / ".local" / "docs" / "metrics"
_REPOSITORY = "../../.."
GOLDEN_ROWS = 4
GOLDEN_COLUMNS = 12

GENERATED = "Generated from the dbt project by `make docs`."


def metric_pages(manifest: Manifest, source: str | None = None) -> dict[Path, str]:
    """Path → content of every page, including the index and the queries.

    Args:
        manifest: dbt's manifest.
        source: the Markdown of the definitions; `docs/metrics.md` by default.

    Raises:
        DefinitionError: a model names an unknown or ambiguous definition.
    """
    computed = computed_by(manifest, read_definitions(DEFINITIONS.read_text() if source is None else source))
    pages = {METRICS / definition.page: _page(manifest, definition, models) for definition, models in computed.items()}
    return {METRICS / "README.md": _index(computed), METRICS / "queries.md": _queries(manifest), **pages}


def write_metric_pages() -> Path:
    """Write the pages, and delete those that are no longer generated. Needs dbt's manifest. Returns the index."""
    pages = metric_pages(read_manifest())
    shutil.rmtree(METRICS, ignore_errors=True)
    METRICS.mkdir(parents=True)
    for path, content in pages.items():
        path.write_text(content, encoding="utf-8")
    return METRICS / "README.md"


def _index(computed: dict[Definition, list[Node]]) -> str:
    rows = [
        [f"[{term}]({definition.page})", definition.section, ", ".join(f"`{published_name(node)}`" for node in models)]
        for definition, models in computed.items()
        for term in definition.terms
    ]
    head = (
        f"# Metrics\n\n{GENERATED} Every definition of [metrics.md]({_REPOSITORY}/docs/metrics.md) that a model computes, with its SQL, "
        "golden cases and tests. [Queries](queries.md) for common questions.\n\n"
        f"[Restatements]({_REPOSITORY}/docs/restatements.md): published figures of ended months may change. `make restatements` lists those that did, "
        "and writes them as a page.\n"
    )
    return f"{head}\n{markdown(['metric', 'part', 'computed by'], rows)}"


def _queries(manifest: Manifest) -> str:
    """Every analysis as a query to paste, under its topic."""
    parts = [f"# Queries\n\n{GENERATED}\n"]
    heading = ""
    for topic, node in analyses(manifest):
        parts += [f"## {topic}\n"] if topic != heading else []
        heading = topic
        parts.append(f"**{one_line(node['description'])}**\n\n```sql\n{query(node, manifest)}\n```\n")
    return "\n".join(parts)


def _page(manifest: Manifest, definition: Definition, models: list[Node]) -> str:
    parts = [
        f"# {', '.join(definition.terms)}\n",
        f"{GENERATED} All metrics: [README.md](README.md).\n",
        f"## Definition\n\n{definition.text}\n",
        "## Computed by\n",
        markdown(
            ["table", "owner", "freshness SLA (cadence, limit, criticality)"],
            [[f"[{published_name(node)}](#{anchor(node)})", owner(manifest, node), freshness_sla(node)] for node in models],
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
        one_line(found["description"]) for found in nodes_of(manifest, "analysis") if node["unique_id"] in parents_of(found)
    )
    parts = [f"## {published_name(node)}\n", f"{node['description'].strip()}\n"]
    parts += [f"### Golden cases of {node['name']}\n", *(_case(case) for case in cases)] if cases else []
    parts += [f"### Tests of {node['name']}\n", "\n".join(f"- {test}" for test in tests) + "\n"] if tests else []
    parts += [f"### Questions to {node['name']}\n", "\n".join(f"- {question}" for question in questions)] if questions else []
    if questions:
        parts.append("\nTheir queries: [queries.md](queries.md).\n")
    sql = f"<details>\n<summary>{file_of(node)}</summary>\n\n```sql\n{node['raw_code'].strip()}\n```\n\n</details>\n"
    return "\n".join([*parts, f"### SQL of {node['name']}\n", sql])


def _case(case: Node) -> str:
    return f"**{case['name']}**\n\n{case['description'].strip()}\n\n{expected_rows(case, GOLDEN_ROWS, GOLDEN_COLUMNS)}"


def _test_lines(test: Node, node: Node) -> list[str]:
    """The rules of a test, each with the effect of a failure."""
    metadata = test.get("test_metadata")
    stops = str(test["config"]["severity"]).lower() != "warn"
    if not metadata:
        comments = [line[2:].strip() for line in test["raw_code"].splitlines() if line.startswith("--")]
        return [_effect(f"`{test['name']}`: {' '.join(comments)}", stops, test["config"]["meta"].get("reason"))]
    arguments = metadata["kwargs"]
    arguments = {**arguments, **arguments.get("arguments", {})}
    if metadata["name"] != "rows_are_valid":
        column = f"`{arguments.get('column_name', node['name'])}`"
        asked = _parent(column, arguments) if metadata["name"] == "relationships" else f"{column}: {metadata['name']}"
        return [_effect(asked, stops)]
    rules = [
        *([(f"no two rows with the same {_names(arguments['key'])}", None)] if arguments.get("key") else []),
        *((f"`{column}` is unique", None) for column in arguments.get("unique", [])),
        *((_parent(f"`{column}`", parent), None) for column, parent in arguments.get("relationships", {}).items()),
        *_within_a_row(arguments),
    ]
    warns = _within_a_row(arguments.get("warns", {}))
    return [_effect(asked, stops) for asked, _ in rules] + [_effect(asked, False, reason) for asked, reason in warns]


def _effect(asked: str, stops: bool, reason: str | None = None) -> str:
    effect = "stops the build" if stops else f"warns: {one_line(reason)}" if reason else "warns"
    return f"{asked} ({effect})"


def _within_a_row(arguments: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The rules of a test `rows_are_valid` that look at one row, each with its reason."""
    required, expressions = arguments.get("not_null", []), arguments.get("expression_is_true", {})
    listed = expressions.values() if isinstance(expressions, Mapping) else expressions
    given = [each if isinstance(each, Mapping) else {"expression": each} for each in listed]
    return [
        *([(f"never NULL: {_names(required)}", None)] if required else []),
        *(
            (f"`{column}` is one of {', '.join(str(value) for value in values)}", None)
            for column, values in arguments.get("accepted_values", {}).items()
        ),
        *(
            (_range(f"`{column}`", bounds), bounds.get("reason"))
            for column, bounds in arguments.get("accepted_range", {}).items()
        ),
        *((f"`{one_line(each['expression'])}`", each.get("reason")) for each in given),
    ]


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _parent(column: str, parent: Mapping[str, Any]) -> str:
    table = str(parent["to"]).removeprefix("ref(").rstrip(")").replace("'", "`")
    return f"{column} is in {table}" + (f" where `{parent['where']}`" if parent.get("where") else "")


def _range(column: str, bounds: Mapping[str, Any]) -> str:
    words = ("more than", "less than") if bounds.get("exclusive") else ("at least", "at most")
    limits = [f"{word} {bounds[name]}" for word, name in zip(words, ("min", "max"), strict=True) if bounds.get(name) is not None]
    return f"{column} is {' and '.join(limits)}"
