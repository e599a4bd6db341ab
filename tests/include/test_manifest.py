"""dbt's manifest has one reader, which parses it again only when it has changed, and one walk upstream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.manifest import nodes_of, published_name, read_manifest, upstream


def node(kind: str, name: str, *parents: str, schema: str = "core") -> dict[str, Any]:
    return {"resource_type": kind, "name": name, "schema": schema, "alias": name, "depends_on": {"nodes": list(parents)}}


MANIFEST = {
    "nodes": {
        "seed.p.tiers": node("seed", "tiers"),
        "model.p.stg": node("model", "stg", "source.p.raw.usage", schema="staging"),
        "snapshot.p.snap": node("snapshot", "snap", "model.p.stg"),
        "model.p.fct": node("model", "fct", "snapshot.p.snap", "seed.p.tiers", "model.p.stg"),
        "model.p.mart": node("model", "mart", "model.p.fct", "seed.p.tiers", schema="marts_build"),
    },
    "sources": {"source.p.raw.usage": {}},
}


def test_the_walk_finds_all_ancestors_once_and_begins_with_the_given_keys() -> None:
    found = upstream(MANIFEST, ["model.p.mart", "seed.p.tiers"])
    assert found[:2] == ["model.p.mart", "seed.p.tiers"]
    assert sorted(found) == sorted([*MANIFEST["nodes"], "source.p.raw.usage"])


def test_the_walk_ends_at_a_key_that_it_does_not_follow() -> None:
    assert upstream(MANIFEST, ["model.p.mart"], lambda key: not key.startswith(("model.p.stg", "seed."))) == [
        "model.p.mart",
        "model.p.fct",
        "snapshot.p.snap",
    ]


def test_nodes_are_chosen_by_resource_type() -> None:
    assert [found["name"] for found in nodes_of(MANIFEST, "seed", "snapshot")] == ["tiers", "snap"]


def test_a_table_has_the_name_under_which_analysts_read_it() -> None:
    assert published_name(MANIFEST["nodes"]["model.p.mart"]) == "marts.mart"
    assert published_name(MANIFEST["nodes"]["model.p.fct"]) == "core.fct"


def test_a_manifest_is_parsed_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(FileNotFoundError):
        read_manifest(path)
    path.write_text(json.dumps({"nodes": {}}))
    first = read_manifest(path)
    assert read_manifest(path) is first
    path.write_text(json.dumps(MANIFEST))
    assert read_manifest(path) == MANIFEST
