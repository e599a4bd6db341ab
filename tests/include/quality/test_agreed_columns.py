"""The raw gate warns of columns that a mapping reads, and not of those that a system has besides."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from include import ops
from include.quality.derived import raw_gate
from include.sources import load_source
from include.warehouse import execute
from tests.warehouse import connected

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FILE = {
    "description": "A shop.",
    "owner": "tests",
    "tier": "low",
    "connection": "shop",
    "freshness": {"warn_after": "26h", "error_after": "50h"},
    "reader": {"type": "files", "formats": ["csv"]},
    "tables": {
        "customer": {
            "entity": "accounts",
            "glob": "*",
            "event_time": "none",
            "columns": {"account_id": "Id", "organization_id": {"value": "o"}, "name": "Name"},
        },
        "orders": {"glob": "*"},
    },
}


def test_only_columns_that_a_mapping_reads_are_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(FILE))
    gate = raw_gate(load_source(tmp_path / "shop.yml"))
    (rule,) = [each for each in gate.rules if each.name == "schema_as_agreed"]
    changes = [
        ("customer", "name", "missing_column"),
        ("customer", "id", "type_change"),
        ("customer", "newsletter", "new_column"),
        ("customer", "newsletter", "type_change"),
        ("orders", "gift", "new_column"),
    ]
    with connected(monkeypatch) as bq:
        rows = [
            {"batch_id": "b", "source": "shop", "table_name": table, "column_name": column, "change": change, "detected_at": NOW}
            for table, column, change in changes
        ]
        ops.append("ops.schema_changes", rows, client=bq)
        found = execute(f"select table_name, column_name, change from ({rule.rows}) order by 1, 2", {"batch_id": "b"}, bq)
        assert [tuple(row.values()) for row in found.result()] == [
            ("customer", "id", "type_change"),
            ("customer", "name", "missing_column"),
            ("orders", "gift", "new_column"),
        ]
