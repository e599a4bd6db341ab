"""Generic tests give their table an alias. On BigQuery a table without one hides its column of the same name, and the test passes."""

from __future__ import annotations

import re
from pathlib import Path

from include.manifest import read_manifest
from include.settings import ROOT

TESTS = ROOT / "dbt" / "macros" / "generic_tests.sql"


def test_every_generic_test_gives_its_table_an_alias() -> None:
    reads = re.findall(r"from \{\{ model \}\}(.*)", TESTS.read_text())
    assert len(reads) == TESTS.read_text().count("{% test ")
    assert set(reads) == {" as tested"}


def test_dbts_own_tests_check_no_column_named_like_its_table(manifest: Path) -> None:
    nodes = read_manifest(manifest)["nodes"]
    hidden = {(key, node["alias"]) for key, node in nodes.items() if node.get("alias") in node.get("columns", {})}
    assert ("model.customer_intelligence.int_billing__invoiced_mrr", "invoiced_mrr") in hidden
    # Tests such as `relationships` are dbt's own; they give their table no alias.
    own = [node for node in nodes.values() if node["resource_type"] == "test" and node.get("column_name")]
    assert not [node["name"] for node in own if (node["attached_node"], node["column_name"]) in hidden]
