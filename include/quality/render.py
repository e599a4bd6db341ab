"""Renders the files of a Great Expectations context for given gates.

Great Expectations itself would write the same files. But creating data sources and assets through its API runs queries, and this
needs no warehouse. Ids are derived from names, so the same rules always give the same bytes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from include.quality.rules import Gate, GateError, Rule
from include.quality.scope import tables_in
from include.quality.verdict import Action
from include.sources import load_sources
from include.sources.feeds import feeds

#: The files of a context: its configuration, and folders of JSON.
CONFIGURATION = "great_expectations.yml"
JSON_FOLDERS = ("expectations", "validation_definitions", "checkpoints")
SITE = "site"
DATASOURCE = "warehouse"
BATCH = "whole"
#: The asset of the suites whose rules name their tables themselves. Their values are selected from its one row.
ONE_ROW = "one_row"
#: The folder of the results that the data docs show.
RESULTS = "${PLATFORM_STATE_DIR}/gx/validations/"

_NAMESPACE = uuid.UUID("6f1d3c9e-0f58-4c55-9d0c-0c8f6f2a7b11")
#: BigQuery's planner refuses statements that are too complex; `make check-google` allows 200 scans.
_MOST_SCANS = 150
#: Rules, each with the name of its gate.
_Rules = list[tuple[str, Rule]]
_SEVERITY: dict[Action, str] = {"block": "critical", "quarantine": "warning", "warn": "info"}
_HEADER = """\
# The Great Expectations context of the gates, to be opened by hand. Made by `make generate`, with the JSON beside it: do not edit.
# Rules live in gates/*.yml and, for what follows from the sources, in include/sources/*.yml.
# Data sources are read through GX_WAREHOUSE_URL, results go to PLATFORM_STATE_DIR; include/quality/context.py sets both.
"""


def render(checkpoints: Mapping[str, Sequence[Gate]], results: str = RESULTS) -> dict[str, str]:
    """Every file of a context, by its path below the context's folder.

    Args:
        checkpoints: name → the gates that it runs together.
        results: the folder of the context's results.
    """
    files: dict[str, Any] = {}
    relations: set[str] = set()
    for name, gates in checkpoints.items():
        suites = [*_joint_suites(name, gates), *_table_suites(gates)]
        for suite, asset, rules in suites:
            files[f"expectations/{suite.replace('.', '/')}.json"] = _suite(suite, rules)
            files[f"validation_definitions/{suite}.json"] = _validation_definition(suite, asset)
            relations |= {asset} - {ONE_ROW}
        files[f"checkpoints/{name}.json"] = _checkpoint(name, [suite for suite, _, _ in suites])
    rendered = {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in files.items()}
    rendered[CONFIGURATION] = _HEADER + yaml.safe_dump(_configuration(sorted(relations), results), sort_keys=False)
    return rendered


def _joint_suites(name: str, gates: Sequence[Gate]) -> Iterator[tuple[str, str, _Rules]]:
    """The rules that name their tables themselves. Each suite is one statement, so there are as few suites as its limit allows."""
    parts: list[_Rules] = [[]]
    scans = 0
    for gate in gates:
        for rule in gate.rules:
            if rule.expect is None:
                scans += (weight := _scans_of(rule))
                if parts[-1] and scans > _MOST_SCANS:
                    parts.append([])
                    scans = weight
                parts[-1].append((gate.gate, rule))
    for number, rules in enumerate(parts, 1):
        if rules:
            yield (name if number == 1 else f"{name}.{number}"), ONE_ROW, rules


def _table_suites(gates: Sequence[Gate]) -> Iterator[tuple[str, str, _Rules]]:
    """Great Expectations' own expectations: a suite for each table."""
    for gate in gates:
        by_relation: dict[str, _Rules] = {}
        for rule in gate.rules:
            if rule.expect is not None:
                by_relation.setdefault(rule.relation, []).append((gate.gate, rule))
        if len({relation.split(".")[1] for relation in by_relation}) < len(by_relation):
            raise GateError(f"gate {gate.gate} has rules on two tables of the same name; suites are named by table.")
        for relation, rules in by_relation.items():
            yield f"{gate.gate}.{relation.split('.')[1]}", relation, rules


def _scans_of(rule: Rule) -> int:
    """About how many tables a rule scans. A conformed view counts one more than the raw tables that feed it: some read one twice.

    A clean view counts one more than its conformed view: it also reads the quarantine.
    """
    fed = feeds(load_sources())

    def weight(dataset: str, table: str) -> int:
        prefix = "clean_" if table.startswith("clean_") else "conformed_"
        view = 1 + len(fed.get(table.removeprefix(prefix), "?"))
        return view + 1 if prefix == "clean_" else view if dataset == "conformed" else 1

    return sum(weight(dataset, table) for dataset, table in tables_in(rule))


def _id(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{name}"))


def _suite(suite: str, rules: _Rules) -> dict[str, Any]:
    return {
        "expectations": [_expectation(gate, rule) for gate, rule in rules],
        "id": _id("suite", suite),
        "meta": {},
        "name": suite,
        "notes": None,
    }


def _expectation(gate: str, rule: Rule) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "gate": gate,
        "name": rule.name,
        "relation": rule.relation,
        "action": rule.action,
        "reason": rule.reason,
        "key": ["part"] if rule.reconcile else list(rule.key),
    }
    if rule.expect is not None:
        kwargs = {key: value for key, value in rule.expect.items() if key != "type"}
        kind = str(rule.expect["type"])
    else:
        query = rule.rows or rule.reconcile
        assert query is not None
        kwargs = {"run": {"$PARAMETER": gate}, "query": query.strip()}
        kind = "expect_no_rows"
        if rule.reconcile is not None:
            kind = "expect_sides_to_agree"
            kwargs["tolerance"] = rule.tolerance
    return {
        "id": _id("expectation", f"{gate}.{rule.name}"),
        "kwargs": kwargs,
        "meta": meta,
        "notes": f"**{rule.name}** ({rule.action}): {rule.reason}",
        "severity": _SEVERITY[rule.action],
        "type": kind,
    }


def _validation_definition(suite: str, asset: str) -> dict[str, Any]:
    return {
        "data": {
            "asset": {"id": _id("asset", asset), "name": asset},
            "batch_definition": {"id": _id("batch", asset), "name": BATCH},
            "datasource": {"id": _id("datasource", DATASOURCE), "name": DATASOURCE},
        },
        "id": _id("validation", suite),
        "name": suite,
        "suite": {"id": _id("suite", suite), "name": suite},
    }


def _checkpoint(name: str, suites: list[str]) -> dict[str, Any]:
    return {
        "actions": [],
        "id": _id("checkpoint", name),
        "name": name,
        "result_format": "BASIC",
        "validation_definitions": [{"id": _id("validation", suite), "name": suite} for suite in suites],
    }


def _files_below(folder: str) -> dict[str, Any]:
    return {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": folder,
        "suppress_store_backend_id": True,
    }


def _asset(name: str) -> dict[str, Any]:
    return {
        "id": _id("asset", name),
        "batch_metadata": {},
        "batch_definitions": {BATCH: {"id": _id("batch", name), "partitioner": None}},
    }


def _configuration(relations: list[str], results: str) -> dict[str, Any]:
    """The content of great_expectations.yml."""
    stores = {
        "expectations_store": ("ExpectationsStore", "expectations/"),
        "validation_definition_store": ("ValidationDefinitionStore", "validation_definitions/"),
        "checkpoint_store": ("CheckpointStore", "checkpoints/"),
        "validation_results_store": ("ValidationResultsStore", results),
    }
    assets = {ONE_ROW: {"type": "query", **_asset(ONE_ROW), "query": "select 1 as one"}} | {
        relation: {
            "type": "table",
            **_asset(relation),
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
