"""The values of the corpus, from an API and from a database: each is loaded correctly, or kept as text beside NULL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.ingestion.conform import Conformer, Stamp
from include.sources import SourceConnection, Table
from include.sources.reader_settings import RestReader, SqlReader
from include.sources.readers.pieces import Reader, Rejected, Window
from include.sources.readers.rest import RestResources
from include.sources.readers.sql import SqlTables
from tests.include.ingestion.world import Api
from tests.include.sources.malformed.cases import VALUES
from tests.include.sources.malformed.test_malformed import NOW, TYPES

THINGS = Table.model_validate(
    {
        "description": "One row per thing.",
        "primary_key": ["id"],
        "event_time": "none",
        "columns": {name: {"type": kind, "description": f"The {name}."} for name, kind in TYPES.items()},
    }
)
THINGS._name = "things"
EXPECTED = [
    {"id": str(number)} | ({column: loaded} if loaded is not None else {f"{column}__v_text": text})
    for number, (column, text, loaded) in enumerate(VALUES)
]


def read(reader: Reader) -> tuple[list[dict[str, str]], list[Rejected]]:
    """The rows that are loaded, without NULLs and metadata, and the rejected records."""
    conformer = Conformer(THINGS, Stamp("things@1", NOW, NOW), {})
    rows = []
    for piece in reader.read(THINGS, Window(None, NOW), {}):
        for row in conformer.conform(piece).to_pylist():
            rows.append({name: str(value) for name, value in row.items() if value is not None and not name.startswith("_")})
    return rows, conformer.rejected


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    server.start()
    yield server
    server.stop()


def resources(api: Api) -> Reader:
    settings = {"type": "rest", "base_path": "/numbered", "paginator": {"kind": "page_number"}}
    settings |= {"page_size": {"param": "per_page", "value": 1000}}
    return RestResources(RestReader.model_validate(settings), SourceConnection.of("api", api.connection()))


def test_values_of_an_api(api: Api) -> None:
    api.resources["things"] = [{"id": str(number), column: text} for number, (column, text, _) in enumerate(VALUES)]
    rows, rejected = read(resources(api))
    assert rows == EXPECTED
    assert rejected == []


def test_records_of_an_api(api: Api) -> None:
    """What is no record, or has no key, is rejected with its reason and payload. It stops no other record."""
    api.resources["things"] = [
        {"id": "1", "doc": {"a": [1]}, "amount": 1.5, "flag": True},
        "text",
        None,
        [{"id": "in a list"}],
        7,
        {},
        {"id": None, "name": "x"},
        {"ID": "2"},
        {"id": {"nested": 1}, "n": 2**70},
        {"id": "3", "n": 2**70, "amount": "1,5", "name": ["a", None]},
    ]
    rows, rejected = read(resources(api))
    assert rows == [
        {"id": "1", "doc": '{"a":[1]}', "amount": "1.500000000", "flag": "True"},
        {"id": '{"nested":1}', "n__v_text": str(2**70)},
        {"id": "3", "n__v_text": str(2**70), "amount__v_text": "1,5", "name": '["a",null]'},
    ]
    assert sorted((each.reason, each.payload) for each in rejected if each.reason == "not a JSON object") == [
        ("not a JSON object", '"text"'),
        ("not a JSON object", "7"),
        ("not a JSON object", '[{"id":"in a list"}]'),
        ("not a JSON object", "null"),
    ]
    without_key = [each for each in rejected if each.reason == "no value for the key id"]
    assert len(without_key) == 3
    assert any('"ID":"2"' in str(each.payload) for each in without_key)


def test_values_of_a_database(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(f"create table things ({', '.join(f'{name} text' for name in TYPES)})")
        for number, (column, text, _) in enumerate(VALUES):
            database.execute(f"insert into things (id, {column}) values (?, ?)", (str(number), text))
        database.execute("insert into things (name) values ('no key')")
    connection = SourceConnection.of("things", {"conn_type": "sqlite", "schema": str(path)})
    rows, rejected = read(SqlTables(SqlReader.model_validate({"type": "sql", "schema": "main"}), connection))
    assert rows == EXPECTED
    assert [(each.reason, '"name":"no key"' in str(each.payload)) for each in rejected] == [("no value for the key id", True)]
