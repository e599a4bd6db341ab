"""Connections: all forms of Airflow's variables are read, and no secret is ever shown."""

from __future__ import annotations

import json

import pytest

from include.sources import ConnectionMissing, SourceConnection

SECRET = "s3cr3t/with+signs"


def test_json_form(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "conn_type": "http",
        "host": "http://127.0.0.1:8080",
        "login": "me",
        "password": SECRET,
        "extra": {"key": SECRET * 2},
    }
    monkeypatch.setenv("AIRFLOW_CONN_BILLING", json.dumps(values | {"extra": json.dumps(values["extra"])}))
    connection = SourceConnection.from_airflow("billing")
    assert (connection.url, connection.login, connection.secret) == ("http://127.0.0.1:8080", "me", SECRET)
    assert connection.extra == {"key": SECRET * 2}
    for shown in (repr(connection), str(connection), f"{connection}"):
        assert SECRET not in shown
    message = f"refused: {SECRET} and s3cr3t%2Fwith%2Bsigns and {SECRET * 2}"
    assert connection.redact(message) == "refused: *** and *** and ***"


def test_uri_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "postgres://me:s3cr3t%2Fwith%2Bsigns@db.example:5433/sales?sslmode=require")
    connection = SourceConnection.from_airflow("crm")
    assert (connection.host, connection.port, connection.schema) == ("db.example", 5433, "sales")
    assert (connection.secret, connection.extra) == (SECRET, {"sslmode": "require"})


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({"host": "http://api.example:80/", "port": None}, "http://api.example:80"),
        ({"host": "api.example", "port": 8443}, "https://api.example:8443"),
        ({"host": "http://api.example", "port": "8080"}, "http://api.example:8080"),
        ({"host": "api.example", "schema": "http"}, "http://api.example"),
        ({"extra": {"url": "gs://bucket/landing/"}}, "gs://bucket/landing"),
        ({"extra": {"url": "file:///data/landing"}}, "file:///data/landing"),
        ({"extra": {"url": "/data/landing"}}, "/data/landing"),
    ],
)
def test_url(values: dict[str, object], url: str) -> None:
    assert SourceConnection.of("x", values).url == url


def test_missing_and_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionMissing, match="has no host and no url"):
        _ = SourceConnection.of("x", {}).url
    monkeypatch.setenv("AIRFLOW_CONN_X", '{"password": "' + SECRET)
    with pytest.raises(ConnectionMissing, match="AIRFLOW_CONN_X is not valid JSON") as caught:
        SourceConnection.from_airflow("x")
    assert SECRET not in str(caught.value)
    monkeypatch.delenv("AIRFLOW_CONN_X")
    with pytest.raises(ConnectionMissing, match="no Airflow connection 'x': add it in the UI, or set AIRFLOW_CONN_X"):
        SourceConnection.from_airflow("x")
