"""Makes the JSON of the Great Expectations context from the rules.

It writes what Great Expectations itself would write, but needs neither it nor a warehouse: creating data sources and
assets through its API runs queries. Names give ids, so that the same rules always make the same bytes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from include.quality import derived
from include.quality.context import DATASOURCE, SITE
from include.quality.reconciliation import differences
from include.quality.rules import Gate, GateError, Rule, load_gates
from include.settings import settings
from include.sources import Source, load_sources

BATCH = "whole"
#: Where results are kept for the data docs.
RESULTS = "${PLATFORM_STATE_DIR}/gx/validations/"

_NAMESPACE = uuid.UUID("6f1d3c9e-0f58-4c55-9d0c-0c8f6f2a7b11")
_FOLDERS = ("expectations", "validation_definitions", "checkpoints")
_SEVERITY = {"block": "critical", "quarantine": "warning", "warn": "info"}
_HEADER = """\
# The Great Expectations context of the platform's gates. Made by `python -m include.quality build`: do not edit.
# Rules live in gates/*.yml and, for what follows from the sources, in include/sources/*.yml.
# Data sources are read through GX_WAREHOUSE_URL, results go to PLATFORM_STATE_DIR; include/quality/context.py sets both.
"""


def gates(sources: Mapping[str, Source] | None = None, folder: Path | None = None) -> dict[str, Gate]:
    """Every gate of the platform: one raw gate per source, then the written ones with what the sources add to them."""
    found = load_sources() if sources is None else sources
    written = load_gates(folder)
    extra = {"staging": derived.staging_rules(found), "core": derived.core_rules(found)}
    merged = {name: Gate(gate=name, rules=(*gate.rules, *extra.get(name, ()))) for name, gate in written.items()}
    return {source.dataset: derived.raw_gate(source) for source in found.values()} | merged


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write a context's files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(folder: Path | None = None, check: bool = False, sources: Mapping[str, Source] | None = None) -> list[str]:
    """Write the context's files, or compare them.

    Args:
        folder: the context's folder; its `gates/*.yml` are read.
        check: only compare.
        sources: the sources; by default those of the platform.

    Returns:
        Files that differ from (or, unless `check`, that were made, changed or taken away to match) the rules.
    """
    folder = folder or settings().gx_dir
    wanted = render(gates(sources, folder / "gates"))
    present = {str(path.relative_to(folder)): path for name in _FOLDERS for path in sorted((folder / name).rglob("*.json"))}
    changed = []
    for name, text in sorted(wanted.items()):
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed.append(name)
            if not check:
                write(folder, {name: text})
    for name in sorted(set(present) - set(wanted)):
        changed.append(name)
        if not check:
            present[name].unlink()
    return changed


def render(all_gates: Mapping[str, Gate], results: str = RESULTS) -> dict[str, str]:
    """Every file of the context, by its path below the context's folder; `results` is where that keeps what it finds."""
    files: dict[str, Any] = {}
    relations: set[str] = set()
    for gate in all_gates.values():
        suites: dict[str, list[Rule]] = {}
        for rule in gate.rules:
            suites.setdefault(rule.relation, []).append(rule)
        tables = [relation.split(".")[1] for relation in suites]
        if len(set(tables)) < len(tables):
            raise GateError(f"gate {gate.gate} judges two tables of the same name; suites are named by table.")
        for relation, rules in suites.items():
            suite = f"{gate.gate}.{relation.split('.')[1]}"
            files[f"expectations/{suite.replace('.', '/')}.json"] = _suite(suite, gate.gate, rules)
            files[f"validation_definitions/{suite}.json"] = _validation_definition(suite, relation)
        files[f"checkpoints/{gate.gate}.json"] = _checkpoint(gate.gate, [f"{gate.gate}.{table}" for table in tables])
        relations |= suites.keys()
    rendered = {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in files.items()}
    rendered["great_expectations.yml"] = _HEADER + yaml.safe_dump(_configuration(sorted(relations), results), sort_keys=False)
    return rendered


def _id(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{name}"))


def _suite(suite: str, gate: str, rules: list[Rule]) -> dict[str, Any]:
    return {
        "expectations": [_expectation(gate, rule) for rule in rules],
        "id": _id("suite", suite),
        "meta": {"gate": gate},
        "name": suite,
        "notes": None,
    }


def _expectation(gate: str, rule: Rule) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "name": rule.name,
        "relation": rule.relation,
        "action": rule.action,
        "reason": rule.reason,
        "key": list(rule.key),
    }
    if rule.expect is not None:
        kwargs = {key: value for key, value in rule.expect.items() if key != "type"}
        kind = str(rule.expect["type"])
    else:
        kind = "expect_no_rows"
        query = rule.rows
        if rule.reconcile is not None:
            meta |= {"key": ["part"], "reconcile": rule.reconcile.strip()}
            query = differences(gate, rule.name, rule.tolerance)
        assert query is not None
        kwargs = {"run": {"$PARAMETER": "run"}, "unexpected_rows_query": query.strip()}
    return {
        "id": _id("expectation", f"{gate}.{rule.name}"),
        "kwargs": kwargs,
        "meta": meta,
        "notes": f"**{rule.name}** ({rule.action}): {rule.reason}",
        "severity": _SEVERITY[rule.action],
        "type": kind,
    }


def _validation_definition(suite: str, relation: str) -> dict[str, Any]:
    return {
        "data": {
            "asset": {"id": _id("asset", relation), "name": relation},
            "batch_definition": {"id": _id("batch", relation), "name": BATCH},
            "datasource": {"id": _id("datasource", DATASOURCE), "name": DATASOURCE},
        },
        "id": _id("validation", suite),
        "name": suite,
        "suite": {"id": _id("suite", suite), "name": suite},
    }


def _checkpoint(gate: str, suites: list[str]) -> dict[str, Any]:
    return {
        "actions": [],
        "id": _id("checkpoint", gate),
        "name": gate,
        "result_format": "BASIC",
        "validation_definitions": [{"id": _id("validation", suite), "name": suite} for suite in suites],
    }


def _files_below(folder: str) -> dict[str, Any]:
    return {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": folder,
        "suppress_store_backend_id": True,
    }


def _configuration(relations: list[str], results: str) -> dict[str, Any]:
    """The content of great_expectations.yml."""
    stores = {
        "expectations_store": ("ExpectationsStore", "expectations/"),
        "validation_definition_store": ("ValidationDefinitionStore", "validation_definitions/"),
        "checkpoint_store": ("CheckpointStore", "checkpoints/"),
        "validation_results_store": ("ValidationResultsStore", results),
    }
    assets = {
        relation: {
            "type": "table",
            "id": _id("asset", relation),
            "batch_metadata": {},
            "batch_definitions": {BATCH: {"id": _id("batch", relation), "partitioner": None}},
            "table_name": relation.split(".")[1],
            "schema_name": relation.split(".")[0],
        }
        for relation in relations
    }
    return {
        "config_version": 4.0,
        "stores": {name: {"class_name": kind, "store_backend": _files_below(folder)} for name, (kind, folder) in stores.items()},
        "expectations_store_name": "expectations_store",
        "validation_results_store_name": "validation_results_store",
        "checkpoint_store_name": "checkpoint_store",
        "data_docs_sites": {
            SITE: {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": _files_below("${PLATFORM_STATE_DIR}/gx/data_docs/"),
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "site_section_builders": {"profiling": "None"},
            }
        },
        "fluent_datasources": {
            DATASOURCE: {
                "type": "bigquery",
                "id": _id("datasource", DATASOURCE),
                "connection_string": "${GX_WAREHOUSE_URL}",
                "assets": assets,
            }
        },
        "progress_bars": {"globally": False, "metric_calculations": False},
        "analytics_enabled": False,
        "data_context_id": _id("context", "customer-intelligence"),
    }
