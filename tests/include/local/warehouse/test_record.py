"""The record of requests that the local warehouse writes, which `make check-google` replays."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from google.cloud import bigquery

from include.local.warehouse import EmbeddedWarehouse, environment
from include.settings import settings
from include.warehouse import client
from tests.warehouse import free_port


def test_each_request_other_than_get_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "run.jsonl"
    monkeypatch.setenv("WAREHOUSE_RECORD", str(record))
    warehouse = EmbeddedWarehouse(tmp_path / "home", free_port())
    for name, value in environment(warehouse.home, warehouse.port).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    warehouse.start()
    try:
        bq = client(task="test")
        bq.create_dataset("shop")
        bq.query("create table shop.t (id string)").result()
        config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON")
        bq.load_table_from_file(io.BytesIO(b'{"id": "a"}'), f"{bq.project}.shop.t", job_config=config).result()
    finally:
        warehouse.stop()
        settings.cache_clear()
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    bodies = [line["body"] for line in lines if line["body"]]
    assert all(line["method"] != "GET" and line["status"] < 400 for line in lines)
    assert bodies[0]["datasetReference"]["datasetId"] == "shop"
    (query,) = [body for body in bodies if "query" in body.get("configuration", {})]
    assert query["configuration"]["query"]["query"] == "create table shop.t (id string)"
    assert query["configuration"]["labels"]["task"] == "test"
    (load,) = [body for body in bodies if "load" in body.get("configuration", {})]
    assert load["configuration"]["load"]["destinationTable"]["tableId"] == "t"
    assert '"id": "a"' not in record.read_text(), "rows are not kept"
