"""Node manifests: their content, and that those of an earlier manifest are not used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.settings import settings
from include.transform.node_manifests import manifest_for, write_node_manifests


def node(name: str, kind: str, *parents: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "resource_type": kind, "depends_on": {"nodes": list(parents)}, "config": {}, **more}


NODES = {
    "model.p.orders": node("orders", "model", "source.p.crm.orders", raw_code="select 1"),
    "model.p.items": node("items", "model", "model.p.orders"),
    "seed.p.rates": node("rates", "seed"),
    "test.p.orders_unique": node("orders_unique", "test", "model.p.orders"),
    "test.p.items_name_orders": node("items_name_orders", "test", "model.p.items", "model.p.orders"),
    "analysis.p.why": node("why", "analysis", "model.p.orders"),
}


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    path = settings().manifest
    path.parent.mkdir()
    path.write_text(json.dumps({"metadata": {"project_name": "p"}, "nodes": NODES, "sources": {"source.p.crm.orders": {}}}))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    yield path
    settings.cache_clear()


def test_a_node_manifest_holds_the_node_and_its_tests(manifest: Path) -> None:
    write_node_manifests()
    found = json.loads(manifest_for("orders").read_text())
    assert found["metadata"] == {"project_name": "p"}
    assert set(found["nodes"]) == {"model.p.orders", "test.p.orders_unique", "test.p.items_name_orders"}
    assert "raw_code" not in found["nodes"]["model.p.orders"]
    assert set(json.loads(manifest_for("items").read_text())["nodes"]) == {"model.p.items", "test.p.items_name_orders"}
    assert set(json.loads(manifest_for("rates").read_text())["nodes"]) == {"seed.p.rates"}


def test_without_a_node_manifest_the_whole_manifest_is_read(manifest: Path) -> None:
    assert manifest_for("orders") == manifest
    write_node_manifests()
    assert manifest_for("a_new_model") == manifest


def test_node_manifests_of_an_earlier_manifest_are_not_used_and_are_rewritten(manifest: Path) -> None:
    write_node_manifests()
    written = manifest_for("orders").stat().st_mtime_ns
    write_node_manifests()
    assert manifest_for("orders").stat().st_mtime_ns == written, "nothing has changed"
    content = json.loads(manifest.read_text())
    del content["nodes"]["test.p.orders_unique"], content["nodes"]["seed.p.rates"]
    manifest.write_text(json.dumps(content))
    assert manifest_for("orders") == manifest
    write_node_manifests()
    assert set(json.loads(manifest_for("orders").read_text())["nodes"]) == {"model.p.orders", "test.p.items_name_orders"}
    assert manifest_for("rates") == manifest, "a deleted node has no node manifest"
